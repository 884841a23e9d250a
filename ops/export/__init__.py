"""``scythe-aws export``: the constructs as Terraform modules for a registry, in HCL that people read."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ops.export.modules import modules
from ops.terraform import Terraform, TerraformError

_OF_A_MODULE = ("*.tf", ".terraform", ".terraform.lock.hcl")
"""What may be in a module's folder that an export replaces."""


class ExportError(Exception):
    """A folder can't be written, or holds what no export wrote; the text is one line."""


def export(out: Path) -> list[Path]:
    """Write the modules below a folder, each as a whole or not at all.

    A module's folder is replaced: a file of an older export does not stay. What else is below `out` is
    left alone.

    Args:
        out: the folder; made if it is not there.

    Returns:
        The files, in order.

    Raises:
        ExportError: what is there holds other files than an export's, or can't be written.
        TerraformError: terraform, which formats the files, is missing or too old.
    """
    Terraform.require(os.environ)
    targets = {out / "modules" / name: files for name, files in modules().items()}
    for folder in targets:
        _refuse_other_files(folder)
    try:
        (out / "modules").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as temporary:
            made = {folder: Path(temporary, folder.name) for folder in targets}
            for folder, files in targets.items():
                _write(made[folder], files)
            _format(Path(temporary))
            for folder in targets:
                if folder.exists():
                    folder.rename(Path(temporary, f"{folder.name}-before"))
                made[folder].rename(folder)
    except OSError as error:
        raise ExportError(f"{error.filename or out}: {error.strerror}") from error
    return [folder / name for folder, files in targets.items() for name in sorted(files)]


def _refuse_other_files(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExportError(f"{folder}: is no folder; name another with --out")
    for path in sorted(folder.iterdir()):
        if not any(path.match(pattern) for pattern in _OF_A_MODULE):
            raise ExportError(f"{folder}: holds {path.name}, which no export wrote; name another with --out")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _format(folder: Path) -> None:
    ran = subprocess.run(["terraform", "fmt", "-recursive", str(folder)], capture_output=True, text=True)
    if ran.returncode:
        raise TerraformError(f"terraform fmt failed:\n{ran.stderr}")
