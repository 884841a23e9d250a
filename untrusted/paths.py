"""The one place that decides whether a path that comes from elsewhere may be written or read."""

from __future__ import annotations

import os
import shutil
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

LONGEST_PART = 255
"""Bytes of a file's name (``NAME_MAX`` of Linux and macOS)."""


_UNUSABLE = {"Cc", "Cs"}
"""Unicode's categories of control characters and of surrogates."""


class UnsafePathError(Exception):
    """A path must not be used; the text completes "<path>: ..." ."""


def below(root: Path, name: str) -> Path:
    """The path of a name below a folder.

    Args:
        root: the folder; it need not be there.
        name: a relative path with ``/`` between its parts, as S3, archives and mark files have it.

    Raises:
        UnsafePathError: the name is absolute, has an empty part, ``.``, ``..``, a backslash or a control character, is
            too long, or a symbolic link on the way leads out of the folder.
    """
    return _below(root, _resolved(root), name)


def _below(root: Path, resolved: Path, name: str) -> Path:
    parts = name.split("/")
    for part in parts:
        if not is_file_name(part):
            raise UnsafePathError("is not the path of a file below a folder")
    path = root.joinpath(*parts)
    if not _resolved(path).is_relative_to(resolved):
        raise UnsafePathError(f"leads out of {root} through a symbolic link")
    return path


def all_below(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """The paths of names below a folder, which can all be files of it at the same time.

    Raises:
        UnsafePathError: as `below`, or one name is a folder of another. The text begins with the name.
    """
    resolved = _resolved(root)
    paths: dict[str, Path] = {}
    folders: set[str] = set()
    for name in names:
        try:
            paths[name] = _below(root, resolved, name)
        except UnsafePathError as error:
            raise UnsafePathError(f"{name}: {error}") from None
        folders.update(map(str, PurePosixPath(name).parents))
    for name in sorted(folders & paths.keys()):
        raise UnsafePathError(f"{name}: is both a file and a folder")
    return paths


def is_file_name(part: str) -> bool:
    """Whether a text can be the name of one file, wherever it is."""
    return (
        part not in ("", ".", "..")
        and not any(c in "/\\" or unicodedata.category(c) in _UNUSABLE for c in part)
        and len(part.encode(errors="surrogateescape")) <= LONGEST_PART
    )


def regular_file(root: Path, file: Path) -> Path:
    """What a file is after its symbolic links, for reading.

    Raises:
        UnsafePathError: it is not a regular file, or lies outside the folder.
    """
    found = _resolved(file)
    if not found.is_relative_to(_resolved(root)):
        raise UnsafePathError(f"leads out of {root} through a symbolic link")
    if not found.is_file():
        raise UnsafePathError("is not a regular file")
    return found


def private_folder(base: Path, *names: str) -> Path:
    """A folder below another for what this user alone may write, such as a cache of programs.

    It is made if it is not there. One in which others could write is emptied and closed.

    Args:
        base: a folder that may be anybody's, such as one for temporary files; made if it is not there.
        names: the folders below it.

    Raises:
        UnsafePathError: a folder belongs to another user. The text begins with the folder.
    """
    base.mkdir(parents=True, exist_ok=True)
    folder = base
    for name in names:
        folder = folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        # Of a link, its own owner: whoever made it decides what it leads to.
        for found in (folder.lstat(), folder.stat()):
            if found.st_uid != os.geteuid():
                raise UnsafePathError(f"{folder}: belongs to another user")
        if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            folder.chmod(0o700)
            for entry in folder.iterdir():
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    return folder


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        raise UnsafePathError("leads in a circle of symbolic links") from None
