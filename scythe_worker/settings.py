"""What a worker is told by its environment beside what scythe-engine and hatchet-sdk read themselves."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TOKEN = "HATCHET_CLIENT_TOKEN"  # noqa: S105  # the variable's name
BUCKET = "SCYTHE_STORAGE_BUCKET"
MODULE = "SCYTHE_WORKER_EXPERIMENTS_MODULE"
EXPERIMENTS = "SCYTHE_WORKER_EXPERIMENTS"
EXPERIMENTS_ELSEWHERE = "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE"
TIMEOUTS = tuple(
    f"SCYTHE_TIMEOUT_{task}_{kind}"
    for task in ("SCATTER_GATHER", "EXPERIMENT")
    for kind in ("SCHEDULE", "EXECUTION")
)

DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
"""Hatchet's durations (docs.hatchet.run/v1/timeouts); scythe-engine lets any text through."""

NO_TOKEN = (
    f"{TOKEN}: not an API token of Hatchet (value not shown); must be a JWT, three parts with dots between"
)

JWT = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+")


class SettingsError(Exception):
    """A worker cannot start as it is told to: one line per fault."""

    def __init__(self, *faults: str) -> None:
        """Initialize the error."""
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class WorkerSettings:
    """Which experiments a worker runs.

    Attributes:
        module: the researcher's package or module; importing it registers the experiments.
        experiments: names of the tasks to run; None for all.
        elsewhere: names of tasks to leave to other fleets.
    """

    module: str = "experiments"
    experiments: frozenset[str] | None = None
    elsewhere: frozenset[str] = frozenset()

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> WorkerSettings:
        """Read the settings, and check what scythe-engine and hatchet-sdk would take as it is.

        Raises:
            SettingsError: with every fault found; never with a part of the token.
        """
        module = environment.get(MODULE) or cls.module
        faults = [*_faults(environment), *_module_faults(module)]
        if faults:
            raise SettingsError(*faults)
        named = _names(environment.get(EXPERIMENTS, ""))
        return cls(module, named or None, _names(environment.get(EXPERIMENTS_ELSEWHERE, "")))


def _faults(environment: Mapping[str, str]) -> Iterator[str]:
    token = environment.get(TOKEN, "")
    if not token:
        yield f"{TOKEN}: not set; must be an API token of Hatchet"
    elif not JWT.fullmatch(token):
        yield NO_TOKEN
    if not environment.get(BUCKET):
        yield f"{BUCKET}: not set; must be the name of the bucket of Scythe's specs and results"
    for name in TIMEOUTS:
        value = environment.get(name)
        if value is not None and not DURATION.fullmatch(value):
            yield f"{name}: got {value!r}; must be a duration of Hatchet's such as 10h, 30m or 90s"


def _module_faults(module: str) -> Iterator[str]:
    if not all(part.isidentifier() for part in module.split(".")):
        yield f"{MODULE}: got {module!r}; must be the name of a Python package"
        return
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        yield f"{MODULE}: no Python package {module!r} here; must be the one with the experiments"


def _names(value: str) -> frozenset[str]:
    return frozenset(name for part in value.split(",") if (name := part.strip().lower()))
