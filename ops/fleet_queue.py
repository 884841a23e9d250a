"""Whose work a Hatchet task is: the one fleet that it counts for."""

from __future__ import annotations

from collections.abc import Iterable

from environments.schema import Environment

SCATTER_GATHER = "scythe_scatter_gather"
EXPERIMENT = "scythe_experiment_"


def tasks_by_fleet(environment: Environment, tasks: Iterable[str]) -> dict[str, list[str]]:
    """The tasks of each fleet, of those given; all else of the tenant's is none of Scythe's."""
    found: dict[str, list[str]] = {name: [] for name in environment.workers}
    for task in sorted(tasks):
        fleet = _owner(environment, task)
        if fleet is not None:
            found[fleet].append(task)
    return found


def _owner(environment: Environment, task: str) -> str | None:
    """The fleet that names a task, else the first of its role that names none."""
    name, rest = task.lower(), None
    for fleet, settings in environment.workers.items():
        if settings.experiments is not None:
            if name in map(str.lower, settings.experiments):
                return fleet
        elif rest is None and (
            name == SCATTER_GATHER if settings.role == "fan" else name.startswith(EXPERIMENT)
        ):
            rest = fleet
    return rest
