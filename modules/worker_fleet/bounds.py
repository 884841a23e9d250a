"""Between how many tasks a fleet's autoscaler chooses, and when it is others."""

from __future__ import annotations

from functools import partial
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.appautoscaling_scheduled_action import (
    AppautoscalingScheduledAction,
    AppautoscalingScheduledActionScalableTargetAction,
)
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
from constructs import Construct

from modules.worker_fleet.scaling import MOST_SCHEDULES, Scaling, Schedule
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Exists, Expression, number, ref, text, where
from synthesis.functions import choose, length
from synthesis.lists import at_place
from synthesis.stack import Label

DIMENSION = "ecs:service:DesiredCount"


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
        runs: bool,
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
            min_capacity=number(self._held(own.min)),
            max_capacity=number(self._held(own.max)),
            tags=label.tagged(),
        )
        self.target: Expression = ref(target)

    def schedule(self, *, after: ITerraformDependable | None) -> None:
        """Make the scheduled actions, one after the other: the start and the end of the first schedule, and so on.

        Instances of one resource are made at once, so each schedule has resources of its own, by its place in the
        list; the names say the place too, so another schedule there is an update.

        Args:
            after: the target's last policy: Application Auto Scaling refuses a change of a target while another is
                pending (Application Auto Scaling API Reference, ``ConcurrentUpdateException``), and the provider
                does not try again (terraform-provider-aws, ``internal/service/appautoscaling/scheduled_action.go``).
        """
        for place in range(MOST_SCHEDULES):
            last = where(length(self._own.schedule) > place, partial(self._schedule_one, place, after))
            after = last or after

    def _schedule_one(
        self, place: int, after: ITerraformDependable | None, exists: Exists
    ) -> ITerraformDependable:
        own, item = self._own, at_place(self._own.schedule, place)
        start = self._action("start", place, item, item, after, exists)
        return self._action("end", place, item, own, start, exists)

    def _held(self, bound: int) -> Any:
        return choose(self._runs, bound, 0)

    def _action(
        self, moment: str, place: int, item: Schedule, bounds: Schedule | Scaling,
        after: ITerraformDependable | None, exists: Exists,
    ) -> AppautoscalingScheduledAction:  # fmt: skip
        return AppautoscalingScheduledAction(
            self,
            f"{moment}_{place + 1}" if place else moment,
            count=exists.count,
            name=f"{moment} {place + 1}",
            service_namespace=text(self.target.service_namespace),
            scalable_dimension=text(self.target.scalable_dimension),
            resource_id=text(self.target.resource_id),
            schedule=getattr(item, moment),
            timezone=item.timezone,
            scalable_target_action=AppautoscalingScheduledActionScalableTargetAction(
                min_capacity=f"{self._held(bounds.min)}", max_capacity=f"{self._held(bounds.max)}"
            ),
            depends_on=None if after is None else [after],
        )
