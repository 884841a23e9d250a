"""The alarm on a backlog service that publishes nothing."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from constructs import Construct

from modules.backlog.settings import NAME
from modules.common.metrics import DEMAND, BacklogMetrics
from synthesis.expression import flag, text
from synthesis.stack import Label
from synthesis.suppression import suppress

MINUTES = 5
"""Minutes without a publication after which the alarm tells. The service publishes at least once a minute
(`scythe_worker.pace`)."""


def warn_of_silence(scope: Construct, *, label: Label, fleet: str, runs: bool, topic_arns: list[str]) -> None:
    """Create the alarm. Each publication has all fleets, so one stands for all.

    Args:
        scope: the backlog service.
        label: what names and tags the alarm.
        fleet: the name of one of the fleets.
        runs: whether the service runs a task.
        topic_arns: the SNS topics to tell.
    """
    metrics, name = BacklogMetrics.of(label), text(label.name)
    alarm = CloudwatchMetricAlarm(
        scope,
        "silent",
        alarm_name=f"{name}-{NAME}-silent",
        alarm_description=f"The backlog service has published nothing for {MINUTES} minutes. Fleets keep their tasks "
        f"and none can wake until it does. If the service {NAME} in the workers' cluster has no running task "
        "and its events say that Spot capacity is unavailable, set backlog.spot to false and deploy. Otherwise see the "
        f"log group /scythe/{name}/{NAME}.",
        namespace=metrics.namespace,
        metric_name=DEMAND,
        dimensions=metrics.dimensions(fleet),
        statistic="SampleCount",
        period=60,
        comparison_operator="LessThanThreshold",
        threshold=1,
        evaluation_periods=MINUTES,
        treat_missing_data="breaching",
        # Without an image or a token nobody expects it to speak.
        actions_enabled=flag(runs),
        alarm_actions=topic_arns,
        ok_actions=topic_arns,
        tags=label.tagged(),
    )
    suppress(
        alarm,
        {
            "CKV_AWS_319": "observability.alarm_email gives it somebody to tell, an image and a token what to miss"
        },
    )
