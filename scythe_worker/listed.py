"""The workers that the engine lists, as far as ECS goes, and the pausing of one.

``GET /api/v1/tenants/{tenant}/worker`` lists them with the free slots of each; ``PATCH /api/v1/workers/{worker}`` with
``isPaused`` keeps the engine from sending a worker anything new, while what it has runs on (the engine's
``ListActiveWorkers``, of which the scheduler asks once a second).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scythe_worker.backlog_settings import BacklogSettings
from scythe_worker.backlog_stats import AwayError, get
from scythe_worker.identity import DEFINITION, SERVICE

NAME = re.compile(r"(?P<fleet>.+?)-(?P<task>[0-9a-f]{32})(-.*)?")
"""A worker's name (`scythe_worker.identity.worker_name`)."""

PAGE = 1000
MOST_PAGES = 10


@dataclass(frozen=True)
class Listed:
    """A worker of a fleet.

    Attributes:
        id: the engine's.
        fleet: the fleet's name.
        task: the id of its ECS task.
        is_paused: whether the engine sends it nothing.
        busy: how many tasks it has.
        registered: when it came; None where the engine does not say.
        service: the name of its ECS service, where its label says so.
        definition: its task definition, such as ``docs-simulations:12``, where its label says so.
    """

    id: str
    fleet: str
    task: str
    is_paused: bool = False
    busy: int = 0
    registered: datetime | None = None
    service: str = ""
    definition: str = ""


def workers(settings: BacklogSettings, *statuses: str) -> list[Listed]:
    """The workers of the fleets that are alive.

    Args:
        settings: whom to ask about which fleets.
        statuses: ``ACTIVE``, ``PAUSED``; both where left out.

    Raises:
        AwayError: there is no answer, or none that can be read.
    """
    names = {settings.worker_name(fleet.name): fleet.name for fleet in settings.fleets}
    query = "&".join(f"statuses={status}" for status in statuses or ("ACTIVE", "PAUSED"))
    found: list[Listed] = []
    for page in range(MOST_PAGES):
        rows = get(settings, f"worker?{query}&limit={PAGE}&offset={page * PAGE}").get("rows")
        if not isinstance(rows, list):
            raise AwayError("the engine's workers cannot be read")
        for row in rows:
            match = NAME.fullmatch(str(row.get("name", ""))) if isinstance(row, dict) else None
            if match and match["fleet"] in names:
                found.append(_listed(row, names[match["fleet"]], match["task"]))
        if len(rows) < PAGE:
            break
    return found


def _listed(row: Mapping[str, Any], fleet: str, task: str) -> Listed:
    metadata = row.get("metadata") or {}
    labels = {label.get("key"): str(label.get("value") or "") for label in row.get("labels") or ()}
    return Listed(
        str(metadata.get("id", "")),
        fleet,
        task,
        row.get("status") == "PAUSED",
        _busy(row),
        _moment(metadata.get("createdAt")),
        labels.get(SERVICE, ""),
        labels.get(DEFINITION, ""),
    )


def _busy(row: Mapping[str, Any]) -> int:
    try:
        return sum(max(0, slot["limit"] - slot["available"]) for slot in row["slotConfig"].values())
    except (AttributeError, KeyError, TypeError):
        # Rather a worker too many.
        return 1


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def of_fleet(listed: Sequence[Listed], fleet: str) -> list[Listed]:
    """Those of one fleet."""
    return [worker for worker in listed if worker.fleet == fleet]
