"""Which of its tasks a worker that must stop waits for, and which it gives back."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import timedelta

NOTICE_SECONDS = 120.0
"""From SIGTERM to the kill: Spot's notice, and the task definition's ``stopTimeout``."""

MARGIN_SECONDS = 15.0
"""Of the notice: for the last results' way to the engine, and for giving back what did not end."""

REMEMBERED = 20
OVERDUE = 2.0
"""A task that has run for this many times its typical duration is not typical; nobody knows when it ends."""

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Durations:
    """How long each task typically runs, as told or as seen on this worker."""

    def __init__(self, told: Mapping[str, float] | None = None) -> None:
        """Initialize the durations.

        Args:
            told: seconds by the task's name; that of the empty name is for all others.
        """
        self._told = told or {}
        self._seen: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def saw(self, task: str, seconds: float) -> None:
        """Note a run that succeeded."""
        self._seen[task].append(seconds)

    def typical(self, task: str) -> float | None:
        """What a run lasts, rather too long than too short: nine in ten were shorter. None if nobody knows."""
        told = self._told.get(task, self._told.get(""))
        if told is not None:
            return told
        seen = sorted(self._seen.get(task, ()))
        return seen[(len(seen) * 9) // 10] if seen else None


def worth_waiting(*, elapsed: float, left: float, typical: float | None, limit: float | None) -> bool:
    """Whether a task will have ended when the worker must have given back its last.

    Args:
        elapsed: seconds that it has run.
        left: seconds until then.
        typical: seconds that it typically runs; None if nobody knows.
        limit: its execution timeout in seconds, at which the engine ends it; None without.
    """
    if left <= 0:
        return False
    if limit is not None and limit - elapsed <= left:
        return True
    if typical is None or elapsed > OVERDUE * typical:
        return False
    return typical - elapsed <= left


def seconds_of(duration: timedelta | str) -> float | None:
    """A duration of hatchet-sdk's in seconds; None for a text that is none."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", duration)
    return sum(float(number) * UNITS[unit] for number, unit in parts) if parts else None
