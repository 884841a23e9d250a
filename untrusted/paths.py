"""The one place that decides whether a path that comes from elsewhere may be written or read."""

from __future__ import annotations

import os
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
    parts = name.split("/")
    for part in parts:
        if not is_file_name(part):
            raise UnsafePathError("is not the path of a file below a folder")
    path = root.joinpath(*parts)
    if not _resolved(path).is_relative_to(_resolved(root)):
        raise UnsafePathError(f"leads out of {root} through a symbolic link")
    return path


def all_below(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """The paths of names below a folder, which can all be files of it at the same time.

    Raises:
        UnsafePathError: as `below`, or one name is a folder of another. The text begins with the name.
    """
    paths: dict[str, Path] = {}
    folders: set[str] = set()
    for name in names:
        try:
            paths[name] = below(root, name)
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


def private_folder(folder: Path) -> Path:
    """A folder for what this user alone may write, such as a cache of programs; made if it is not there.

    Raises:
        UnsafePathError: it belongs to another user, or others may write to it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if reason := others_may_write(folder):
        raise UnsafePathError(reason)
    return folder


def others_may_write(path: Path) -> str | None:
    """Why another user could have written a file or a folder; None where only this user or root could.

    Links are not followed: whoever made a link decides what it leads to.
    """
    found = path.lstat()
    if found.st_uid not in (os.geteuid(), 0):
        return "belongs to another user"
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written by others (chmod go-w)"
    return None


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        raise UnsafePathError("leads in a circle of symbolic links") from None
