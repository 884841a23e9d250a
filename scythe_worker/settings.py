"""What a worker is told by its environment beside what scythe-engine and hatchet-sdk read themselves."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scythe_worker.drain import NOTICE_SECONDS

TOKEN = "HATCHET_CLIENT_TOKEN"  # noqa: S105  # the variable's name
BUCKET = "SCYTHE_STORAGE_BUCKET"
MODULE = "SCYTHE_WORKER_EXPERIMENTS_MODULE"
EXPERIMENTS = "SCYTHE_WORKER_EXPERIMENTS"
EXPERIMENTS_ELSEWHERE = "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE"
NOTICE = "SCYTHE_WORKER_NOTICE_SECONDS"
PATIENCE = "SCYTHE_WORKER_PATIENCE_SECONDS"
TYPICAL = "EXPERIMENT_TYPICAL_SECONDS"
"""Not one of ``SCYTHE_``, which the deployment keeps to itself: a fleet's ``environment`` may set it."""

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

SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
JWT = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+")


PATIENCE_SECONDS = 300.0
"""ECS starts another task as soon as one ends: what fails at once would be started again at once."""


class SettingsError(Exception):
    """A worker cannot start as it is told to: one line per fault."""

    def __init__(self, *faults: str) -> None:
        """Initialize the error."""
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class WorkerSettings:
    """Which experiments a worker runs, and how it comes and goes.

    Attributes:
        module: the researcher's package or module; importing it registers the experiments.
        experiments: names of the tasks to run; None for all.
        elsewhere: names of tasks to leave to other fleets.
        notice: seconds from SIGTERM to the kill.
        patience: seconds to wait for an engine that does not answer when the worker starts.
        typical: how many seconds a run of each task typically takes, as the researcher says; that of the empty
            name is for all others.
    """

    module: str = "experiments"
    experiments: frozenset[str] | None = None
    elsewhere: frozenset[str] = frozenset()
    notice: float = NOTICE_SECONDS
    patience: float = PATIENCE_SECONDS
    typical: Mapping[str, float] = field(default_factory=dict)

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
        return cls(
            module,
            _names(environment.get(EXPERIMENTS, "")) or None,
            _names(environment.get(EXPERIMENTS_ELSEWHERE, "")),
            notice=float(environment.get(NOTICE) or cls.notice),
            patience=float(environment.get(PATIENCE) or cls.patience),
            typical=_typical(environment.get(TYPICAL, "")),
        )


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a JSON Web Token, whoever signed it; None where it is none, or they cannot be read."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, RecursionError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


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

    for name in (NOTICE, PATIENCE):
        value = environment.get(name)
        if value and not SECONDS.fullmatch(value):
            yield f"{name}: got {value!r}; must be a number of seconds"
    for part in filter(None, environment.get(TYPICAL, "").split(",")):
        if not SECONDS.fullmatch(part.rpartition("=")[2].strip()):
            yield (
                f"{TYPICAL}: got {part!r}; must be the seconds of a typical run, for all experiments (90) "
                "or for each (scythe_experiment_annual=90,scythe_experiment_daily=5)"
            )


def _typical(value: str) -> dict[str, float]:
    parts = (part.rpartition("=") for part in value.split(",") if part.strip())
    return {name.strip().lower(): float(seconds) for name, _, seconds in parts}


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
