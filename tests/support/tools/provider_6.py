"""Synthesizes environments with the bindings of the provider's version 6, which stand in a folder of their own.

``python -m tests.support.tools.provider_6 OUT FILE...`` is what `synthesize` runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.project import ROOT
from tests.support.tools.installation import ensure_installed, run_installer

_BINDINGS = ROOT / ".provider-6"
_LOCK_FILE = ROOT / "requirements-provider-6.lock"
_PACKAGE = "cdktf_cdktf_provider_aws"
_REFERENCE = re.compile(
    r"(?<!ephemeral\.)\b((?:data\.)?aws_[a-z0-9_]+)\.[a-z0-9_]+(?:\[[^\[\]]*\])?\.([a-z][a-z0-9_]*)"
)
_TERRAFORMS_OWN = {"//", "count", "depends_on", "dynamic", "for_each", "lifecycle", "provider"}


def install() -> None:
    """Have the bindings in their folder.

    Raises:
        InstallationError: pip could not get them.
    """
    pip: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Nothing but what differs: all else is the tests' own. To compile 2,000 modules, few of them used, takes a minute.
    pip += ["--no-deps", "--only-binary", ":all:", "--no-compile", "--target", _BINDINGS]
    pip += ["--require-hashes", "-r", _LOCK_FILE]
    ensure_installed(_BINDINGS, _LOCK_FILE, lambda: run_installer(pip, folder=ROOT))


def synthesize(files: Sequence[Path], out: Path, *, six: bool) -> set[str]:
    """Synthesize environments in a Python of its own.

    Args:
        files: the environments'.
        out: the output folder.
        six: with version 6 of the provider, or else with the pinned one.

    Returns:
        What resources and data sources are given or asked for that the bindings do not know.
    """
    places = [str(_BINDINGS)] * six + [str(ROOT)]
    program = [sys.executable, "-W", "error::UserWarning", "-m", "tests.support.tools.provider_6"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(places),
        "XDG_CACHE_HOME": str(out.parent / "cache"),
    }
    out.parent.mkdir(exist_ok=True)
    done = subprocess.run(
        [*program, out, *files], cwd=out.parent, env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return set(json.loads(done.stdout))


def _unknown(template: Mapping[str, Any], known: Mapping[str, set[str]]) -> Iterator[str]:
    """Arguments that a type does not have, and attributes that are read of it: CDKTF checks neither override nor text."""
    for section, prefix in (("resource", ""), ("data", "data.")):
        for kind, elements in template.get(section, {}).items():
            for body in elements.values():
                given = (body.keys() | body.get("dynamic", {}).keys()) - _TERRAFORMS_OWN
                yield from (f"{prefix}{kind} takes {name}" for name in given - _of(known, prefix + kind))
    for kind, name in _REFERENCE.findall(json.dumps(template)):
        if name not in _of(known, kind):
            yield f"{kind} has {name}"


def _of(known: Mapping[str, set[str]], kind: str) -> set[str]:
    # Terraform's own data source is no part of the bindings, and neither is an ephemeral resource.
    return known.get(kind, set()) if "aws_" in kind else {"outputs", "backend", "config"}


def _known() -> dict[str, set[str]]:
    """By type of resource and data source, what the imported bindings have."""
    known: dict[str, set[str]] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{_PACKAGE}."):
            for class_ in vars(module).values():
                if isinstance(class_, type) and (kind := getattr(class_, "TF_RESOURCE_TYPE", "")):
                    data = "data." if class_.__name__.startswith("DataAws") else ""
                    known[data + kind] = set(dir(class_))
    return known


def _main(out: Path, files: Sequence[Path]) -> None:
    from environments.loading import load_all
    from main import synthesize as write

    write(load_all(files), out)
    known = _known()
    templates = [json.loads(file.read_text()) for file in out.glob("stacks/*/cdk.tf.json")]
    print(json.dumps(sorted({line for template in templates for line in _unknown(template, known)})))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
