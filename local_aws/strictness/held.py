"""What moto holds at the moment: the rules about order read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from moto import backends
from moto.utilities.utils import get_partition

from local_aws.strictness.rule import Request

_GLOBAL = ("iam", "route53", "s3")


def backend(request: Request, service: str = "") -> Any:
    """Return moto's backend of a service for the request's account and region.

    Args:
        request: The request that a rule is asked about.
        service: moto's name of the service; default is the request's.
    """
    name = service or request.service.replace("-", "")
    place = get_partition(request.region) if name in _GLOBAL else request.region
    get_backend: Any = backends.get_backend
    return get_backend(name)[request.account][place]


def name_of(identifier: object) -> str:
    """Return the last part of an ARN or a path, which is a cluster's or a service's name."""
    return str(identifier).rpartition("/")[2]


def cluster(request: Request) -> Any | None:
    """Return the ECS cluster that a request names, if it exists and is active."""
    named = request.parameters.get("cluster", request.parameters.get("clusterName", "default"))
    found = backend(request, "ecs").clusters.get(name_of(named))
    return found if found and found.status == "ACTIVE" else None


def services(request: Request, cluster_name: str) -> list[Any]:
    """Return the active ECS services of a cluster."""
    return [
        service
        for service in list(backend(request, "ecs").services.values())
        if service.cluster_name == cluster_name and service.status == "ACTIVE"
    ]


def service(request: Request, name: object) -> Any | None:
    """Return an ECS service of the request's cluster, whatever its state."""
    named = f"{name_of(request.parameters.get('cluster', 'default'))}:{name_of(name)}"
    return backend(request, "ecs").services.get(named)


def task_definition(request: Request, named: object) -> Any | None:
    """Return an ECS task definition by its ARN, or by family with or without a revision."""
    family, _, revision = name_of(named).partition(":")
    revisions = backend(request, "ecs").task_definitions.get(family, {})
    if revision:
        return revisions.get(int(revision)) if revision.isdecimal() else None
    active = [number for number, each in revisions.items() if each.status == "ACTIVE"]
    return revisions[max(active)] if active else None


def subnets(request: Request, ids: Iterable[str]) -> list[Any]:
    """Return those of the subnets that exist."""
    wanted = set(ids)
    zones = list(backend(request, "ec2").subnets.values())
    return [subnet for zone in zones for subnet in list(zone.values()) if subnet.id in wanted]


def security_groups(request: Request, ids: Iterable[str] | None = None) -> Iterator[Any]:
    """Return those of the security groups that exist; all of them if none are named."""
    wanted = None if ids is None else set(ids)
    for groups in list(backend(request, "ec2").groups.values()):
        for group in list(groups.values()):
            if wanted is None or group.id in wanted:
                yield group


def endpoints(request: Request) -> list[Any]:
    """Return the VPC endpoints that are not deleted."""
    held = list(backend(request, "ec2").vpc_end_points.values())
    return [endpoint for endpoint in held if endpoint.state != "deleted"]


def with_gateway(request: Request) -> set[str]:
    """Return the VPCs with an internet gateway; a default VPC has one, which moto does not show."""
    ec2 = backend(request, "ec2")
    attached = {gateway.vpc.id for gateway in list(ec2.internet_gateways.values()) if gateway.vpc}
    return attached | {vpc.id for vpc in list(ec2.vpcs.values()) if vpc.is_default in (True, "true")}
