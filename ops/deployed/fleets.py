"""The fleets as they are deployed: whether they may run, and between which bounds; and what wakes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from environments.schema import Environment
from modules.backlog.settings import NAME as BACKLOG
from modules.worker_fleet.scaling import Scaling
from modules.worker_fleet.settings import NO_IMAGE_TAG, FleetSettings
from ops.deployed.aws import Caller
from ops.deployed.services import active_services

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling.type_defs import ScheduledActionTypeDef
    from mypy_boto3_ecs.type_defs import ServiceTypeDef


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
        self._cloudwatch = caller.session.client("cloudwatch")

    def start(self) -> list[Fleet]:
        """Give each fleet that waited for a token, and has an image, the bounds that Terraform would plan next.

        Those are the ones of `modules.worker_fleet.bounds` once the token is stored. A fleet whose deployed task
        definition has no image keeps its 0: its tasks could not start.
        """
        fleets = [self._start(name, fleet) for name, fleet in self._environment.workers.items()]
        self._start_backlog()
        return fleets

    def _start_backlog(self) -> None:
        """Start the service that wakes the fleets, as `modules.backlog` does once the token is stored."""
        deployed = self._deployed(BACKLOG)
        if deployed is None or self._image(deployed).endswith(f":{NO_IMAGE_TAG}"):
            return
        if deployed["desiredCount"] == 0:
            self._ecs.update_service(cluster=self._cluster, service=BACKLOG, desiredCount=1)
        self._cloudwatch.enable_alarm_actions(AlarmNames=[f"{self._environment.name}-{BACKLOG}-silent"])

    def _start(self, name: str, fleet: FleetSettings) -> Fleet:
        has_image = self._environment.image_of(fleet) is not None
        deployed = self._deployed(name)
        if deployed is None or not has_image or self._image(deployed).endswith(f":{NO_IMAGE_TAG}"):
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

    def _deployed(self, name: str) -> ServiceTypeDef | None:
        """A service of the cluster; None where there is none."""
        return active_services(self._ecs, self._cluster, [name]).get(name)

    def _image(self, service: ServiceTypeDef) -> str:
        """The image of a service's task definition."""
        task = self._ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        return task["taskDefinition"]["containerDefinitions"][0]["image"]

    def _bounds(self, resource: str) -> tuple[int, int] | None:
        """The bounds of the scalable target; None where there is none."""
        answer = self._autoscaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])
        targets = answer["ScalableTargets"]
        return (targets[0]["MinCapacity"], targets[0]["MaxCapacity"]) if targets else None

    def _raise(self, resource: str, scaling: Scaling) -> bool:
        """Set the bounds of the target and of its scheduled actions; whether all of the actions are deployed.

        The target comes last: while its bounds are 0, a command that was cut off can be repeated.
        """
        wanted = _scheduled_bounds(scaling)
        deployed = {_moment(action): action for action in self._scheduled_actions(resource)}
        for moment in deployed.keys() & wanted.keys():
            least, most = wanted[moment]
            self._autoscaling.put_scheduled_action(
                ServiceNamespace="ecs",
                ResourceId=resource,
                ScalableDimension="ecs:service:DesiredCount",
                ScheduledActionName=deployed[moment]["ScheduledActionName"],
                Schedule=moment.schedule,
                Timezone=moment.timezone,
                ScalableTargetAction={"MinCapacity": least, "MaxCapacity": most},
            )
        self._autoscaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=resource,
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=scaling.min,
            MaxCapacity=scaling.max,
        )
        return deployed.keys() == wanted.keys()

    def _scheduled_actions(self, resource: str) -> list[ScheduledActionTypeDef]:
        pages = self._autoscaling.get_paginator("describe_scheduled_actions").paginate(
            ServiceNamespace="ecs", ResourceId=resource
        )
        return [action for page in pages for action in page["ScheduledActions"]]


class _Moment(NamedTuple):
    """What tells a fleet's scheduled actions apart: the first word of their name, and when they are."""

    word: str
    schedule: str
    timezone: str


def _moment(action: ScheduledActionTypeDef) -> _Moment:
    word = action["ScheduledActionName"].split()[0]
    return _Moment(word, action["Schedule"], action.get("Timezone", "UTC"))


def _scheduled_bounds(scaling: Scaling) -> dict[_Moment, tuple[int, int]]:
    """The fewest and the most tasks from each moment on, as in `modules.worker_fleet.bounds`."""
    bounds = {}
    for item in scaling.schedule:
        bounds[_Moment("start", item.start, item.timezone)] = (item.min, item.max)
        bounds[_Moment("end", item.end, item.timezone)] = (scaling.min, scaling.max)
    return bounds
