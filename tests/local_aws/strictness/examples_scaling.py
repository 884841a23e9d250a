"""Examples of the rules about Application Auto Scaling and CloudWatch alarms, and of those about overlapping changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import TARGET, bucket, role, running, target

STEP = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}
ACTION: dict[str, Any] = {
    **TARGET,
    "ScheduledActionName": "start",
    "Schedule": "cron(0 20 ? * FRI *)",
    "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 1},
}


def policy(steps: Sequence[Mapping[str, Any]], name: str = "demand") -> dict[str, Any]:
    """Arguments of a step policy."""
    return {
        **TARGET,
        "PolicyName": name,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ExactCapacity",
            "StepAdjustments": list(steps),
            "Cooldown": 0,
            "MetricAggregationType": "Minimum",
        },
    }


def steps(*bounds: tuple[float, float]) -> list[dict[str, Any]]:
    """Step adjustments from and to."""
    return [
        {"MetricIntervalLowerBound": first, "MetricIntervalUpperBound": last, "ScalingAdjustment": 1}
        for first, last in bounds
    ]


def scaled(method: str, arguments: Mapping[str, Any], text: str, prepare: Any = target) -> Example:
    """A request to Application Auto Scaling that it refuses."""
    return Example("application-autoscaling", method, arguments, text, prepare)


def alarm(text: str, **changes: Any) -> Example:
    """An alarm that CloudWatch refuses."""
    arguments = {
        "AlarmName": "demand",
        "Namespace": "Scythe",
        "MetricName": "Demand",
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **changes,
    }
    return Example("cloudwatch", "put_metric_alarm", arguments, text)


def query(name: str) -> dict[str, Any]:
    """A metric query that returns data."""
    metric = {"Namespace": "Scythe", "MetricName": name}
    return {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}


def _deleted(aws: InProcess) -> None:
    running(aws)
    aws.client("ecs").delete_service(cluster="workers", service="leaf", force=True)


def _full(aws: InProcess) -> None:
    target(aws)
    client = aws.client("application-autoscaling")
    for number in range(50):
        client.put_scaling_policy(**policy([STEP], f"policy-{number}"))


def _event_rule(aws: InProcess) -> str:
    aws.client("events").put_rule(Name="daily", ScheduleExpression="rate(1 day)")
    return "daily"


def _log_group(aws: InProcess) -> None:
    aws.client("logs").create_log_group(logGroupName="/scythe/leaf")


RECORD = {"Name": "a.example.org", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
GROUP = "AutoScalingGroupName"
TARGETS = [{"Id": "one", "Arn": "arn:aws:sns:us-east-1:123456789012:topic"}]

SCALING_EXAMPLES: Mapping[str, Example] = {
    "no_scalable_target": scaled(
        "put_scaling_policy",
        policy([STEP]),
        "No scalable target registered for service namespace: ecs",
        running,
    ),
    "nothing_to_deregister": scaled(
        "deregister_scalable_target", TARGET, "No scalable target found for service namespace: ecs", running
    ),
    "no_scaling_policy": scaled(
        "delete_scaling_policy", {**TARGET, "PolicyName": "gone"}, "No scaling policy found"
    ),
    "no_scheduled_action": scaled(
        "delete_scheduled_action", {**TARGET, "ScheduledActionName": "gone"}, "No scheduled action found"
    ),
    "scalable_target_of_a_deleted_service": scaled(
        "register_scalable_target",
        {**TARGET, "MinCapacity": 0, "MaxCapacity": 1},
        "ECS service doesn't exist",
        _deleted,
    ),
    "minimum_over_maximum": scaled(
        "register_scalable_target",
        {**TARGET, "MinCapacity": 2, "MaxCapacity": 1},
        "Maximum capacity cannot be less than minimum capacity",
    ),
    "gap_between_steps": scaled(
        "put_scaling_policy", policy(steps((0, 1), (2, 3))), "Step adjustment intervals cannot have gaps"
    ),
    "overlapping_steps": scaled(
        "put_scaling_policy", policy(steps((0, 2), (1, 3))), "Step adjustment intervals cannot overlap"
    ),
    "too_many_steps": scaled(
        "put_scaling_policy",
        policy(steps(*((number, number + 1) for number in range(21)))),
        "more than 20 step adjustments",
    ),
    "too_many_of_a_target": scaled(
        "put_scaling_policy", policy([STEP], "one-more"), "at most 50 scaling policies", _full
    ),
    "schedule_that_cannot_be_read": scaled(
        "put_scheduled_action", {**ACTION, "Schedule": "0 20 * * FRI"}, "Invalid schedule expression"
    ),
    "period_of_an_alarm": alarm("Period must be 10, 20, 30 or a multiple of 60", Period=45),
    "window_of_an_alarm": alarm("Metrics cannot be checked across more than a day", EvaluationPeriods=8641),
    "datapoints_of_an_alarm": alarm("DatapointsToAlarm must be less than or equal", DatapointsToAlarm=2),
    "metrics_that_answer": Example(
        "cloudwatch",
        "put_metric_alarm",
        {
            "AlarmName": "missing",
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Metrics": [query("Demand"), query("Running")],
        },
        "Exactly one element of the metrics list should return data.",
    ),
    "overlapping_changes_of_a_scalable_target": Example(
        "application-autoscaling",
        "put_scheduled_action",
        ACTION,
        "You already have a pending update to an Auto Scaling resource.",
        target,
        (("application-autoscaling", "put_scaling_policy", policy([STEP])),),
    ),
    "overlapping_changes_of_an_event_rule": Example(
        "events",
        "put_targets",
        {"Rule": "daily", "Targets": TARGETS},
        "There is concurrent modification",
        _event_rule,
        (("events", "put_targets", {"Rule": "daily"}),),
    ),
    "overlapping_changes_of_a_log_group": Example(
        "logs",
        "put_retention_policy",
        {"logGroupName": "/scythe/leaf", "retentionInDays": 3},
        "A conflicting operation is currently in progress",
        _log_group,
        (("logs", "delete_log_group", {"logGroupName": "/scythe/leaf"}),),
    ),
    "overlapping_changes_of_a_role": Example(
        "iam",
        "delete_role",
        {"RoleName": "task"},
        "Multiple requests to change this object were submitted simultaneously.",
        role,
        (("iam", "tag_role", {"RoleName": "task"}),),
    ),
    "overlapping_record_changes": Example(
        "route53",
        "change_resource_record_sets",
        {
            "HostedZoneId": "Z1",
            "ChangeBatch": {"Changes": [{"Action": "CREATE", "ResourceRecordSet": RECORD}]},
        },
        "still processing a prior request",
        beside=(("route53", "change_resource_record_sets", {"HostedZoneId": "Z1"}),),
    ),
    "overlapping_changes_of_a_bucket": Example(
        "s3",
        "put_bucket_versioning",
        {"Bucket": "results", "VersioningConfiguration": {"Status": "Enabled"}},
        "A conflicting conditional operation is currently in progress",
        bucket,
        (("s3", "put_bucket_policy", {"Bucket": "results"}),),
    ),
    "overlapping_changes_of_an_autoscaling_group": Example(
        "autoscaling",
        "update_auto_scaling_group",
        {GROUP: "nat"},
        "You already have a pending update to an Amazon EC2 Auto Scaling resource",
        beside=(("autoscaling", "start_instance_refresh", {GROUP: "nat"}),),
    ),
}
