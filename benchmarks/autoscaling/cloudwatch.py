"""CloudWatch: metrics, and alarms on them.

Amazon CloudWatch User Guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data" and "Alarm
actions". What it does not tell is drawn: when in its period an alarm is evaluated, and the seconds until a figure
that was published can be seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Literal

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.metric_math import evaluate

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
REPEAT = 60
"""Seconds after which an action of Auto Scaling is repeated while its alarm stays in ALARM."""

FURTHER = 2
"""By how many periods the evaluation range is longer than the evaluation periods: 5 for 3 in AWS's examples."""

RESOLUTION = 10
KEPT = 4 * 3600


@dataclass(frozen=True)
class Metric:
    """A metric and how it is aggregated."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int

    @property
    def key(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What it is published under."""
        return (self.namespace, self.name, self.dimensions)


@dataclass(frozen=True)
class AlarmRule:
    """An alarm as it is configured."""

    name: str
    metrics: Mapping[str, Metric]
    expression: str
    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: str
    actions: tuple[str, ...]

    @property
    def period(self) -> int:
        """The longest of its metrics' periods."""
        return max(metric.period for metric in self.metrics.values())

    def is_breaching(self, value: float) -> bool:
        """Whether a value breaches the threshold."""
        return {
            "GreaterThanOrEqualToThreshold": value >= self.threshold,
            "GreaterThanThreshold": value > self.threshold,
            "LessThanThreshold": value < self.threshold,
            "LessThanOrEqualToThreshold": value <= self.threshold,
        }[self.comparison]


def state(
    points: Sequence[bool | None], periods: int, to_alarm: int, treat_missing: str, before: State
) -> State:
    """The state of an alarm by the points of its evaluation range, the oldest first.

    Args:
        points: whether each breaches; None where it is missing.
        periods: the evaluation periods.
        to_alarm: the datapoints to alarm.
        treat_missing: ``missing``, ``ignore``, ``breaching`` or ``notBreaching``.
        before: its state so far.
    """
    real = [point for point in points if point is not None]
    if len(real) >= periods:
        return "ALARM" if sum(real[-periods:]) >= to_alarm else "OK"
    if treat_missing in ("breaching", "notBreaching"):
        filled = sum(real) + (periods - len(real)) * (treat_missing == "breaching")
        return "ALARM" if filled >= to_alarm else "OK"
    if not real:
        return "INSUFFICIENT_DATA" if treat_missing == "missing" else before
    if sum(real) >= to_alarm:
        return "ALARM"
    if not all(real):
        return "OK"
    # "if the oldest available breaching datapoint ... is at least as old as the value of Datapoints to Alarm, and all
    # other more recent data points are breaching or missing"
    age = len(points) - points.index(True)
    return "ALARM" if treat_missing == "missing" and age >= to_alarm else before


@dataclass
class _Bucket:
    values: list[float] = field(default_factory=list)


class CloudWatch:
    """Takes figures, evaluates alarms, and calls their actions with the alarm and its value."""

    def __init__(self, clock: Clock, random: Random, act: Callable[[AlarmRule, str, float], None]) -> None:
        self._clock, self._random, self._act = clock, random, act
        self._data: dict[object, dict[int, _Bucket]] = defaultdict(dict)
        self.states: dict[str, State] = {}
        self._acted: dict[str, float] = {}
        self._results: defaultdict[str, dict[int, tuple[int, float | None]]] = defaultdict(dict)

    def put(self, key: object, value: float, *, delay: float | None = None) -> None:
        """Publish a figure of now, which can be seen after some seconds."""
        start = int(self._clock.now // RESOLUTION) * RESOLUTION
        wait = self._random.uniform(0.5, 2.5) if delay is None else delay
        self._clock.after(wait, lambda: self._store(key, start, value))

    def _store(self, key: object, start: int, value: float) -> None:
        buckets = self._data[key]
        buckets.setdefault(start, _Bucket()).values.append(value)
        if len(buckets) > KEPT // RESOLUTION:
            # The first that came; all come in order, but for seconds.
            del buckets[next(iter(buckets))]

    def value(self, metric: Metric, start: int) -> float | None:
        """A metric's value for the period that begins at a time."""
        buckets = self._data[metric.key]
        values = [
            value
            for time in range(start, start + metric.period, RESOLUTION)
            if time in buckets
            for value in buckets[time].values
        ]
        if metric.statistic == "SampleCount":
            return float(len(values)) if values else None
        if not values:
            return None
        chosen: Mapping[str, Callable[[list[float]], float]] = {
            "Maximum": max, "Minimum": min, "Sum": sum, "Average": lambda all_: sum(all_) / len(all_),
        }  # fmt: skip
        return chosen[metric.statistic](values)

    def watch(self, rule: AlarmRule) -> None:
        """Evaluate an alarm again and again: each ten seconds one of less than a minute, else each minute."""
        self.states[rule.name] = "INSUFFICIENT_DATA"
        every = RESOLUTION if rule.period < 60 else 60
        phase = self._random.uniform(0, every)
        self._clock.every(every, self._clock.now + phase, lambda: self._evaluate(rule))

    def _evaluate(self, rule: AlarmRule) -> None:
        last = int(self._clock.now // rule.period) * rule.period - rule.period
        length = rule.evaluation_periods + FURTHER
        values = [self._result(rule, last - place * rule.period) for place in reversed(range(length))]
        points = [None if value is None else rule.is_breaching(value) for value in values]
        before = self.states[rule.name]
        after = state(
            points, rule.evaluation_periods, rule.datapoints_to_alarm, rule.treat_missing_data, before
        )
        self.states[rule.name] = after
        if after != "ALARM":
            return
        acted = self._acted.get(rule.name, float("-inf"))
        real = [value for value in values if value is not None][-rule.evaluation_periods :]
        if real and (before != "ALARM" or self._clock.now - acted >= REPEAT):
            self._acted[rule.name] = self._clock.now
            for action in rule.actions:
                # The least of a policy's metric_aggregation_type Minimum; of one point it is that.
                self._clock.after(self._random.uniform(0.5, 2), partial(self._act, rule, action, min(real)))

    def _result(self, rule: AlarmRule, start: int) -> float | None:
        """An alarm's value for a period; worked out once for the same figures."""
        known = self._results[rule.name]
        count = sum(self._count(metric, start) for metric in rule.metrics.values())
        before = known.get(start)
        if before is not None and before[0] == count:
            return before[1]
        result = evaluate(
            rule.expression, {name: self.value(metric, start) for name, metric in rule.metrics.items()}
        )
        known[start] = count, result
        if len(known) > KEPT // RESOLUTION:
            del known[next(iter(known))]
        return result

    def _count(self, metric: Metric, start: int) -> int:
        buckets = self._data[metric.key]
        found = (buckets.get(time) for time in range(start, start + metric.period, RESOLUTION))
        return sum(len(bucket.values) for bucket in found if bucket is not None)
