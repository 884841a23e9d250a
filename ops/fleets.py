"""The fleets as they are deployed: whether they may run, and between which bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.exceptions import ClientError

from environments.schema import Environment
from modules.worker_fleet.scaling import Scaling
from modules.worker_fleet.settings import FleetSettings
from ops.aws import Caller, code

NO_IMAGE_TAG = "none-pushed-yet"
"""The tag that a task definition names while there is no image (``modules/worker_fleet/worker_fleet.py``)."""


@dataclass(frozen=True)
class Fleet:
    """What has become of one fleet.

    Attributes:
        name: the fleet's.
        waits_for: what is missing before it runs tasks: ``image``, ``deploy``, both or nothing.
        bounds: the fewest and the most tasks that it may run now.
    """

    name: str
    waits_for: tuple[str, ...]
    bounds: tuple[int, int] = (0, 0)


class Fleets:
    """An environment's fleets in AWS."""

    def __init__(self, caller: Caller, environment: Environment) -> None:
        self._environment = environment
        self._cluster = f"{environment.name}-workers"
        self._ecs = caller.session.client("ecs")
        self._autoscaling = caller.session.client("application-autoscaling")

    def start(self) -> list[Fleet]:
        """Give each fleet that waited for a token, and has an image, the bounds that Terraform would plan next.

        Those are the ones of `modules.worker_fleet.bounds` once the token is stored. A fleet whose deployed task
        definition has no image keeps its 0: its tasks could not start.
        """
        return [self._start(name, fleet) for name, fleet in self._environment.workers.items()]

    def _start(self, name: str, fleet: FleetSettings) -> Fleet:
        has_image = self._environment.image_of(fleet) is not None
        deployed = self._deployed_image(name)
        if deployed is None or not has_image or deployed.endswith(f":{NO_IMAGE_TAG}"):
            return Fleet(name, ("deploy",) if has_image else ("image", "deploy"))
        resource = f"service/{self._cluster}/{name}"
        bounds = self._bounds(resource)
        if bounds is None:
            return Fleet(name, ("deploy",))
        if bounds != (0, 0):
            # It waited for nothing; a schedule may have changed them, which must last.
            return Fleet(name, (), bounds)
        complete = self._raise(resource, fleet.scaling)
        return Fleet(name, () if complete else ("deploy",), (fleet.scaling.min, fleet.scaling.max))

    def _deployed_image(self, name: str) -> str | None:
        """The image of the service's task definition; None where there is no service."""
        try:
            services = self._ecs.describe_services(cluster=self._cluster, services=[name])["services"]
        except ClientError as error:
            if code(error) == "ClusterNotFoundException":
                return None
            raise
        active = [service for service in services if service["status"] == "ACTIVE"]
        if not active:
            return None
        task = self._ecs.describe_task_definition(taskDefinition=active[0]["taskDefinition"])
        return task["taskDefinition"]["containerDefinitions"][0]["image"]

    def _bounds(self, resource: str) -> tuple[int, int] | None:
        """The bounds of the scalable target; None where there is none."""
        answer = self._autoscaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])
        targets = answer["ScalableTargets"]
        return (targets[0]["MinCapacity"], targets[0]["MaxCapacity"]) if targets else None

    def _raise(self, resource: str, scaling: Scaling) -> bool:
        """Set the bounds of the target and of its scheduled actions; whether all of the actions are deployed."""
        self._autoscaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=resource,
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=scaling.min,
            MaxCapacity=scaling.max,
        )
        deployed = self._scheduled_actions(resource)
        wanted = _scheduled_bounds(scaling)
        for name in deployed & wanted.keys():
            least, most, when, timezone = wanted[name]
            self._autoscaling.put_scheduled_action(
                ServiceNamespace="ecs",
                ResourceId=resource,
                ScalableDimension="ecs:service:DesiredCount",
                ScheduledActionName=name,
                Schedule=when,
                Timezone=timezone,
                ScalableTargetAction={"MinCapacity": least, "MaxCapacity": most},
            )
        return deployed == wanted.keys()

    def _scheduled_actions(self, resource: str) -> set[str]:
        pages = self._autoscaling.get_paginator("describe_scheduled_actions").paginate(
            ServiceNamespace="ecs", ResourceId=resource
        )
        return {action["ScheduledActionName"] for page in pages for action in page["ScheduledActions"]}


def _scheduled_bounds(scaling: Scaling) -> dict[str, tuple[int, int, str, str]]:
    """Least, most, when and time zone of each scheduled action, by its name in `modules.worker_fleet.bounds`."""
    actions = {}
    for item in scaling.schedule:
        key = re.sub(r"[:|/]", "-", item.start)
        actions[f"start {key}"] = (item.min, item.max, item.start, item.timezone)
        actions[f"end {key}"] = (scaling.min, scaling.max, item.end, item.timezone)
    return actions
