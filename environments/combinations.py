"""What the settings of one environment must be together: rules over more than one section."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from environments.keys import key_faults
from environments.regions import partition_of
from environments.sections import Sections
from modules.hatchet.authorities import BUNDLE, authorities
from synthesis.functions import contains, given, is_null, is_set, length, not_, prefix_length
from synthesis.lists import collect_entries, comes_before, common, flatten
from synthesis.rules import CrossRule, Fault, ItemRule, Path

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


def _named_before(environment: Any, fleet: Any) -> Any:
    """The tasks that the fleets before one, by name, take as theirs."""
    return flatten(
        collect_entries(
            environment.workers,
            lambda _, other: other.experiments,
            lambda name, other: comes_before(environment.workers, name, fleet) & is_set(other.experiments),
        )
    )


def _taken_twice(environment: Any, name: Any, fleet: Any) -> Any:
    tasks = given(fleet.experiments, lambda named: named, otherwise=[])
    return common(tasks, _named_before(environment, name))


def _first_taker(environment: Any, name: Any, fleet: Any) -> Any:
    task = _taken_twice(environment, name, fleet)[0]
    return collect_entries(
        environment.workers,
        lambda other, _: other,
        lambda other, settings: (
            comes_before(environment.workers, other, name)
            & given(settings.experiments, lambda named: contains(named, task), otherwise=False)
        ),
    )[0]


def _takes_the_rest(fleet: Any) -> Any:
    return (fleet.role == "leaf") & is_null(fleet.experiments)


def _takers_of_the_rest(environment: Any, fleet: Any) -> Any:
    return collect_entries(
        environment.workers,
        lambda name, _: name,
        lambda name, other: comes_before(environment.workers, name, fleet) & _takes_the_rest(other),
    )


QUEUES = (
    ItemRule(
        "workers",
        lambda environment, name, fleet: (
            f"names {_taken_twice(environment, name, fleet)[0]}, which fleet {_first_taker(environment, name, fleet)} "
            "names too; must name tasks that no other fleet names"
        ),
        lambda environment, name, fleet: length(_taken_twice(environment, name, fleet)) == 0,
        ("experiments",),
    ),
    ItemRule(
        "workers",
        lambda environment, name, _: (
            f"is missing, as it is in fleet {_takers_of_the_rest(environment, name)[0]}; must be named by all leaf fleets "
            "but one, which runs the rest"
        ),
        lambda environment, name, fleet: (
            not_(_takes_the_rest(fleet)) | (length(_takers_of_the_rest(environment, name)) == 0)
        ),
        ("experiments",),
    ),
)
"""A task's queue counts for one fleet alone, or two fleets would start workers for the same tasks."""


def _is_cloud_or_elsewhere(environment: Any) -> Any:
    """Whether no engine of our own needs a network of our own."""
    return (environment.hatchet.mode == "cloud") | is_set(environment.network.existing)


def _needs_two(key: str) -> CrossRule:
    return CrossRule(
        ("network", "existing", key),
        "has fewer than 2 subnets; self-hosted Hatchet must have 2, in different Availability Zones",
        lambda environment: (
            (environment.hatchet.mode == "cloud")
            | given(environment.network.existing, lambda vpc: length(getattr(vpc, key)) >= 2, otherwise=True)
        ),
    )


COMBINATIONS: tuple[CrossRule | ItemRule, ...] = (
    CrossRule(
        ("network", "nat"),
        "got none, which leaves workers in private subnets no way to Hatchet Cloud; must be instance, single or "
        "per_az, or worker_subnets: public, or hatchet.mode: self_hosted",
        lambda environment: (
            (environment.hatchet.mode != "cloud")
            | not_(environment.network.is_closed)
            | (environment.network.worker_subnets == "public")
        ),
    ),
    CrossRule(
        ("hatchet", "image_registry"),
        "got upstream, which private subnets cannot reach with nat: none; must be ecr, or left out",
        lambda environment: (
            not_(environment.network.is_closed)
            | given(
                environment.hatchet.image_registry, lambda registry: registry != "upstream", otherwise=True
            )
        ),
    ),
    # A load balancer and a database's subnet group span two zones (Elastic Load Balancing User Guide, "Application
    # Load Balancers"; Amazon RDS User Guide, "Working with a DB instance in a VPC").
    CrossRule(
        ("network", "az_count"),
        "got 1; self-hosted Hatchet must have at least 2, for its load balancer and its database",
        lambda environment: _is_cloud_or_elsewhere(environment) | (environment.network.az_count >= 2),
    ),
    CrossRule(
        ("network", "cidr"),
        lambda environment: (
            f"got {environment.network.cidr}, whose public subnets are too small for the load balancer of self-hosted "
            f"Hatchet; must be /{SMALLEST_VPC} or larger"
        ),
        lambda environment: (
            _is_cloud_or_elsewhere(environment) | (prefix_length(environment.network.cidr) <= SMALLEST_VPC)
        ),
    ),
    _needs_two("public_subnet_ids"),
    _needs_two("private_subnet_ids"),
    *QUEUES,
)
"""Those that an exported root module has too."""


def combination_faults(environment: Sections) -> Iterator[Fault]:
    """What does not go together in an environment, beside `COMBINATIONS`."""
    yield from _endpoints(environment)
    yield from _images(environment)
    yield from _certificate_region(environment)
    yield from _authority(environment)
    yield from key_faults(environment)
    yield from _boundary(environment)
    yield from _partition(environment)
    yield from _tags(environment)


def _authority(environment: Sections) -> Iterator[Fault]:
    """The stack's own precondition says it too (`modules.hatchet.database`)."""
    region, hatchet = environment.region, environment.hatchet
    if hatchet.mode == "cloud" or hatchet.database.ca_certificate or region in authorities():
        return
    yield Fault(
        ("hatchet", "database", "ca_certificate"),
        f"is missing; in {region}, whose authority does not come with the project, it must be the content of {BUNDLE} "
        '(Amazon RDS User Guide, "Using SSL/TLS to encrypt a connection to a DB instance or cluster")',
        (("region",), ("hatchet", "mode"), ("hatchet", "database", "ca_certificate")),
    )


def _endpoints(environment: Sections) -> Iterator[Fault]:
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


def _images(environment: Sections) -> Iterator[Fault]:
    network = environment.network
    if not network.is_closed or network.worker_subnets == "public":
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


def _certificate_region(environment: Sections) -> Iterator[Fault]:
    certificate = environment.hatchet.certificate_arn
    if certificate and certificate.split(":")[3] != environment.region:
        yield Fault(
            ("hatchet", "certificate_arn"),
            f"is in {certificate.split(':')[3]}; must be in the environment's region {environment.region}, "
            "where the load balancer is",
            (("hatchet", "certificate_arn"), ("region",)),
        )


def _boundary(environment: Sections) -> Iterator[Fault]:
    """IAM takes a boundary of the role's own account, or one of AWS's."""
    boundary, account = environment.permissions_boundary, environment.account_id
    owner = boundary.split(":")[4] if boundary else "aws"
    if account and owner not in {"aws", account}:
        yield Fault(
            ("permissions_boundary",),
            f"is of the account {owner}; must be of account_id {account}, or one of AWS's own policies",
            (("permissions_boundary",), ("account_id",)),
        )


def _partition(environment: Sections) -> Iterator[Fault]:
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


def _arns(environment: Sections) -> dict[Path, str]:
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


def _tags(environment: Sections) -> Iterator[Fault]:
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
