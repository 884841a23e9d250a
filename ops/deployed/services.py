"""The services of an ECS cluster that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ops.deployed.aws import code

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import ServiceTypeDef

AT_ONCE = 10
"""As many as one call takes (Amazon ECS API, ``DescribeServices``)."""


def active_services(ecs: ECSClient, cluster: str, names: Sequence[str]) -> dict[str, ServiceTypeDef]:
    """Services by name, in the order that they are asked for; without those, or the cluster, that are not deployed."""
    found: dict[str, ServiceTypeDef] = {}
    try:
        for first in range(0, len(names), AT_ONCE):
            answer = ecs.describe_services(cluster=cluster, services=names[first : first + AT_ONCE])
            found |= {service["serviceName"]: service for service in answer["services"]}
    except ClientError as error:
        if code(error) != "ClusterNotFoundException":
            raise
    return {name: found[name] for name in names if name in found and found[name]["status"] == "ACTIVE"}
