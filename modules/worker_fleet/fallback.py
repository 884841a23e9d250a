"""On-demand tasks in place of the Spot tasks that Fargate has no capacity for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from cdktf_cdktf_provider_aws.ecs_service import EcsService, EcsServiceCapacityProviderStrategy
from constructs import Construct

from modules.common.metrics import DEMAND, BacklogMetrics
from modules.worker_fleet.autoscaling import ExactPolicy, Step
from modules.worker_fleet.bands import SHORTFALL
from modules.worker_fleet.bounds import DIMENSION
from modules.worker_fleet.scaling import FALLBACK
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Exists, Expression, number, shared, text
from synthesis.functions import attempt, choose
from synthesis.lists import collect, largest, smallest
from synthesis.stack import Label

LATE = 2
"""Minutes, the newest, for which ECS's count may not have come yet while the demand has: to the alarm no task runs
then, so it asks for the others alone that nothing is missing."""

MakeService = Callable[[Construct, str, list[EcsServiceCapacityProviderStrategy], float | None], EcsService]
"""Makes a service of the fleet's: scope, name, capacity, count."""


class Fallback(Construct):
    """A second service of the same tasks, ``<fleet>-on-demand``, driven by what the first one lacks.

    Where Fargate has no Spot capacity, ECS starts fewer tasks than it is told to and goes on trying (Amazon ECS
    Developer Guide, "Amazon ECS clusters for Fargate", "Fargate Spot termination notices"). A change of the service's
    weights would deploy it anew; so what is missing for some minutes runs here, and ends, protected while it works,
    once the Spot tasks are there.

    Missing is the demand, up to the fleet's own maximum (the least of its schedules'), without the Spot tasks that run: their number is the sample
    count of the service's CPU metric, of which there is none while no task runs (Amazon ECS Developer Guide,
    "Service RUNNING task count").

    Costs: Fargate's on-demand price for the tasks that stand in, about three times Spot's; $0.40 a month for the
    alarms.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        fleet: str,
        settings: FleetSettings,
        exists: Exists,
        cluster_name: Expression,
        runs: bool,
        make_service: MakeService,
    ) -> None:
        """Make the service, its scalable target, and the two alarms with their policies.

        Args:
            scope: the fleet.
            id_: its place there.
            label: what names and tags them.
            fleet: the fleet's name.
            settings: the fleet's.
            exists: where it has a fallback.
            cluster_name: where it runs.
            runs: whether the fleet may run tasks; the maximum is 0 otherwise.
            make_service: makes the service as the fleet's own is.
        """
        super().__init__(scope, id_)
        self._label, self._fleet, self._cluster_name, self._exists = label, fleet, cluster_name, exists
        scaling = settings.scaling
        fallback: Any = settings.capacity.fallback
        # A schedule may hold the fleet at fewer: what it may not have is not missing.
        most = smallest(scaling.max, collect(scaling.schedule, lambda item: item.max))
        self._most = shared(self, "most_spot_tasks", most)
        self._minutes = attempt(lambda: fallback.minutes, otherwise=1)
        strategy = EcsServiceCapacityProviderStrategy(capacity_provider="FARGATE", weight=1, base=0)
        service = make_service(self, f"{fleet}{FALLBACK}", [strategy], exists.count)
        target = AppautoscalingTarget(
            self,
            "Target",
            count=exists.count,
            service_namespace="ecs",
            scalable_dimension=DIMENSION,
            resource_id=f"service/{text(cluster_name)}/{text(exists.ref(service).name)}",
            min_capacity=0,
            max_capacity=number(choose(runs, attempt(lambda: fallback.max, otherwise=0), 0)),
            tags=label.tagged(),
        )
        steps = [
            Step(
                metric_interval_lower_bound=str(tasks - 1),
                metric_interval_upper_bound=None if following is None else str(following - 1),
                scaling_adjustment=tasks,
            )
            for tasks, following in zip(SHORTFALL, [*SHORTFALL[1:], None], strict=True)
        ]
        missing = self._alarm(
            "missing", exists.ref(target), steps, "GreaterThanOrEqualToThreshold", 1, "lacks Spot tasks"
        )
        self._alarm(
            "back",
            exists.ref(target),
            [Step(metric_interval_upper_bound="0", scaling_adjustment=0)],
            "LessThanOrEqualToThreshold",
            0,
            "has all of its Spot tasks",
            late=LATE,
            after=missing.resource,
        )

    def _alarm(
        self, name: str, target: Expression, steps: list[Step], operator: str, threshold: int, what: str,
        *, late: int = 0, after: ITerraformDependable | None = None,
    ) -> ExactPolicy:  # fmt: skip
        policy = ExactPolicy(
            self, f"spot_{name}", target=target, steps=steps, exists=self._exists, after=after
        )
        CloudwatchMetricAlarm(
            policy,
            "Alarm",
            count=self._exists.count,
            alarm_name=f"{text(self._label.name)}-{self._fleet}-spot-{name}",
            alarm_description=f"{self._fleet} {what}",
            comparison_operator=operator,
            threshold=threshold,
            evaluation_periods=number(self._minutes),
            # Of a service without the fallback no alarm is made, and a number must be 1 or more all the same.
            datapoints_to_alarm=number(largest(1, [self._minutes - late])) if late else None,
            treat_missing_data="ignore",
            alarm_actions=[text(policy.arn)],
            metric_query=self._shortfall(),
            tags=self._label.tagged(),
        )
        return policy

    def _shortfall(self) -> list[CloudwatchMetricAlarmMetricQuery]:
        metrics = BacklogMetrics.of(self._label)
        demand = CloudwatchMetricAlarmMetricQueryMetric(
            namespace=metrics.namespace,
            metric_name=DEMAND,
            dimensions=metrics.dimensions(self._fleet),
            period=60,
            # Of a fleet that ends the demand is ahead of the tasks, and nothing is missing.
            stat="Minimum",
        )
        running = CloudwatchMetricAlarmMetricQueryMetric(
            namespace="AWS/ECS",
            metric_name="CPUUtilization",
            dimensions={"ClusterName": text(self._cluster_name), "ServiceName": self._fleet},
            period=60,
            stat="SampleCount",
        )
        expression = f"IF(demand < {self._most}, demand, {self._most}) - FILL(running, 0)"
        return [
            CloudwatchMetricAlarmMetricQuery(id="demand", metric=demand),
            CloudwatchMetricAlarmMetricQuery(id="running", metric=running),
            CloudwatchMetricAlarmMetricQuery(
                id="missing", label="Missing Spot tasks", expression=expression, return_data=True
            ),
        ]
