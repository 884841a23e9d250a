"""What is carried from an environment's stacks into the folders of its way out: local states and the provider's lock."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from ops.export import ExportError
from ops.export.exit import STATE

LOCK = ".terraform.lock.hcl"


def carried(
    out: Path,
    stacks: Iterable[str],
    states: Path = Path("state"),
    synthesized: Path = Path("cdktf.out/stacks"),
) -> Iterator[Path]:
    """Copy what is not there yet, and name the copies; what is there stays, since it may have been applied.

    Args:
        out: the folder of the way out.
        stacks: the names of the stacks.
        states: the folder of the local states.
        synthesized: the folder that has a folder for each stack, in which Terraform ran.

    Raises:
        ExportError: a stack was deployed after its state was copied.
    """
    for stack in sorted(stacks):
        state, copy = states / f"{stack}.tfstate", out / stack / STATE
        for source, target in ((state, copy), (synthesized / stack / LOCK, out / stack / LOCK)):
            if source.is_file() and not target.exists():
                shutil.copy(source, target)
                yield target
        _refuse_outdated(copy, state)


def _refuse_outdated(target: Path, source: Path) -> None:
    if not source.is_file() or not target.is_file():
        return
    copy, original = (json.loads(path.read_text(encoding="utf-8")) for path in (target, source))
    if copy["lineage"] == original["lineage"] and copy["serial"] < original["serial"]:
        raise ExportError(
            f"{target}: serial {copy['serial']} is older than serial {original['serial']} of {source}; delete it and "
            "export again"
        )
