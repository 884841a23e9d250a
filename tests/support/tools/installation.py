"""Installs a tool from its lock file, once, however many test processes ask for it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class InstallationError(Exception):
    """A tool could not be installed; the text ends with what the installer said."""


def ensure_installed(folder: Path, lock_file: Path, install: Callable[[], None]) -> None:
    """Run `install` unless `folder` already holds what `lock_file` lists.

    Args:
        folder: What `install` makes. It is removed first when it came from another lock file or is half made.
        lock_file: The versions and hashes; it is also what concurrent callers lock.
        install: Fills `folder` or raises.
    """
    stamp = folder / ".installed-from"
    with lock_file.open("rb") as lock:
        digest = hashlib.sha256(lock.read()).hexdigest()
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == digest:
            return
        shutil.rmtree(folder, ignore_errors=True)
        install()
        stamp.write_text(digest)


def run_installer(
    command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Run one step of an installation in `folder`.

    Raises:
        InstallationError: It failed.
    """
    result = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode != 0:
        raise InstallationError(f"{' '.join(map(str, command))} failed:\n{result.stdout[-3000:]}")
