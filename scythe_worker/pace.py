"""Which metrics are published when: all of them every ten seconds around work, one zero a minute while nothing waits.

CloudWatch bills a custom metric for the hours in which it gets data, and each request (Amazon CloudWatch pricing,
https://aws.amazon.com/cloudwatch/pricing/: "All custom metrics charges are prorated by the hour and metered only when
you send metrics to CloudWatch"). The engine is asked every ten seconds all the same, and work is published at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from scythe_worker.backlog_stats import Figures

DEMAND = "Demand"
ALL = ("Queued", "Running", "OldestQueuedSeconds", DEMAND)
"""The metrics of a fleet. Alarms read the demand alone; the others are for people to see."""

AWAKE_SECONDS = 65 * 60
"""Seconds after the last work for which everything is still published. It is longer than the longest ``quiet_minutes``
(60): the alarm that puts a fleet to sleep needs a zero for each ten seconds of them. Thereafter that alarm keeps its
state over missing data (Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data",
``ignore``), and the one on silence needs a datapoint a minute."""

ASLEEP_SECONDS = 60


class Pace:
    """Says what to publish.

    Args:
        now: seconds since the epoch. How long nothing has waited before is unknown, so everything is published at first.
    """

    def __init__(self, now: float) -> None:
        self._last_work = now
        self._last_minute: int | None = None

    def due(self, found: Iterable[Figures], now: float) -> tuple[str, ...]:
        """The metrics to publish for each fleet; empty for none this time.

        Args:
            found: the figures of all fleets.
            now: seconds since the epoch.
        """
        if any(of.queued or of.running or of.demand for of in found):
            self._last_work = now
        if now - self._last_work < AWAKE_SECONDS:
            return ALL
        return () if _minute(now) == self._last_minute else (DEMAND,)

    def published(self, now: float) -> None:
        """Remember that CloudWatch took what was due at a time."""
        self._last_minute = _minute(now)


def _minute(now: float) -> int:
    return int(now // ASLEEP_SECONDS)
