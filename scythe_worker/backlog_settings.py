"""What the backlog service is told: where the engine is, and which tasks are which fleet's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scythe_worker.settings import JWT, NO_TOKEN, TOKEN, SettingsError, claims_of

FLEETS = "SCYTHE_BACKLOG_FLEETS"
NAMESPACE = "SCYTHE_BACKLOG_NAMESPACE"
CLUSTER = "SCYTHE_BACKLOG_CLUSTER"
SERVER_URL = "HATCHET_CLIENT_SERVER_URL"

SCATTER_GATHER = "scythe_scatter_gather"
EXPERIMENT = "scythe_experiment_"
"""The names that scythe-engine registers its tasks under (``scythe.scatter_gather``, ``scythe.registry``)."""

LONGEST_QUERY = 4000
"""Of the characters of a request's query; load balancers and proxies take 8 KiB and more of a request's line."""


@dataclass(frozen=True)
class Fleet:
    """A fleet, as far as its queue goes.

    Attributes:
        name: the fleet's.
        role: ``leaf`` or ``fan``.
        slots: the tasks of Hatchet that each of its workers runs at a time.
        tasks: the names of its tasks; None for all of its role that no other fleet names.
        services: the names of its ECS services; empty for one of the fleet's own name.
    """

    name: str
    role: str
    slots: int
    tasks: frozenset[str] | None = None
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class BacklogSettings:
    """All that the backlog service is told.

    Attributes:
        server_url: of Hatchet's REST API.
        tenant: the tenant that the token is for.
        token: Hatchet's client token.
        namespace: of the metrics in CloudWatch.
        fleets: those of the environment.
        cluster: the name of their ECS cluster; empty where no worker is to be paused.
    """

    server_url: str
    tenant: str
    token: str
    namespace: str
    fleets: tuple[Fleet, ...]
    cluster: str = ""

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> BacklogSettings:
        """Read the settings.

        Raises:
            SettingsError: with every fault found; never with a part of the token.
        """
        faults: list[str] = []
        token = environment.get(TOKEN, "")
        claims = claims_of(token) if JWT.fullmatch(token) else None
        if claims is None:
            faults.append(NO_TOKEN if token else f"{TOKEN}: not set; must be an API token of Hatchet")
        server_url = environment.get(SERVER_URL) or str((claims or {}).get("server_url", ""))
        tenant = str((claims or {}).get("sub", ""))
        if claims is not None and not tenant:
            faults.append(f"{TOKEN}: names no tenant (claim sub); must be an API token of Hatchet")
        if claims is not None and not _is_url(server_url):
            faults.append(f"{SERVER_URL}: got {server_url!r}; must be the http or https URL of Hatchet's API")
        namespace = environment.get(NAMESPACE, "")
        if not namespace:
            faults.append(f"{NAMESPACE}: not set; must be the namespace of the metrics")
        fleets = _fleets(environment.get(FLEETS, ""), faults)
        if faults:
            raise SettingsError(*faults)
        cluster = environment.get(CLUSTER, "")
        return cls(server_url.rstrip("/"), tenant, token, namespace, fleets, cluster)

    def worker_name(self, fleet: str) -> str:
        """The name that all workers of a fleet share; the namespace ends with the environment's name."""
        return f"{self.namespace.rpartition('/')[2]}-{fleet}"

    def names(self) -> list[str] | None:
        """The tasks to ask the engine about; None to ask about all.

        A fleet without names runs what no other fleet names, so only an answer about all tasks tells its queue;
        and a list that would not go into a URL is not sent. One request tells all either way.
        """
        if any(fleet.tasks is None and fleet.role == "leaf" for fleet in self.fleets):
            return None
        names = sorted({task for fleet in self.fleets for task in fleet.tasks or (SCATTER_GATHER,)})
        return names if len(",".join(names)) <= LONGEST_QUERY else None


def owner(task: str, fleets: Iterable[Fleet]) -> str | None:
    """The one fleet for which a task's queue counts: the first that names it, else the first of its role."""
    name = task.lower()
    rest: str | None = None
    for fleet in fleets:
        if fleet.tasks is not None:
            if name in fleet.tasks:
                return fleet.name
        elif rest is None and (
            name == SCATTER_GATHER if fleet.role == "fan" else name.startswith(EXPERIMENT)
        ):
            rest = fleet.name
    return rest


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _fleets(text: str, faults: list[str]) -> tuple[Fleet, ...]:
    try:
        described = json.loads(text)
        fleets = tuple(_described(described))
    except (ValueError, TypeError, KeyError, AttributeError):
        faults.append(f"{FLEETS}: must be the fleets as JSON: by name their role, slots and experiments")
        return ()
    if not fleets:
        faults.append(f"{FLEETS}: names no fleet; must name one")
    return fleets


def _described(described: Mapping[str, Mapping[str, Any]]) -> Iterator[Fleet]:
    for name, fleet in described.items():
        named = fleet.get("experiments")
        tasks = None if named is None else frozenset(task.lower() for task in named)
        slots = int(fleet["slots"])
        if slots < 1 or fleet["role"] not in ("leaf", "fan"):
            raise ValueError(name)
        yield Fleet(name, fleet["role"], slots, tasks, tuple(map(str, fleet.get("services") or ())))
