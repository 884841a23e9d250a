"""The simulator's CloudWatch and Application Auto Scaling on metrics that were published, while time passes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from benchmarks.autoscaling.alarms import Alarms
from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.cloudwatch import Metric
from benchmarks.autoscaling.scaling import Target
from benchmarks.autoscaling.synthesized import Scaled
from local_aws import LocalAws
from modules.common.metrics import DEMAND
from scythe_worker.backlog import PERIOD
from tests.support.hatchet.services import Service

BEHIND = 1.0
"""Seconds by which the alarms' clock is behind, so that each figure is there before its time comes."""


@dataclass(frozen=True)
class Published:
    """A fleet's figures at one time.

    Attributes:
        at: when the publisher asked for them.
        seen: when they were in CloudWatch at the latest.
    """

    fleet: str
    at: float
    seen: float
    queued: int
    running: int
    demand: int


@dataclass(frozen=True)
class Change:
    """A new desired count of a fleet's service, decided by the alarms' clock at a time."""

    fleet: str
    at: float
    desired: int


class Autoscaler:
    """Reads the metrics that the synthesized alarms look at, and has the alarms act on services.

    Attributes:
        published: all figures so far.
        changes: all that it has decided.
    """

    def __init__(self, aws: LocalAws, scaled: Mapping[str, Scaled], services: Mapping[str, Service]) -> None:
        self._cloudwatch = aws.client("cloudwatch")
        self.published: list[Published] = []
        self.changes: list[Change] = []
        now = time.time()
        self._after = dict.fromkeys(scaled, now - PERIOD)
        # Its minutes are CloudWatch's.
        self._began, self._skipped = now - now % 60, 0.0
        self._clock = Clock()
        self._clock.now = now % 60
        self.targets = {
            name: Target(0, 0, partial(len, service.tasks), partial(self._change, service))
            for name, service in services.items()
        }
        self._alarms = Alarms(self._clock, Random(1), scaled, self.targets)
        self._metrics: dict[str, Metric] = {
            dict(metric.dimensions)["Fleet"]: metric
            for metric in self._alarms.metrics
            if metric.name == DEMAND
        }

    def now(self) -> float:
        """The time, with what was skipped."""
        return time.time() + self._skipped

    def latest(self, fleet: str) -> Published:
        """A fleet's latest figures."""
        return next(item for item in reversed(self.published) if item.fleet == fleet)

    def follow(self) -> None:
        """Take what was published since, and act."""
        for fleet, metric in self._metrics.items():
            found = self._next(metric, DEMAND, self._after[fleet])
            if found is None:
                continue
            at, demand = found
            # The publisher's one request has the demand last.
            others = [self._next(metric, name, self._after[fleet]) for name in ("Queued", "Running")]
            queued, running = (value for moment, value in filter(None, others) if moment == at)
            self.published.append(Published(fleet, at, time.time(), queued, running, demand))
            self._after[fleet] = at
            self._put(fleet, at, demand)
        self._advance()

    def skip(self, until: Callable[[], bool], most: float) -> float:
        """Let time pass at once, in which each fleet's latest figures are published again; the seconds.

        Args:
            until: is asked after each period.
            most: fails after as many seconds.
        """
        passed = 0.0
        latest = [self.latest(fleet) for fleet in self._metrics]
        while not until():
            assert passed < most, f"nothing happens in {passed} s: {self.changes}"
            passed += PERIOD
            self._skipped += PERIOD
            for item in latest:
                self._put(item.fleet, item.at, item.demand)
            self._advance()
        return passed

    def _next(self, metric: Metric, name: str, after: float) -> tuple[float, int] | None:
        """The first value after some time, of the metric of this name beside the one that is given; and when it is."""
        found = self._cloudwatch.get_metric_statistics(
            Namespace=metric.namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in metric.dimensions],
            # It reads full seconds; of the first value in them the local AWS tells the milliseconds too.
            StartTime=datetime.fromtimestamp(math.floor(after) + 1, UTC),
            EndTime=datetime.now(UTC) + timedelta(seconds=PERIOD),
            Period=1,
            Statistics=["Maximum"],
        )["Datapoints"]
        values = sorted((point["Timestamp"].timestamp(), int(point["Maximum"])) for point in found)
        return values[0] if values else None

    def _put(self, fleet: str, at: float, demand: int) -> None:
        key = self._metrics[fleet].key
        self._clock.at(at + self._skipped - self._began, lambda: self._alarms.cloudwatch.put(key, demand))

    def _advance(self) -> None:
        is_over: list[bool] = []
        self._clock.at(self.now() - self._began - BEHIND, lambda: is_over.append(True))
        self._clock.run(lambda: bool(is_over))

    def _change(self, service: Service, desired: int) -> None:
        self.changes.append(Change(service.name, self._began + self._clock.now, desired))
        service.set_desired(desired)
