"""Between how many tasks a fleet's autoscaler chooses, and when it is others."""

from __future__ import annotations

from cdktf import ITerraformDependable, ITerraformIterator
from cdktf_cdktf_provider_aws.appautoscaling_scheduled_action import (
    AppautoscalingScheduledAction,
    AppautoscalingScheduledActionScalableTargetAction,
)
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
from constructs import Construct

from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Expression, each, number, ref, text
from synthesis.stack import Label

DIMENSION = "ecs:service:DesiredCount"
NOT_IN_NAMES = '"/[:|/]/"'
"""What a scheduled action's name may not hold (Application Auto Scaling API, ``ScheduledActionName``)."""


class Bounds(Construct):
    """The scalable target of a fleet's service, and a pair of scheduled actions for each of its schedules.

    A scheduled action changes the target until another does: while a schedule lasts, a plan shows the target
    going back to the fleet's own bounds.

    Args:
        runs: whether the fleet may run tasks; all bounds are 0 otherwise.

    Attributes:
        target: the scalable target.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: FleetSettings,
        cluster_name: Expression,
        service_name: Expression,
        runs: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._runs, self._own = runs, settings.scaling
        own = self._own
        target = AppautoscalingTarget(
            self,
            "Target",
            service_namespace="ecs",
            scalable_dimension=DIMENSION,
            resource_id=f"service/{text(cluster_name)}/{text(service_name)}",
            min_capacity=self._held(own.min),
            max_capacity=self._held(own.max),
            tags=label.tagged(),
        )
        self.target: Expression = ref(target)

    def schedule(self, *, after: ITerraformDependable | None) -> None:
        """Make the scheduled actions: the starts, then the ends.

        Args:
            after: the target's last policy: Application Auto Scaling refuses a change of a target while another is
                pending (Application Auto Scaling API Reference, ``ConcurrentUpdateException``).
        """
        own = self._own
        by_start = each(f'{{ for item in {own.schedule} : "${{item.start}} ${{item.timezone}}" => item }}')
        starts = self._schedule("start", by_start, "each.value.min", "each.value.max", after)
        self._schedule("end", by_start, own.min, own.max, starts)

    def _held(self, bound: object) -> float:
        return number(f"{self._runs} ? {bound} : 0")

    def _schedule(
        self, moment: str, schedules: ITerraformIterator, least: object, most: object,
        after: ITerraformDependable | None,
    ) -> AppautoscalingScheduledAction:  # fmt: skip
        return AppautoscalingScheduledAction(
            self,
            moment,
            for_each=schedules,
            name=f'{moment} ${{replace(each.key, {NOT_IN_NAMES}, "-")}}',
            service_namespace=text(self.target.service_namespace),
            scalable_dimension=text(self.target.scalable_dimension),
            resource_id=text(self.target.resource_id),
            schedule=f"${{each.value.{moment}}}",
            timezone="${each.value.timezone}",
            scalable_target_action=AppautoscalingScheduledActionScalableTargetAction(
                min_capacity=text(f"{self._runs} ? {least} : 0"),
                max_capacity=text(f"{self._runs} ? {most} : 0"),
            ),
            depends_on=None if after is None else [after],
        )
