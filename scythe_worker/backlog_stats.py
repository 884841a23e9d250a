"""What waits and what runs: Hatchet's task stats, and the figures of each fleet.

The engine counts per task (``GET /api/v1/tenants/{tenant}/task-stats``, docs.hatchet.run, "Autoscaling Workers"):
``queued.total``, ``queued.oldest`` and ``running.total``. Tasks that are asked for by name and have none come with
zeros; without names, what has none is absent, and of an idle tenant the answer is ``{}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from scythe_worker.backlog_settings import BacklogSettings, Fleet, owner

SECONDS = 5
"""What the engine may take to answer, of the ten seconds between two questions."""

LARGEST = 32 * 2**20


class AwayError(Exception):
    """There are no figures this time; the text is what an operator reads of it.

    Attributes:
        wait: seconds that whoever refused asks to be left alone; 0 where it did not say.
    """

    def __init__(self, what: str, wait: float = 0) -> None:
        """Initialize the error."""
        self.wait = wait
        super().__init__(what)


@dataclass(frozen=True)
class Figures:
    """A fleet's figures at one moment.

    Attributes:
        queued: tasks that wait for a worker.
        running: tasks that run.
        oldest_seconds: how long the one that waits longest has waited.
        demand: the workers that all of them fill.
    """

    queued: int = 0
    running: int = 0
    oldest_seconds: float = 0
    demand: int = 0

    def needing(self, workers: int) -> Figures:
        """The same with a demand of so many workers at least."""
        return replace(self, demand=max(self.demand, workers))


def ask(settings: BacklogSettings) -> dict[str, Any]:
    """Hatchet's task stats, in one request.

    Raises:
        AwayError: there is no answer, or none that can be read.
    """
    names = settings.names()
    query = "" if names is None else f"?taskNames={quote(','.join(names), safe=',')}"
    return get(settings, f"task-stats{query}")


def get(settings: BacklogSettings, what: str) -> dict[str, Any]:
    """The engine's answer about something of the tenant's.

    Raises:
        AwayError: there is no answer, or none that can be read.
    """
    body = request(settings, "GET", f"tenants/{quote(settings.tenant, safe='')}/{what}")
    try:
        stats = json.loads(body)
    except ValueError:
        stats = None
    if not isinstance(stats, dict):
        raise AwayError(f"the engine's {what.partition('?')[0].replace('-', ' ')} cannot be read")
    return stats


def request(
    settings: BacklogSettings, method: str, what: str, told: Mapping[str, object] | None = None
) -> bytes:
    """The body of the engine's answer to a request.

    Args:
        settings: whom to ask.
        method: of HTTP.
        what: the path below ``/api/v1``.
        told: the JSON to send; none where left out.

    Raises:
        AwayError: there is no answer, or a refusal.
    """
    url = urlsplit(settings.server_url)
    # No redirect is followed: the token is for this host alone.
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(str(url.hostname), url.port, timeout=SECONDS)
    try:
        headers = {"Authorization": f"Bearer {settings.token}", "Accept": "application/json"}
        if told is not None:
            headers["Content-Type"] = "application/json"
        connection.request(
            method, f"{url.path}/api/v1/{what}", None if told is None else json.dumps(told), headers
        )
        response = connection.getresponse()
        body = response.read(LARGEST)
    except (OSError, HTTPException) as error:
        raise AwayError(f"the engine does not answer: {error or type(error).__name__}") from error
    finally:
        connection.close()
    if response.status in (401, 403):
        raise AwayError(
            f"the engine refuses the token ({response.status}); it is read anew at the next start"
        )
    if response.status != 200:
        raise AwayError(f"the engine answers {response.status}", _seconds(response.getheader("Retry-After")))
    return body


def figures(stats: Mapping[str, Any], fleets: Iterable[Fleet], now: datetime) -> dict[str, Figures]:
    """The figures of each fleet.

    Args:
        stats: Hatchet's, by task.
        fleets: those to count for.
        now: for the age of the oldest.

    Raises:
        AwayError: the stats are not as they should be; a guess could put a fleet to sleep.
    """
    fleets = tuple(fleets)
    queued, running = dict.fromkeys((fleet.name for fleet in fleets), 0), {fleet.name: 0 for fleet in fleets}
    oldest: dict[str, float] = {}
    for task, stat in stats.items():
        name = owner(task, fleets)
        if name is None:
            continue
        waiting = _count(stat, "queued")
        queued[name] += waiting
        running[name] += _count(stat, "running")
        if waiting:
            oldest[name] = max(oldest.get(name, 0.0), _age(stat["queued"].get("oldest"), now))
    return {
        fleet.name: Figures(
            queued[fleet.name],
            running[fleet.name],
            oldest.get(fleet.name, 0.0),
            -(-(queued[fleet.name] + running[fleet.name]) // fleet.slots),
        )
        for fleet in fleets
    }


def _count(stat: Any, kind: str) -> int:
    try:
        part = stat.get(kind)
        total = 0 if part is None else part["total"]
    except (AttributeError, KeyError, TypeError):
        total = None
    if type(total) is not int or total < 0:
        raise AwayError(f"the engine's task stats cannot be read: no total of {kind}")
    return total


def _age(moment: Any, now: datetime) -> float:
    try:
        return max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())
    except (TypeError, ValueError):
        # The age is for people to see; nothing scales on it.
        return 0.0


def _seconds(header: str | None) -> float:
    try:
        return min(300.0, max(0.0, float(header or 0)))
    except ValueError:
        return 0.0
