"""From nothing to its demand in one step, down with it, and to nothing after a quiet time: a fleet's policies.

Every policy sets an exact number of tasks, so no order of alarms adds up, and a repeated action changes nothing.
Application Auto Scaling keeps to the target's bounds, whatever a step says (Application Auto Scaling User Guide,
"How step scaling for Application Auto Scaling works"). What it stops are idle workers: those that have a task are
protected (`scythe_worker`).
"""

from __future__ import annotations

from functools import partial

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicy,
    AppautoscalingPolicyStepScalingPolicyConfiguration,
    AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment,
)
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from constructs import Construct

from modules.common.metrics import DEMAND, BacklogMetrics
from modules.worker_fleet.bands import RANGES, Range
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Exists, Expression, number, shared, text, where
from synthesis.lists import collect, largest, smallest
from synthesis.stack import Label

SECONDS = 10
"""The period of the alarms of a fleet's demand, the shortest that there is (Amazon CloudWatch API Reference,
``PutMetricAlarm``)."""

Step = AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment


class ExactPolicy(Construct):
    """A step policy that sets exact numbers of tasks.

    Args:
        after: the policy of the same target before it: Application Auto Scaling refuses a change of a target while
            another is pending (Application Auto Scaling API Reference, ``ConcurrentUpdateException``), and the
            provider does not try again (terraform-provider-aws, issue 17915).

    Attributes:
        arn: of the policy.
        resource: what the next one comes after.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        target: Expression,
        steps: list[Step],
        exists: Exists,
        after: ITerraformDependable | None = None,
    ) -> None:
        super().__init__(scope, id_)
        policy = AppautoscalingPolicy(
            self,
            "Policy",
            count=exists.count,
            name=id_.replace("_", "-"),
            policy_type="StepScaling",
            service_namespace=text(target.service_namespace),
            scalable_dimension=text(target.scalable_dimension),
            resource_id=text(target.resource_id),
            step_scaling_policy_configuration=AppautoscalingPolicyStepScalingPolicyConfiguration(
                adjustment_type="ExactCapacity",
                # Each step is where the fleet is to be: there is nothing to wait for.
                cooldown=0,
                metric_aggregation_type="Minimum",
                step_adjustment=steps,
            ),
            depends_on=None if after is None else [after],
        )
        self.resource: ITerraformDependable = policy
        self.arn: Expression = exists.ref(policy).arn


class Autoscaling(Construct):
    """A fleet's alarms, each with a policy.

    One is for each range of demands below the fleet's maximum, one for the maximum and all above, and one for
    nothing to do.

    Missing metrics change nothing: the alarms of demands act on data alone, and the quiet one keeps its state.

    Costs: $0.30 a month for each alarm, which are all of ten seconds (Amazon CloudWatch pricing): $0.90 for a maximum
    of up to 11 tasks, $1.20 up to 104, $1.50 up to 722, $1.80 beyond.

    Args:
        target: the scalable target.

    Attributes:
        last: the policy that is made last.
    """

    def __init__(
        self, scope: Construct, id_: str, *, label: Label, fleet: str, settings: FleetSettings, target: Expression
    ) -> None:  # fmt: skip
        super().__init__(scope, id_)
        self._label, self._fleet, self._target = label, fleet, target
        self._metrics = BacklogMetrics.of(label)
        self.last: ITerraformDependable | None = None
        scaling = settings.scaling
        most = largest(scaling.max, collect(scaling.schedule, lambda item: item.max))
        self._most = shared(self, "most_tasks", most)
        for part in RANGES:
            where(self._most > part.first, partial(self._follow, part))
        where(self._most > 0, self._fill)
        where(self._most > 0, partial(self._rest, scaling.quiet_minutes))

    def _follow(self, part: Range, exists: Exists) -> None:
        """Set the tasks of the demand's band, while it is within a range."""
        policy = self._policy(f"demand_from_{part.first}", _steps(part), exists)
        end = self._most if part is RANGES[-1] else smallest(part.last + 1, [self._most])
        CloudwatchMetricAlarm(
            policy,
            "Alarm",
            count=exists.count,
            alarm_name=self._name(f"demand-from-{part.first}"),
            alarm_description=f"{self._fleet} has work for {part.first} tasks or more",
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=part.first,
            evaluation_periods=1,
            treat_missing_data="missing",
            alarm_actions=[text(policy.arn)],
            metric_query=[
                CloudwatchMetricAlarmMetricQuery(
                    id="demand",
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        namespace=self._metrics.namespace,
                        metric_name=DEMAND,
                        dimensions=self._metrics.dimensions(self._fleet),
                        period=SECONDS,
                        stat="Maximum",
                    ),
                ),
                # In ALARM within the range alone, or it would repeat its action against the next range's.
                CloudwatchMetricAlarmMetricQuery(
                    id="within",
                    label="Demand within the range",
                    expression=f"IF(demand < {end}, demand, 0)",
                    return_data=True,
                ),
            ],
            tags=self._label.tagged(),
        )

    def _fill(self, exists: Exists) -> None:
        """Set the most tasks, at a demand of as many or more."""
        steps = [Step(metric_interval_lower_bound="0", scaling_adjustment=number(self._most))]
        policy = self._policy("demand_of_all", steps, exists)
        CloudwatchMetricAlarm(
            policy,
            "Alarm",
            count=exists.count,
            alarm_name=self._name("demand-of-all"),
            alarm_description=f"{self._fleet} has work for all of its tasks",
            namespace=self._metrics.namespace,
            metric_name=DEMAND,
            dimensions=self._metrics.dimensions(self._fleet),
            period=SECONDS,
            statistic="Maximum",
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=number(self._most),
            evaluation_periods=1,
            treat_missing_data="missing",
            alarm_actions=[text(policy.arn)],
            tags=self._label.tagged(),
        )

    def _rest(self, minutes: int, exists: Exists) -> None:
        """Set no tasks, or the target's fewest, after minutes without demand."""
        steps = [Step(metric_interval_upper_bound="0", scaling_adjustment=0)]
        policy = self._policy("no_demand", steps, exists)
        CloudwatchMetricAlarm(
            policy,
            "Alarm",
            count=exists.count,
            alarm_name=self._name("no-demand"),
            alarm_description=f"{self._fleet} has nothing to do",
            namespace=self._metrics.namespace,
            metric_name=DEMAND,
            dimensions=self._metrics.dimensions(self._fleet),
            # As often as those of demands: an alarm on whole minutes would hold on to the quiet before a wake, and
            # undo it. 60 minutes are 3,600 of the 86,400 seconds that it may look back (Amazon CloudWatch API
            # Reference, PutMetricAlarm).
            period=SECONDS,
            statistic="Maximum",
            comparison_operator="LessThanOrEqualToThreshold",
            threshold=0,
            evaluation_periods=number(minutes * (60 // SECONDS)),
            # Else a single zero before the metrics end would stop the fleet (Amazon CloudWatch User Guide,
            # "Configuring how CloudWatch alarms treat missing data", the table's row - - X - -).
            treat_missing_data="ignore",
            alarm_actions=[text(policy.arn)],
            tags=self._label.tagged(),
        )

    def _policy(self, name: str, steps: list[Step], exists: Exists) -> ExactPolicy:
        """A policy that is made after the one before it, and ends before that."""
        policy = ExactPolicy(self, name, target=self._target, steps=steps, exists=exists, after=self.last)
        self.last = policy.resource
        return policy

    def _name(self, what: str) -> str:
        return f"{text(self._label.name)}-{self._fleet}-{what}"


def _steps(part: Range) -> list[Step]:
    """A step for each band, its bounds counted from the range's first demand; the last is open above."""
    ends = [str(band.tasks + 1 - part.first) for band in part.bands[:-1]]
    return [
        Step(
            metric_interval_lower_bound=str(band.first - part.first),
            metric_interval_upper_bound=end,
            scaling_adjustment=band.tasks,
        )
        for band, end in zip(part.bands, [*ends, None], strict=True)
    ]
