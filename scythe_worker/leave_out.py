"""``python leave_out.py``: take what no worker imports out of the packages of the Python that runs this.

Dockerfile.worker runs it in the stage that installs the packages, so that the image's layer never has it. These are
the test suites and C headers of two large packages, by name: others import what they call ``tests``, as
``numpy.testing`` and PyTables do.
Standard library alone.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

SUITES = ("pandas", "pyarrow")
"""Packages whose folders ``tests`` hold their own tests alone; what users' tests need of them is in ``testing``."""

HEADERS = ("pyarrow/include", "pyarrow/src")
"""What a compiler needs to build against a package."""


def unneeded(packages: Path) -> Iterator[Path]:
    """The folders that no worker imports, below the folder of all packages."""
    for name in SUITES:
        # One within another goes with it.
        yield from sorted((packages / name).rglob("tests"), key=lambda folder: len(folder.parts))
    yield from (packages / name for name in HEADERS)


def leave_out(packages: Path) -> int:
    """Delete those folders; return how many bytes their files had."""
    freed = 0
    for folder in list(unneeded(packages)):
        if folder.is_dir() and not folder.is_symlink():
            freed += sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
            shutil.rmtree(folder)
    return freed


if __name__ == "__main__":
    megabytes = leave_out(Path(sysconfig.get_path("purelib"))) / 1e6
    print(f"left out {megabytes:.1f} MB of test suites and headers", file=sys.stderr)
