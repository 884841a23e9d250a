"""What the settings of one environment must be together: rules over more than one section."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from environments.keys import key_faults
from environments.regions import partition_of
from environments.sections import Sections
from modules.hatchet.authorities import BUNDLE, authorities
from modules.network.settings import CLOSED
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


def _taken_twice(environment: Sections) -> Iterator[Fault]:
    takers: dict[str, str] = {}
    for name, fleet in environment.workers.items():
        for task in fleet.experiments or ():
            if task in takers:
                yield Fault(
                    ("workers", name, "experiments"),
                    f"names {task}, which fleet {takers[task]} names too; must be named by one fleet",
                    _role_and_experiments(name, takers[task]),
                )
            takers.setdefault(task, name)


def _without_names(environment: Sections) -> Iterator[Fault]:
    rest = [
        name
        for name, fleet in environment.workers.items()
        if fleet.role == "leaf" and fleet.experiments is None
    ]
    for name in rest[1:]:
        yield Fault(
            ("workers", name, "experiments"),
            f"is missing, as it is in fleet {rest[0]}; must be named by all leaf fleets but one, which runs the rest",
            _role_and_experiments(name, rest[0]),
        )


def _role_and_experiments(*fleets: str) -> tuple[Path, ...]:
    return tuple(("workers", fleet, key) for fleet in fleets for key in ("role", "experiments"))


_OTHERS = "[for other, its in {workers} : %s if index(keys({workers}), other) < index(keys({workers}), {name}) && %s]"
_TAKEN = f"flatten({_OTHERS % ('its.experiments', 'its.experiments != null')})"
_TAKEN_TWICE = f"setintersection({{value}}.experiments == null ? [] : {{value}}.experiments, {_TAKEN})"
_FIRST = f"tolist({_TAKEN_TWICE})[0]"
_FIRST_TAKER = _OTHERS % ("other", f"try(contains(its.experiments, {_FIRST}), false)") + "[0]"
_WITHOUT_NAMES = _OTHERS % ("other", 'its.role == "leaf" && its.experiments == null')

QUEUES = (
    ItemRule(
        "workers",
        f"names ${{{_FIRST}}}, which fleet ${{{_FIRST_TAKER}}} names too; must be named by one fleet",
        f"length({_TAKEN_TWICE}) == 0",
        _taken_twice,
        ("experiments",),
    ),
    ItemRule(
        "workers",
        f"is missing, as it is in fleet ${{{_WITHOUT_NAMES}[0]}}; must be named by all leaf fleets but one, which runs the "
        "rest",
        f'{{value}}.role != "leaf" || {{value}}.experiments != null || length({_WITHOUT_NAMES}) == 0',
        _without_names,
        ("experiments",),
    ),
)
"""A task's queue counts for one fleet alone, or two fleets would start workers for the same tasks."""


_CLOSED = f"({CLOSED})"


def _needs_two(key: str) -> CrossRule:
    return CrossRule(
        ("network", "existing", key),
        "has fewer than 2 subnets; self-hosted Hatchet must have 2, in different Availability Zones",
        lambda environment: (
            environment.hatchet.mode == "cloud"
            or environment.network.existing is None
            or len(getattr(environment.network.existing, key)) >= 2
        ),
        f'{{hatchet}}.mode == "cloud" || try(length({{network}}.existing.{key}) >= 2, true)',
        depends_on=(("network", "existing"), ("hatchet", "mode")),
    )


def _is_wide_enough(environment: Sections) -> bool:
    network = environment.network
    return (
        environment.hatchet.mode == "cloud"
        or network.existing is not None
        or int(network.cidr.split("/")[1]) <= SMALLEST_VPC
    )


COMBINATIONS: tuple[CrossRule | ItemRule, ...] = (
    CrossRule(
        ("network", "nat"),
        "got none, which leaves workers in private subnets no way to Hatchet Cloud; must be instance, single or "
        "per_az, or worker_subnets: public, or hatchet.mode: self_hosted",
        lambda environment: (
            environment.hatchet.mode != "cloud"
            or not environment.network.is_closed
            or environment.network.worker_subnets == "public"
        ),
        f'{{hatchet}}.mode != "cloud" || !{_CLOSED} || {{network}}.worker_subnets == "public"',
        depends_on=(*WAY_OUT, ("hatchet", "mode")),
    ),
    CrossRule(
        ("hatchet", "image_registry"),
        "got upstream, which private subnets cannot reach with nat: none; must be ecr, or left out",
        lambda environment: (
            not environment.network.is_closed or environment.hatchet.image_registry != "upstream"
        ),
        f'!{_CLOSED} || {{hatchet}}.image_registry != "upstream"',
        depends_on=(*WAY_OUT, ("hatchet", "image_registry")),
    ),
    # A load balancer and a database's subnet group span two zones (Elastic Load Balancing User Guide, "Application
    # Load Balancers"; Amazon RDS User Guide, "Working with a DB instance in a VPC").
    CrossRule(
        ("network", "az_count"),
        "got 1; self-hosted Hatchet must have at least 2, for its load balancer and its database",
        lambda environment: (
            environment.hatchet.mode == "cloud"
            or environment.network.existing is not None
            or environment.network.az_count >= 2
        ),
        '{hatchet}.mode == "cloud" || {network}.existing != null || {network}.az_count >= 2',
        depends_on=(("network", "az_count"), ("network", "existing"), ("hatchet", "mode")),
    ),
    CrossRule(
        ("network", "cidr"),
        lambda environment: (
            f"got {environment.network.cidr}, whose public subnets are too small for the load balancer of self-hosted "
            f"Hatchet; must be /{SMALLEST_VPC} or larger"
        ),
        _is_wide_enough,
        '{hatchet}.mode == "cloud" || {network}.existing != null || '
        f'try(tonumber(split("/", {{network}}.cidr)[1]) <= {SMALLEST_VPC}, true)',
        "got ${{network}.cidr}, whose public subnets are too small for the load balancer of self-hosted Hatchet; must be "
        f"/{SMALLEST_VPC} or larger",
        depends_on=(("network", "cidr"), ("network", "existing"), ("hatchet", "mode")),
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
