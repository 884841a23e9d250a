"""From a demand to a number of tasks: bands, each of which a step of a scaling policy sets exactly.

A step policy has at most 20 steps (Application Auto Scaling User Guide, "Quotas for Application Auto Scaling"),
so the bands are spread over several policies, each with an alarm of its own over a range of its own. An alarm acts
when it changes to ALARM, and then once a minute as long as it lasts (Amazon CloudWatch User Guide, "Alarm
actions"): a demand that moves to another range is followed at once, one that moves within a range within a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.worker_fleet.scaling import MOST_TASKS

MOST_STEPS = 20
MOST_OVER = 10
"""By how many percent, at most, a band's tasks are more than the demand."""


@dataclass(frozen=True)
class Band:
    """Demands that get the same number of tasks.

    Attributes:
        first: the smallest of these demands.
        tasks: the largest, and the tasks that all of them get.
    """

    first: int
    tasks: int


@dataclass(frozen=True)
class Range:
    """Neighbouring bands: those of one policy and one alarm.

    Attributes:
        bands: from the smallest on.
    """

    bands: Sequence[Band]

    @property
    def first(self) -> int:
        """The smallest demand."""
        return self.bands[0].first

    @property
    def last(self) -> int:
        """The largest demand."""
        return self.bands[-1].tasks


def _band(first: int) -> Band:
    # The largest number that is less than 110 % of the first.
    return Band(first, max(first, (first * (100 + MOST_OVER) - 1) // 100))


def _ranges() -> tuple[Range, ...]:
    """The exact bands by themselves, since a fleet grows through them fastest; then as many as a policy takes."""
    ranges = [Range([Band(tasks, tasks) for tasks in range(1, MOST_OVER + 1)])]
    while ranges[-1].last < MOST_TASKS * (100 - MOST_OVER) // 100:
        bands = [_band(ranges[-1].last + 1)]
        while len(bands) < MOST_STEPS:
            bands.append(_band(bands[-1].tasks + 1))
        ranges.append(Range(bands))
    return tuple(ranges)


RANGES = _ranges()
"""Of all fleets, whatever their maximum: what is beyond it has no alarm. They end at 4,885 tasks; what a service
may have beyond that, 115 tasks more, it gets at the maximum alone."""

SHORTFALL = (1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 94, 141, 211, 316, 474, 711, 1066, 1600, 2400)
"""The tasks that stand in for missing ones, one policy's worth: each for a shortfall of that many up to the next, so
never more than are missing, and about two thirds of them or more."""
