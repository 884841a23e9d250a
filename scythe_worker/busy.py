"""Workers that have a task, by fleet: the least number of tasks that ECS must keep.

With several slots the queued and running tasks can need fewer workers than have one now. ECS answers
DEPLOYMENT_BLOCKED to a worker that protects itself while more tasks are protected than desired, so the demand
must not fall below the busy workers.

The engine lists its workers with the free slots of each (``GET /api/v1/tenants/{tenant}/worker``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scythe_worker.backlog_settings import BacklogSettings
from scythe_worker.backlog_stats import AwayError, Figures, get

TASK = re.compile(r"(?P<fleet>.+)-[0-9a-f]{32}(-.*)?")
"""A worker's name (`scythe_worker.identity.worker_name`)."""

PAGE = 1000
MOST_PAGES = 10


class Busy:
    """Keeps demands at or above the numbers of busy workers.

    Asks the engine only while more tasks run than workers are demanded: never with one slot, nor with a long queue.
    """

    def __init__(self, settings: BacklogSettings) -> None:
        self._settings = settings
        self._last: dict[str, int] = {}

    def raised(self, found: Mapping[str, Figures]) -> dict[str, Figures]:
        """The figures, with demands that keep all busy workers."""
        # One running task keeps at most one worker busy.
        if any(of.running > of.demand for of in found.values()):
            try:
                counted = self._count()
            except AwayError:
                counted = {}
        else:
            counted = {}
        # Where no worker tells its fleet, no more than the last demand is assumed; without one, any task's worker.
        bounds = {
            name: counted.get(name, min(of.running, self._last.get(name, of.running)))
            for name, of in found.items()
        }
        raised = {name: of.needing(bounds[name]) for name, of in found.items()}
        self._last = {name: of.demand for name, of in raised.items()}
        return raised

    def _count(self) -> dict[str, int]:
        """Busy workers by fleet, of the fleets that have any worker."""
        names = {self._settings.worker_name(fleet.name): fleet.name for fleet in self._settings.fleets}
        counted: dict[str, int] = {}
        for page in range(MOST_PAGES):
            query = f"?statuses=ACTIVE&statuses=PAUSED&limit={PAGE}&offset={page * PAGE}"
            rows = get(self._settings, f"worker{query}").get("rows")
            if not isinstance(rows, list):
                raise AwayError("the engine's workers cannot be read")
            for row in rows:
                match = TASK.fullmatch(str(row.get("name", ""))) if isinstance(row, dict) else None
                fleet = names.get(match["fleet"]) if match else None
                if fleet is not None:
                    counted[fleet] = counted.get(fleet, 0) + _is_busy(row)
            if len(rows) < PAGE:
                break
        return counted


def _is_busy(worker: Mapping[str, Any]) -> bool:
    try:
        return any(slot["available"] < slot["limit"] for slot in worker["slotConfig"].values())
    except (AttributeError, KeyError, TypeError):
        # Rather a worker too many.
        return True
