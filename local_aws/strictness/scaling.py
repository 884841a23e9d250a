"""Application Auto Scaling and CloudWatch alarms: order, limits and values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from local_aws.strictness.held import backend
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/autoscaling/application/APIReference"
_QUOTAS = "https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html"
_ALARM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"

MOST_STEPS = 20
MOST_POLICIES = 50
MOST_SCHEDULED_ACTIONS = 200
DAY, WEEK = 86_400, 604_800

_SCHEDULE = re.compile(
    r"(cron\(\S+( \S+){5}\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|rate\(\d+ ?(minute|hour|day)s?\))"
)


def _target(request: Request) -> tuple[str, str, str]:
    asked = request.parameters
    names = (asked.get("ServiceNamespace"), asked.get("ResourceId"), asked.get("ScalableDimension"))
    return str(names[0]), str(names[1]), str(names[2])


def _is_registered(request: Request) -> bool:
    _, resource, dimension = _target(request)
    return resource in backend(request).targets.get(dimension, {})


def _of_target(request: Request, held: list[Any]) -> list[Any]:
    _, resource, dimension = _target(request)
    return [each for each in held if (each.resource_id, each.scalable_dimension) == (resource, dimension)]


def _no_target(request: Request) -> str | None:
    if _is_registered(request):
        return None
    namespace, resource, dimension = _target(request)
    return (
        f"No scalable target registered for service namespace: {namespace}, resource ID: {resource}, "
        f"scalable dimension: {dimension}"
    )


def _nothing_to_deregister(request: Request) -> str | None:
    if _is_registered(request):
        return None
    namespace, resource, dimension = _target(request)
    return (
        f"No scalable target found for service namespace: {namespace}, resource ID: {resource}, "
        f"scalable dimension: {dimension}"
    )


def _no_policy(request: Request) -> str | None:
    held = _of_target(request, list(backend(request).policies.values()))
    name = request.parameters.get("PolicyName")
    if any(policy.policy_name == name for policy in held):
        return None
    namespace, resource, dimension = _target(request)
    return (
        f"No scaling policy found for service namespace: {namespace}, resource ID: {resource}, "
        f"scalable dimension: {dimension}, policy name: {name}"
    )


def _no_scheduled_action(request: Request) -> str | None:
    held = _of_target(request, list(backend(request).scheduled_actions))
    name = request.parameters.get("ScheduledActionName")
    if any(action.scheduled_action_name == name for action in held):
        return None
    namespace, resource, dimension = _target(request)
    return (
        f"No scheduled action found for service namespace: {namespace}, resource ID: {resource}, "
        f"scalable dimension: {dimension}, scheduled action name: {name}"
    )


def _service_inactive(request: Request) -> str | None:
    """Moto refuses a service that it never had; AWS also one that was deleted."""
    namespace, resource, _ = _target(request)
    kind, _, name = resource.partition("/")
    if namespace != "ecs" or kind != "service":
        return None
    found = backend(request, "ecs").services.get(name.replace("/", ":", 1))
    return f"ECS service doesn't exist: {resource}" if found and found.status != "ACTIVE" else None


def _bounds(request: Request) -> str | None:
    asked = request.parameters.get("ScalableTargetAction") or request.parameters
    least, most = asked.get("MinCapacity"), asked.get("MaxCapacity")
    if least is not None and most is not None and least > most:
        return "Maximum capacity cannot be less than minimum capacity"
    return None


def _steps(request: Request) -> list[tuple[float, float]]:
    configuration = request.parameters.get("StepScalingPolicyConfiguration") or {}
    return sorted(
        (
            float(step.get("MetricIntervalLowerBound", -math.inf)),
            float(step.get("MetricIntervalUpperBound", math.inf)),
        )
        for step in configuration.get("StepAdjustments") or []
    )


def _pairs(request: Request) -> Iterator[tuple[float, float]]:
    """The end of each step with the start of the next one."""
    steps = _steps(request)
    return ((end, start) for (_, end), (start, _) in pairwise(steps))


def _gap(request: Request) -> str | None:
    if any(end < start for end, start in _pairs(request)):
        return "Step adjustment intervals cannot have gaps between them"
    return None


def _overlap(request: Request) -> str | None:
    if any(end > start for end, start in _pairs(request)):
        return "Step adjustment intervals cannot overlap"
    return None


def _too_many_steps(request: Request) -> str | None:
    if len(_steps(request)) > MOST_STEPS:
        return f"Scaling policies cannot have more than {MOST_STEPS} step adjustments."
    return None


def _too_many(request: Request) -> str | None:
    policy = request.operation == "PutScalingPolicy"
    held = backend(request).policies.values() if policy else backend(request).scheduled_actions
    names = {
        each.policy_name if policy else each.scheduled_action_name for each in _of_target(request, list(held))
    }
    names.add(str(request.parameters.get("PolicyName" if policy else "ScheduledActionName")))
    most = MOST_POLICIES if policy else MOST_SCHEDULED_ACTIONS
    if len(names) <= most:
        return None
    return f"Limit exceeded: a scalable target can have at most {most} {'scaling policies' if policy else 'scheduled actions'}."


def _no_schedule(request: Request) -> str | None:
    schedule = request.parameters.get("Schedule")
    if schedule is None or _SCHEDULE.fullmatch(schedule):
        return None
    return f"Invalid schedule expression: {schedule}"


def _metrics(request: Request) -> list[Any]:
    return list(request.parameters.get("Metrics") or [])


def _periods(request: Request) -> list[int]:
    own = [request.parameters.get("Period")]
    own += [item["MetricStat"].get("Period") for item in _metrics(request) if item.get("MetricStat")]
    return [int(period) for period in own if period is not None]


def _odd_period(request: Request) -> str | None:
    if all(period in (10, 20, 30) or (period > 0 and period % 60 == 0) for period in _periods(request)):
        return None
    return "Period must be 10, 20, 30 or a multiple of 60"


def _long_window(request: Request) -> str | None:
    evaluated = int(request.parameters.get("EvaluationPeriods") or 0)
    period = max(_periods(request), default=0)
    if period * evaluated <= (WEEK if period >= 3600 else DAY):
        return None
    return "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."


def _many_datapoints(request: Request) -> str | None:
    wanted = request.parameters.get("DatapointsToAlarm")
    if wanted is None or wanted <= request.parameters.get("EvaluationPeriods", wanted):
        return None
    return "DatapointsToAlarm must be less than or equal to EvaluationPeriods"


def _answers(request: Request) -> str | None:
    metrics = _metrics(request)
    if not metrics or sum(item.get("ReturnData", True) for item in metrics) == 1:
        return None
    return "Exactly one element of the metrics list should return data."


def _rule(name: str, operations: str, condition: str, code: str, page: str, refuses: Any) -> Rule:
    service = "cloudwatch" if page == _ALARM else "application-autoscaling"
    return Rule(
        name, tuple(f"{service}.{each}" for each in operations.split()), condition, code, page, refuses
    )


RULES = (
    _rule(
        "no_scalable_target", "PutScalingPolicy PutScheduledAction",
        "A policy or scheduled action of a scalable target that is not registered",
        "ObjectNotFoundException", f"{_API}/API_PutScalingPolicy.html", _no_target,
    ),
    _rule(
        "nothing_to_deregister", "DeregisterScalableTarget",
        "A scalable target that is not registered",
        "ObjectNotFoundException", f"{_API}/API_DeregisterScalableTarget.html", _nothing_to_deregister,
    ),
    _rule(
        "no_scaling_policy", "DeleteScalingPolicy",
        "A policy that does not exist; a target's policies go with it",
        "ObjectNotFoundException", f"{_API}/API_DeleteScalingPolicy.html", _no_policy,
    ),
    _rule(
        "no_scheduled_action", "DeleteScheduledAction",
        "A scheduled action that does not exist; a target's actions go with it",
        "ObjectNotFoundException", f"{_API}/API_DeleteScheduledAction.html", _no_scheduled_action,
    ),
    _rule(
        "scalable_target_of_a_deleted_service", "RegisterScalableTarget",
        "An ECS service that was deleted",
        "ValidationException", f"{_API}/API_RegisterScalableTarget.html", _service_inactive,
    ),
    _rule(
        "minimum_over_maximum", "RegisterScalableTarget PutScheduledAction",
        "A minimum above the maximum",
        "ValidationException", f"{_API}/API_RegisterScalableTarget.html", _bounds,
    ),
    _rule(
        "gap_between_steps", "PutScalingPolicy",
        "Step adjustments with a gap between them",
        "ValidationException", f"{_API}/API_StepAdjustment.html", _gap,
    ),
    _rule(
        "overlapping_steps", "PutScalingPolicy",
        "Step adjustments that overlap",
        "ValidationException", f"{_API}/API_StepAdjustment.html", _overlap,
    ),
    _rule(
        "too_many_steps", "PutScalingPolicy",
        f"More than {MOST_STEPS} step adjustments",
        "ValidationException", _QUOTAS, _too_many_steps,
    ),
    _rule(
        "too_many_of_a_target", "PutScalingPolicy PutScheduledAction",
        f"More than {MOST_POLICIES} policies or {MOST_SCHEDULED_ACTIONS} scheduled actions of one scalable target",
        "LimitExceededException", _QUOTAS, _too_many,
    ),
    _rule(
        "schedule_that_cannot_be_read", "PutScheduledAction",
        "A schedule that is none of cron(), at() and rate()",
        "ValidationException", f"{_API}/API_PutScheduledAction.html", _no_schedule,
    ),
    _rule(
        "period_of_an_alarm", "PutMetricAlarm",
        "A period other than 10, 20, 30 or a multiple of 60 seconds",
        "ValidationError", _ALARM, _odd_period,
    ),
    _rule(
        "window_of_an_alarm", "PutMetricAlarm",
        "An alarm that looks back for more than a day, or a week with periods of an hour or more",
        "ValidationError", _ALARM, _long_window,
    ),
    _rule(
        "datapoints_of_an_alarm", "PutMetricAlarm",
        "More datapoints to alarm than evaluation periods",
        "ValidationError", _ALARM, _many_datapoints,
    ),
    _rule(
        "metrics_that_answer", "PutMetricAlarm",
        "Metric queries of which not exactly one returns data",
        "ValidationError", _ALARM, _answers,
    ),
)  # fmt: skip
