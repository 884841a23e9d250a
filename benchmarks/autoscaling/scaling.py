"""Application Auto Scaling: step policies, target tracking, and the bounds of a scalable target.

Application Auto Scaling User Guide, "Step scaling policies" and "Target tracking scaling policies"; Amazon ECS
Developer Guide, "Automatically scale your Amazon ECS service".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """A step adjustment: from a lower to an upper bound, counted from the threshold."""

    lower: float
    upper: float
    adjustment: int


@dataclass(frozen=True)
class StepPolicy:
    """A step policy."""

    name: str
    adjustment_type: str
    steps: Sequence[Step]
    cooldown: float

    def capacity(self, value: float, threshold: float, running: int) -> int | None:
        """The capacity that it asks for; None where no step is for the value.

        Above the threshold a step's lower bound is part of it and its upper bound is not; below it is the other way
        round. Changes count from the tasks that run, percentages rounded towards zero but to at least one task.
        """
        breach = value - threshold
        for step in self.steps:
            is_above = step.lower >= 0
            inside = step.lower <= breach < step.upper if is_above else step.lower < breach <= step.upper
            if inside:
                return self._adjusted(step.adjustment, running)
        return None

    def _adjusted(self, adjustment: int, running: int) -> int:
        if self.adjustment_type == "ExactCapacity":
            return adjustment
        if self.adjustment_type == "ChangeInCapacity":
            return running + adjustment
        change = running * adjustment / 100
        whole = math.trunc(change)
        if 0 < abs(change) < 1:
            whole = 1 if change > 0 else -1
        return running + whole


@dataclass
class Target:
    """A scalable target: a service's desired count, and its bounds.

    Attributes:
        least: its minimum.
        most: its maximum.
        desired: the service's desired count.
        running: tells the tasks that run.
        changed: told of each new desired count.
        deploying: tells whether a deployment is in progress, during which nothing is scaled in.
    """

    least: int
    most: int
    running: Callable[[], int]
    changed: Callable[[int], object] = lambda _: None
    desired: int = 0
    deploying: Callable[[], bool] = lambda: False
    _scaled: dict[str, tuple[float, int]] = field(default_factory=dict)

    def apply(self, policy: StepPolicy, value: float, threshold: float, now: float) -> None:
        """Carry a policy out."""
        wanted = policy.capacity(value, threshold, self.running())
        if wanted is None:
            return
        last, before = self._scaled.get(policy.name, (float("-inf"), 0))
        if now - last < policy.cooldown and (wanted < self.desired or wanted <= before):
            return
        if self.set(wanted):
            self._scaled[policy.name] = (now, wanted)

    def set(self, wanted: int) -> bool:
        """Set the desired count within the bounds; whether it changed."""
        bounded = min(max(wanted, self.least), self.most)
        if bounded == self.desired or (bounded < self.desired and self.deploying()):
            return False
        self.desired = bounded
        self.changed(bounded)
        return True


@dataclass
class TargetTracking:
    """A target tracking policy, as its alarms work.

    It scales out where three minutes are above the target, and in where fifteen are below nine tenths of it, in
    proportion to the tasks that run; from no task to one first.

    Attributes:
        target: the value to keep.
        values: the latest minutes' values, None where there was none.
    """

    target: float
    values: list[float | None] = field(default_factory=list)

    def wanted(self, value: float | None, running: int) -> int | None:
        """The capacity after a further minute; None to leave it."""
        self.values = [*self.values[-14:], value]
        latest = self.values[-3:]
        if running == 0:
            return 1 if value is not None and value > self.target else None
        if len(latest) == 3 and all(item is not None and item > self.target for item in latest):
            return math.ceil(running * (value or 0) / self.target)
        low = [item is not None and item < 0.9 * self.target for item in self.values]
        if len(low) == 15 and all(low):
            return math.ceil(running * (value or 0) / self.target)
        return None
