"""The environment that a command names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from environments.loading import find, load, load_all
from environments.schema import Environment


def environment_of(given: str) -> Environment:
    """The environment of a name or a path.

    Raises:
        EnvironmentFileError: there is no such file, or it cannot be used.
    """
    return load(find([given])[0])


def environments_of(given: Iterable[str]) -> list[tuple[Path, Environment]]:
    """The files and environments of names or paths; all that have names when none is given.

    Raises:
        EnvironmentFileError: with all that is wrong with all of them.
    """
    paths = find(given)
    return list(zip(paths, load_all(paths), strict=True))
