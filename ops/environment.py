"""The environment that a command names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from environments.loading import find, load, load_all
from environments.schema import Environment
from ops.errors import CommandError
from synthesis.secret_values import holds_secret


def environment_of(given: str) -> Environment:
    """The environment of a name or a path.

    Raises:
        CommandError: it looks like a secret, which must not be shown again.
        EnvironmentFileError: there is no such file, or it cannot be used.
    """
    if holds_secret(given):
        raise CommandError("ENV looks like a secret's value (not shown); must be an environment")
    return load(find([given])[0])


def environments_of(given: Iterable[str]) -> list[tuple[Path, Environment]]:
    """The files and environments of names or paths; all that have names when none is given.

    Raises:
        EnvironmentFileError: with all that is wrong with all of them.
    """
    paths = find(given)
    return list(zip(paths, load_all(paths), strict=True))
