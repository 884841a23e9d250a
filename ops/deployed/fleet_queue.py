"""Whose work a Hatchet task is: the one fleet that it counts for."""

from __future__ import annotations

from collections.abc import Iterable

from environments.schema import Environment
from scythe_worker.backlog_settings import Fleet, owner


def tasks_by_fleet(environment: Environment, tasks: Iterable[str]) -> dict[str, list[str]]:
    """The tasks of each fleet, of those given; all else of the tenant's is none of Scythe's."""
    fleets = [
        Fleet(
            name,
            fleet.role,
            fleet.slots,
            None if fleet.experiments is None else frozenset(map(str.lower, fleet.experiments)),
        )
        for name, fleet in environment.workers.items()
    ]
    found: dict[str, list[str]] = {name: [] for name in environment.workers}
    for task in sorted(tasks):
        fleet_name = owner(task, fleets)
        if fleet_name is not None:
            found[fleet_name].append(task)
    return found
