"""The synthesized alarms and policies at work on scalable targets, whatever these scale."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.cloudwatch import AlarmRule, CloudWatch, Metric
from benchmarks.autoscaling.scaling import Target
from benchmarks.autoscaling.synthesized import Scaled


class Alarms:
    """CloudWatch with the alarms of services, whose actions Application Auto Scaling carries out.

    Args:
        scaled: what scales the services, by name.
        targets: theirs, which get the bounds that are synthesized; a service without one is not scaled.

    Attributes:
        cloudwatch: takes the figures.
        metrics: what the alarms look at.
    """

    def __init__(
        self, clock: Clock, random: Random, scaled: Mapping[str, Scaled], targets: Mapping[str, Target]
    ) -> None:
        self._clock = clock
        self._policies = {key: policy for item in scaled.values() for key, policy in item.policies.items()}
        self._of: dict[str, Target] = {}
        self.cloudwatch = CloudWatch(clock, random, self._act)
        self.metrics: list[Metric] = [
            metric for item in scaled.values() for rule in item.alarms for metric in rule.metrics.values()
        ]
        for name, target in targets.items():
            item = scaled[name]
            target.least, target.most = item.least, item.most
            for alarm in item.alarms:
                self._of[alarm.name] = target
                self.cloudwatch.watch(alarm)

    def _act(self, rule: AlarmRule, action: str, value: float) -> None:
        self._of[rule.name].apply(self._policies[action], value, rule.threshold, self._clock.now)
