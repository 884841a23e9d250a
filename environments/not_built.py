"""What an environment file may say already, but nothing makes yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from environments.errors import EnvironmentFileError, FileFault
from environments.loading import file_name
from environments.schema import Environment
from modules.rules import Path as Key


def refuse_unbuilt(environments: Iterable[tuple[Path, Environment]]) -> None:
    """Refuse environments that ask for what is not built yet, rather than to deploy them without it.

    Args:
        environments: files and the environments that they describe.

    Raises:
        EnvironmentFileError: one fault per key.
    """
    faults = [
        FileFault(file_name(path), message, key)
        for path, environment in environments
        for key, message in _unbuilt(environment)
    ]
    if faults:
        raise EnvironmentFileError(faults)


def _unbuilt(environment: Environment) -> Iterator[tuple[Key, str]]:
    if environment.hatchet.mode == "self_hosted":
        yield ("hatchet", "mode"), "got self_hosted, which is not built yet; must be cloud"
    for key in ("alarm_email", "monthly_budget_usd"):
        if getattr(environment.observability, key) is not None:
            yield ("observability", key), "is not built yet; must be left out"
