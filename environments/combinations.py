"""What the settings of one environment must be together: rules over more than one section."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from environments.regions import partition_of
from modules.rules import Fault, Path

if TYPE_CHECKING:
    from environments.schema import Environment

WAY_OUT: tuple[Path, ...] = (("network", "nat"), ("network", "existing"), ("network", "worker_subnets"))
"""The keys that decide whether the private subnets have a way out, and who needs it."""

OWN_TAGS = ("project", "environment", "stack")
"""Tags that every resource gets; a file's tag of the same key wins."""

NEEDED_ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "logs", "monitoring", "secretsmanager")
"""What tasks without a way out cannot do without: their images, the rollout of workers with a new token, their logs,
the backlog's metric, their secrets."""


SMALLEST_VPC = 21
"""Its public subnets are /27, the smallest that a load balancer takes (Elastic Load Balancing User Guide,
"Application Load Balancers", subnets)."""


def combination_faults(environment: Environment) -> Iterator[Fault]:
    """What does not go together in an environment."""
    yield from _ways_out(environment)
    yield from _endpoints(environment)
    yield from _images(environment)
    yield from _two_zones(environment)
    yield from _certificate_region(environment)
    yield from _boundary(environment)
    yield from _partition(environment)
    yield from _queues(environment)
    yield from _tags(environment)


def _ways_out(environment: Environment) -> Iterator[Fault]:
    network = environment.network
    if environment.hatchet.mode == "cloud" and network.is_closed and network.worker_subnets == "private":
        yield Fault(
            ("network", "nat"),
            "got none, which leaves workers in private subnets no way to Hatchet Cloud; must be instance, single or "
            "per_az, or worker_subnets: public, or hatchet.mode: self_hosted",
            (*WAY_OUT, ("hatchet", "mode")),
        )


def _endpoints(environment: Environment) -> Iterator[Fault]:
    network, fleets = environment.network, environment.workers.values()
    if environment.hatchet.mode == "cloud" or not network.is_closed:
        return
    needed = set(NEEDED_ENDPOINTS)
    if environment.hatchet.domain is None:
        needed.add("ssmmessages")
    if network.worker_subnets == "private":
        needed |= {"ssmmessages" for fleet in fleets if fleet.exec}
        needed |= {"ssm" for fleet in fleets for value in fleet.secrets.values() if ":ssm:" in value}
    missing = sorted(needed - set(network.endpoints()))
    if missing:
        yield Fault(
            ("network", "interface_endpoints"),
            f"lacks {', '.join(missing)}, which tasks in private subnets need with nat: none; must be true or name them",
            (*WAY_OUT, ("network", "interface_endpoints"), ("hatchet",), ("workers",)),
        )


def _images(environment: Environment) -> Iterator[Fault]:
    network = environment.network
    if not network.is_closed:
        return
    if environment.hatchet.image_registry == "upstream":
        yield Fault(
            ("hatchet", "image_registry"),
            "got upstream, which private subnets cannot reach with nat: none; must be ecr, or left out",
            (*WAY_OUT, ("hatchet", "image_registry")),
        )
    if network.worker_subnets == "public":
        return
    images: dict[Path, str | None] = {("image",): environment.image}
    images |= {("workers", name, "image"): fleet.image for name, fleet in environment.workers.items()}
    for path, image in images.items():
        if image and ".dkr.ecr." not in image:
            yield Fault(
                path,
                "is out of reach of private subnets with nat: none; must be an image in ECR",
                (*WAY_OUT, ("hatchet", "image_registry")),
            )


def _two_zones(environment: Environment) -> Iterator[Fault]:
    """A load balancer and a database's subnet group span two zones.

    Elastic Load Balancing User Guide, "Application Load Balancers"; Amazon RDS User Guide,
    "Working with a DB instance in a VPC".
    """
    network, existing = environment.network, environment.network.existing
    if environment.hatchet.mode != "self_hosted":
        return
    if existing is None and network.az_count < 2:
        yield Fault(
            ("network", "az_count"),
            "got 1; self-hosted Hatchet must have at least 2, for its load balancer and its database",
            (("network", "az_count"), ("network", "existing"), ("hatchet", "mode")),
        )
    if existing is None and int(network.cidr.split("/")[1]) > SMALLEST_VPC:
        yield Fault(
            ("network", "cidr"),
            f"got {network.cidr}, whose public subnets are too small for the load balancer of self-hosted Hatchet; must "
            f"be /{SMALLEST_VPC} or larger",
            (("network", "cidr"), ("network", "existing"), ("hatchet", "mode")),
        )
    for key in ("public_subnet_ids", "private_subnet_ids") if existing else ():
        if len(getattr(existing, key)) < 2:
            yield Fault(
                ("network", "existing", key),
                "has fewer than 2 subnets; self-hosted Hatchet must have 2, in different Availability Zones",
                (("network", "existing"), ("hatchet", "mode")),
            )


def _certificate_region(environment: Environment) -> Iterator[Fault]:
    certificate = environment.hatchet.certificate_arn
    if certificate and certificate.split(":")[3] != environment.region:
        yield Fault(
            ("hatchet", "certificate_arn"),
            f"is in {certificate.split(':')[3]}; must be in the environment's region {environment.region}, "
            "where the load balancer is",
            (("hatchet", "certificate_arn"), ("region",)),
        )


def _boundary(environment: Environment) -> Iterator[Fault]:
    """IAM takes a boundary of the role's own account, or one of AWS's."""
    boundary, account = environment.permissions_boundary, environment.account_id
    owner = boundary.split(":")[4] if boundary else "aws"
    if account and owner not in {"aws", account}:
        yield Fault(
            ("permissions_boundary",),
            f"is of the account {owner}; must be of account_id {account}, or one of AWS's own policies",
            (("permissions_boundary",), ("account_id",)),
        )


def _partition(environment: Environment) -> Iterator[Fault]:
    """An ARN of another partition is of no use, and budgets in dollars are kept in the standard one alone.

    "AWS GovCloud (US) Billing and Payment" (AWS GovCloud User Guide), "Billing and Payment" (Getting Started with
    Amazon Web Services in China).
    """
    partition = partition_of(environment.region)
    for path, arn in _arns(environment).items():
        if arn.split(":")[1] != partition:
            yield Fault(
                path,
                f"is in {arn.split(':')[1]}; must be in {partition}, as the environment's region {environment.region} is",
                (path, ("region",)),
            )
    if environment.observability.monthly_budget_usd is not None and partition != "aws":
        yield Fault(
            ("observability", "monthly_budget_usd"),
            f"is not kept in {partition}, where the environment's region {environment.region} is; leave it out",
            (("observability", "monthly_budget_usd"), ("region",)),
        )


def _arns(environment: Environment) -> dict[Path, str]:
    hatchet = environment.hatchet
    given: dict[Path, str | None] = {
        ("permissions_boundary",): environment.permissions_boundary,
        ("state", "kms_key_id"): environment.state.kms_key_id,
        ("hatchet", "token_secret_arn"): hatchet.token_secret_arn,
        ("hatchet", "certificate_arn"): hatchet.certificate_arn,
    }
    for name, fleet in environment.workers.items():
        given |= {("workers", name, "secrets", key): arn for key, arn in fleet.secrets.items()}
    return {path: arn for path, arn in given.items() if arn and arn.startswith("arn:")}


def _queues(environment: Environment) -> Iterator[Fault]:
    """A task's queue counts for one fleet alone, or two fleets would start workers for the same tasks."""
    takers: dict[str, str] = {}
    rest: list[str] = []
    for name, fleet in environment.workers.items():
        for task in fleet.experiments or ():
            if task in takers:
                yield Fault(
                    ("workers", name, "experiments"),
                    f"names {task}, which fleet {takers[task]} names too; must be named by one fleet",
                    _role_and_experiments(name, takers[task]),
                )
            takers.setdefault(task, name)
        if fleet.role == "leaf" and fleet.experiments is None:
            rest.append(name)
    for name in rest[1:]:
        yield Fault(
            ("workers", name, "experiments"),
            f"is missing, as it is in fleet {rest[0]}; must be named by all leaf fleets but one, which runs the rest",
            _role_and_experiments(name, rest[0]),
        )


def _role_and_experiments(*fleets: str) -> tuple[Path, ...]:
    return tuple(("workers", fleet, key) for fleet in fleets for key in ("role", "experiments"))


def _tags(environment: Environment) -> Iterator[Fault]:
    """IAM's tag keys differ in more than case (IAM User Guide, "Rules for tagging in IAM")."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for key in (*OWN_TAGS, *environment.tags):
        if key not in spellings[key.lower()]:
            spellings[key.lower()].append(key)
    for first, *others in spellings.values():
        for key in others:
            yield Fault(
                ("tags", key),
                f"differs from {first} only in case, which IAM refuses; must be one",
                (("tags", first), ("tags", key)),
            )
