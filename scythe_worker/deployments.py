"""ECS's word about the fleets' services: their deployments, their counts, and which task is whose.

Amazon ECS API Reference: ``DescribeServices`` takes 10 services, ``DescribeTasks`` 100 tasks. A deployment's ``status``
is ``PRIMARY`` for the newest one, ``ACTIVE`` while a superseded one still has tasks (``Deployment``); a task's
``startedBy`` is the id of its deployment (``Task``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from scythe_worker.listed import Listed

SERVICES, TASKS = 10, 100
"""What one call takes."""


class Ecs(Protocol):
    """As much of boto3's client as is used."""

    def describe_services(self, *, cluster: str, services: list[str]) -> Mapping[str, Any]:
        """Read services."""

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> Mapping[str, Any]:
        """Read tasks."""


@dataclass(frozen=True)
class Deployment:
    """A deployment of a service.

    Attributes:
        id: such as ``ecs-svc/9223370564341623665``.
        definition: the family and revision of its task definition.
        created: when it began.
    """

    id: str
    definition: str
    created: datetime


@dataclass(frozen=True)
class Service:
    """A service at one time.

    Attributes:
        name: its name.
        fleet: the fleet's that it is of.
        desired: its desired count.
        running: its running tasks.
        primary: its newest deployment.
        superseded: the others that still have tasks.
    """

    name: str
    fleet: str
    desired: int
    running: int
    primary: Deployment
    superseded: tuple[Deployment, ...] = ()

    @property
    def over(self) -> int:
        """The tasks that it has too many."""
        return max(0, self.running - self.desired)


@dataclass(frozen=True)
class Owner:
    """Whose a task is: the names of its service and its deployment. Neither ever changes."""

    service: str
    deployment: str


def services(client: Ecs, cluster: str, fleets: Mapping[str, str]) -> list[Service]:
    """The services that there are.

    Args:
        client: boto3's.
        cluster: theirs.
        fleets: the fleet of each, by the service's name.
    """
    found: list[Service] = []
    for names in _portions(fleets, SERVICES):
        for item in client.describe_services(cluster=cluster, services=names)["services"]:
            service = _service(item, fleets.get(item["serviceName"], ""))
            if service is not None and service.fleet:
                found.append(service)
    return found


def _service(item: Mapping[str, Any], fleet: str) -> Service | None:
    primary: Deployment | None = None
    superseded = []
    for deployment in item.get("deployments", ()):
        definition = str(deployment["taskDefinition"]).rpartition("/")[2]
        it = Deployment(deployment["id"], definition, deployment["createdAt"])
        if deployment["status"] == "PRIMARY":
            primary = it
        elif deployment["status"] == "ACTIVE":
            superseded.append(it)
    if primary is None:
        return None
    return Service(
        item["serviceName"], fleet, item["desiredCount"], item["runningCount"], primary, tuple(superseded)
    )


def owners(client: Ecs, cluster: str, tasks: Iterable[str]) -> Iterator[tuple[str, Owner, bool]]:
    """Each task's id and owner, and whether ECS wants it to run on; those that ECS still knows.

    Args:
        client: boto3's.
        cluster: theirs.
        tasks: their ids.
    """
    for ids in _portions(tasks, TASKS):
        for item in client.describe_tasks(cluster=cluster, tasks=ids)["tasks"]:
            owner = Owner(str(item.get("group", "")).removeprefix("service:"), str(item.get("startedBy", "")))
            yield str(item["taskArn"]).rpartition("/")[2], owner, item.get("desiredStatus") == "RUNNING"


def _portions(items: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion


@dataclass(frozen=True)
class Judged:
    """A worker, as far as is known.

    Attributes:
        worker: the engine's.
        service: its service; None where it may be one of several.
        superseded: whether its deployment is superseded; None where that is not known.
    """

    worker: Listed
    service: Service | None
    superseded: bool | None


def judged(worker: Listed, of_fleet: Sequence[Service], known: Mapping[str, Owner]) -> Judged:
    """What is known of a worker: by ECS, else by its labels and the moment at which it came.

    Args:
        worker: the engine's.
        of_fleet: the services of its fleet.
        known: what ECS has said of tasks, by id.
    """
    owner = known.get(worker.task)
    name = owner.service if owner else worker.service
    possible = [service for service in of_fleet if service.name == name] or list(of_fleet)
    service = possible[0] if len(possible) == 1 else None
    if owner and service is not None:
        return Judged(worker, service, owner.deployment in {older.id for older in service.superseded})
    return Judged(worker, service, _is_superseded(worker, possible))


def _is_superseded(worker: Listed, possible: Sequence[Service]) -> bool | None:
    if not any(service.superseded for service in possible):
        return False
    if all(service.superseded and _is_old(worker, service) for service in possible):
        return True
    if worker.definition and all(_is_new(worker, service) for service in possible):
        return False
    return None


def _is_old(worker: Listed, service: Service) -> bool:
    """Whether a worker, if it is of the service, is of a superseded deployment."""
    if worker.definition and worker.definition != service.primary.definition:
        return True
    return worker.registered is not None and worker.registered < service.primary.created


def _is_new(worker: Listed, service: Service) -> bool:
    """Whether a worker, if it is of the service, is of its newest deployment."""
    older = {deployment.definition for deployment in service.superseded}
    return worker.definition == service.primary.definition and worker.definition not in older
