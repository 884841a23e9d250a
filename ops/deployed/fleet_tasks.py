"""The fleets' tasks as ECS has them: how many, how many more there may be, and what they have cost."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environments.schema import Environment
from modules.worker_fleet.scaling import FALLBACK
from ops.cost.prices import usd_per_hour
from ops.deployed.aws import Caller
from ops.deployed.services import active_services

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef


@dataclass(frozen=True)
class FleetTasks:
    """One fleet's tasks.

    Attributes:
        running: that run.
        pending: that start.
        desired: that there should be.
        bounds: the fewest and the most that there may be.
        usd: what those that run have cost so far.
        usd_per_hour: what they cost.
    """

    running: int
    pending: int
    desired: int
    bounds: tuple[int, int]
    usd: float
    usd_per_hour: float


class DeployedFleets:
    """An environment's services in ECS."""

    def __init__(self, caller: Caller, environment: Environment) -> None:
        self._environment = environment
        self._cluster = f"{environment.name}-workers"
        self._ecs = caller.session.client("ecs")
        self._autoscaling = caller.session.client("application-autoscaling")

    def look(self, now: datetime.datetime) -> dict[str, FleetTasks]:
        """The tasks of each fleet that is deployed."""
        services = self._services()
        bounds = self._bounds(list(services))
        return {
            name: self._of_fleet(name, services, bounds, now)
            for name in self._environment.workers
            if name in services
        }

    def to_minimum(self) -> dict[str, tuple[int, int]]:
        """Have each service run as few tasks as it may; how many it had to run before, and has to now."""
        services = self._services()
        bounds = self._bounds(list(services))
        changed = {}
        for name, (_, _, desired) in services.items():
            least = bounds.get(name, (0, 0))[0]
            if desired > least:
                self._ecs.update_service(cluster=self._cluster, service=name, desiredCount=least)
            changed[name] = (desired, min(desired, least))
        return changed

    def _services(self) -> dict[str, tuple[int, int, int]]:
        """Running, pending and desired tasks of each service that is there."""
        wanted = [name + end for name in self._environment.workers for end in ("", FALLBACK)]
        return {
            name: (service["runningCount"], service["pendingCount"], service["desiredCount"])
            for name, service in active_services(self._ecs, self._cluster, wanted).items()
        }

    def _bounds(self, services: Sequence[str]) -> dict[str, tuple[int, int]]:
        if not services:
            return {}  # without ids it would be those of all of the account's services
        pages = self._autoscaling.get_paginator("describe_scalable_targets").paginate(
            ServiceNamespace="ecs", ResourceIds=[f"service/{self._cluster}/{name}" for name in services]
        )
        return {
            target["ResourceId"].rpartition("/")[2]: (target["MinCapacity"], target["MaxCapacity"])
            for page in pages
            for target in page["ScalableTargets"]
        }

    def _of_fleet(
        self,
        name: str,
        services: dict[str, tuple[int, int, int]],
        bounds: dict[str, tuple[int, int]],
        now: datetime.datetime,
    ) -> FleetTasks:
        its = [service for service in (name, name + FALLBACK) if service in services]
        running, pending, desired = (sum(services[service][kind] for service in its) for kind in range(3))
        least, most = (sum(bounds.get(service, (0, 0))[kind] for service in its) for kind in range(2))
        usd = per_hour = 0.0
        for task in self._tasks(its) if running else ():
            price = usd_per_hour(
                self._environment.workers[name], spot=task.get("capacityProviderName") == "FARGATE_SPOT"
            )
            per_hour += price
            started = task.get("startedAt", now)
            usd += price * max(0.0, (now - started).total_seconds()) / 3600
        return FleetTasks(running, pending, desired, (least, most), usd, per_hour)

    def _tasks(self, services: Sequence[str]) -> Iterator[TaskTypeDef]:
        for service in services:
            for page in self._ecs.get_paginator("list_tasks").paginate(
                cluster=self._cluster, serviceName=service
            ):
                if page["taskArns"]:
                    yield from self._ecs.describe_tasks(cluster=self._cluster, tasks=page["taskArns"])[
                        "tasks"
                    ]
