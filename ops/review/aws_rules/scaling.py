"""Alarms and the scaling policies that they start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ops.review.aws_rules.planned import Found, Planned, Rule

MOST_STEPS, MOST_POLICIES, DAY = 20, 50, 86_400


def scaling_steps(planned: Planned) -> Found:
    """A step policy has at most 20 steps, without a gap or an overlap, open where they reach beyond the threshold.

    Application Auto Scaling User Guide, "Quotas for Application Auto Scaling"; Application Auto Scaling API
    Reference, ``StepAdjustment``.
    """
    for policy in planned.of("aws_appautoscaling_policy"):
        for configuration in policy.blocks("step_scaling_policy_configuration"):
            steps = sorted(map(_bounds, configuration.get("step_adjustment") or []))
            if not 1 <= len(steps) <= MOST_STEPS:
                yield policy, f"has {len(steps)} steps; must have 1 to {MOST_STEPS}"
            if any(end != start for (_, end), (start, _) in pairwise(steps)):
                yield policy, "has steps with a gap or an overlap between them; must have neither"
            if any(start >= end for start, end in steps):
                yield policy, "has a step that ends before it begins; must not"
            if steps and 0 < steps[-1][1] < float("inf"):
                yield policy, "has no step without an upper bound; must have one above the threshold"
            if steps and float("-inf") < steps[0][0] < 0:
                yield policy, "has no step without a lower bound; must have one below the threshold"


def scaling_policies(planned: Planned) -> Found:
    """A scalable target has at most 50 policies.

    Application Auto Scaling User Guide, "Quotas for Application Auto Scaling".
    """
    policies = [item for item in planned.of("aws_appautoscaling_policy") if item.get("resource_id")]
    counts = Counter(policy.get("resource_id") for policy in policies)
    for policy in policies:
        if counts[policy.get("resource_id")] > MOST_POLICIES:
            yield policy, f"{policy.get('resource_id')} has more than {MOST_POLICIES} policies"


def alarm_periods(planned: Planned) -> Found:
    """An alarm's periods are of 10, 20 or 30 seconds or of minutes, and all together at most a day.

    Amazon CloudWatch API Reference, ``PutMetricAlarm`` (Period, EvaluationPeriods).
    """
    for alarm in planned.of("aws_cloudwatch_metric_alarm"):
        metrics = [metric for query in alarm.blocks("metric_query") for metric in query.get("metric") or []]
        for period in [alarm.get("period"), *(metric.get("period") for metric in metrics)]:
            if not period:
                continue
            if period not in (10, 20, 30) and period % 60:
                yield alarm, f"period is {period}; must be 10, 20, 30 or a multiple of 60"
            if period * (alarm.get("evaluation_periods") or 1) > DAY:
                yield alarm, "evaluates more than a day; must be at most 86400 seconds"


def _bounds(step: Mapping[str, Any]) -> tuple[float, float]:
    lower, upper = (step.get(f"metric_interval_{end}_bound") for end in ("lower", "upper"))
    return float(lower or "-inf"), float(upper or "inf")


RULES: tuple[Rule, ...] = (scaling_steps, scaling_policies, alarm_periods)
