"""The account's quotas beside what environments need: fleets at their max, engines of their own in a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from environments.schema import Environment
from modules.worker_fleet.settings import FleetSettings
from ops.deployed.aws import Caller, code


class QuotaName(NamedTuple):
    """A quota as Service Quotas knows it."""

    service: str
    code: str
    name: str


ON_DEMAND = QuotaName("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count")
SPOT = QuotaName("fargate", "L-36FBB829", "Fargate Spot vCPU resource count")
TASKS = QuotaName("ecs", "L-46458851", "Tasks per service")
INTERFACES = QuotaName("vpc", "L-DF5E4CA3", "Network interfaces per Region")
VPCS = QuotaName("vpc", "L-F678F1CE", "VPCs per Region")
ADDRESSES = QuotaName("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs")

SET_UP_VCPU = 0.25
"""Of the task that gets a self-hosted engine ready, `modules.hatchet.set_up.VCPU`, which loads CDKTF."""


@dataclass(frozen=True)
class Quota:
    """A quota of the account in one region.

    Attributes:
        service: its service code.
        code: its quota code.
        name: its name.
        region: the region.
        needed: the least value with which everything fits.
        value: its value; None where Service Quotas knows none.
        of_hatchet: how much of the need is self-hosted engines', which no fleet's max lowers.
    """

    service: str
    code: str
    name: str
    region: str
    needed: int
    value: float | None
    of_hatchet: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether the need fits; true where the value is not known."""
        return self.value is None or self.needed <= self.value

    def __str__(self) -> str:
        value = "not known" if self.value is None else f"{self.value:g}"
        hatchet = f" ({self.of_hatchet} of them by Hatchet, in a deployment of it)" if self.of_hatchet else ""
        return (
            f"{self.name} (Service Quotas: {self.service} {self.code}) in {self.region} is {value}, but {self.needed} "
            f"are needed with all fleets at their max{hatchet}; raise it to {self.needed} or lower max"
        )


def compare(environments: Iterable[Environment]) -> list[Quota]:
    """Compare what environments need, region by region, with the quotas of the caller's account."""
    regions: dict[str, list[Environment]] = {}
    for environment in environments:
        regions.setdefault(environment.region, []).append(environment)
    return [quota for region, together in regions.items() for quota in _compare(region, together)]


def _compare(region: str, environments: Sequence[Environment]) -> list[Quota]:
    # Each asks, so that none is compared with the quotas of an account that is not its own.
    callers = [Caller(environment) for environment in environments]
    session = callers[0].session
    needed = fleets_need(environments)
    needed |= network_needs(environments, session.client("ec2"))
    engines = engines_need(environments)
    quotas = session.client("service-quotas")
    return [
        Quota(*name, region, need + own, _value(quotas, name), own)
        for name, need in needed.items()
        if need + (own := engines.get(name, 0))
    ]


def fleets_need(environments: Sequence[Environment]) -> dict[QuotaName, int]:
    """What the tasks of all fleets need at their max; a rollout adds none, since it never exceeds 100 %."""
    fleets = [fleet for environment in environments for fleet in environment.workers.values()]
    on_demand, spot = 0.0, 0.0
    for fleet in fleets:
        steady, reclaimed = _shares(fleet)
        on_demand += steady * fleet.cpu
        spot += reclaimed * fleet.cpu
    return {ON_DEMAND: ceil(on_demand), SPOT: ceil(spot), TASKS: max(map(_most, fleets))}


def engines_need(environments: Iterable[Environment]) -> dict[QuotaName, int]:
    """What self-hosted engines need while they are deployed."""
    engines = [environment for environment in environments if environment.hatchet.mode == "self_hosted"]
    tasks = [part for environment in engines for part in _parts(environment)]
    return {
        ON_DEMAND: ceil(sum(vcpu * count for vcpu, count in tasks)),
        INTERFACES: sum(count for _, count in tasks) + sum(map(_interfaces, engines)),
    }


def _parts(environment: Environment) -> Iterator[tuple[float, int]]:
    """The vCPU of each part's task, and its most tasks: new ones start beside the old ones, but for RabbitMQ's."""
    hatchet = environment.hatchet
    for service in (hatchet.engine, hatchet.api, hatchet.dashboard):
        yield service.cpu, 2 * service.count
    yield SET_UP_VCPU, 2  # beside the service's own that of scythe-aws token --rotate
    if hatchet.broker == "rabbitmq":
        yield hatchet.rabbitmq.cpu, 1


def _interfaces(environment: Environment) -> int:
    """Network interfaces of an engine that are no task's: the load balancer's, the database's, the broker's."""
    network, hatchet = environment.network, environment.hatchet
    zones = len(network.existing.private_subnet_ids) if network.existing else network.az_count
    of_broker = {"postgres": 0, "rabbitmq": zones, "amazon_mq": 1}[hatchet.broker]
    return zones + (2 if hatchet.database.multi_az else 1) + of_broker


def network_needs(environments: Sequence[Environment], ec2: Any) -> dict[QuotaName, int]:
    """What the networks need, beside what is in the account already and not theirs."""
    made = [environment for environment in environments if environment.network.existing is None]
    theirs = {environment.tags.get("environment", environment.name) for environment in made}
    vpcs = [vpc for page in ec2.get_paginator("describe_vpcs").paginate() for vpc in page["Vpcs"]]
    tasks = sum(_most(fleet) for environment in environments for fleet in environment.workers.values())
    addresses = sum(_addresses(environment) for environment in made)
    endpoints = sum(
        len(environment.network.endpoints()) * environment.network.az_count for environment in made
    )
    return {
        # One for each task (Amazon ECS Developer Guide, "Fargate task networking").
        INTERFACES: tasks + endpoints + addresses,
        VPCS: len(made) + _others(vpcs, theirs) if made else 0,
        ADDRESSES: addresses + _others(ec2.describe_addresses()["Addresses"], theirs) if addresses else 0,
    }


def _most(fleet: FleetSettings) -> int:
    return max(fleet.scaling.max, *(item.max for item in fleet.scaling.schedule), 0)


def _shares(fleet: FleetSettings) -> tuple[int, int]:
    """The tasks of a fleet at its max that run on demand, and on Spot."""
    capacity, most = fleet.capacity, _most(fleet)
    base = min(capacity.on_demand_base, most)
    weights = capacity.on_demand + capacity.spot
    rest = most - base
    return base + ceil(rest * capacity.on_demand / weights), ceil(rest * capacity.spot / weights)


def _addresses(environment: Environment) -> int:
    network = environment.network
    return {"none": 0, "instance": 1, "single": 1, "per_az": network.az_count}[network.nat]


def _others(resources: Iterable[Any], theirs: Iterable[str]) -> int:
    """How many resources do not have the tag of the environments."""
    return sum(
        not any(tag["Key"] == "environment" and tag["Value"] in theirs for tag in resource.get("Tags", []))
        for resource in resources
    )


def _value(quotas: Any, name: QuotaName) -> float | None:
    """The quota's value: the account's own, or AWS's default where it was never changed."""
    for ask in (quotas.get_service_quota, quotas.get_aws_default_service_quota):
        try:
            return float(ask(ServiceCode=name.service, QuotaCode=name.code)["Quota"]["Value"])
        except ClientError as error:
            if code(error) != "NoSuchResourceException":
                raise
    return None
