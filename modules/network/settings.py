"""What one can choose about the network: the keys below ``network:``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from synthesis.allowed import each, matching, one_of, private_block, whole
from synthesis.functions import attempt, choose, given, is_flag, is_null, is_set, length, not_
from synthesis.rules import CrossRule, Rule, Settings

FARGATE_ENDPOINTS = (
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "ssmmessages",
)
"""What ``interface_endpoints: true`` makes: the AWS services that the workers' tasks call.

Images, secrets, logs and ECS Exec: Amazon ECS Developer Guide, "Amazon ECS interface VPC endpoints"
(Fargate itself needs none for ECS; ``ecs`` is for the backlog service, which looks at the fleets' deployments, and for
self-hosted Hatchet's set-up, which rolls the workers when their token is renewed); ``monitoring`` takes the backlog's
metric. S3 has its gateway.
"""

FURTHER_ENDPOINTS = ("ecs-agent", "ecs-telemetry", "elasticfilesystem", "events", "sts", "xray")
"""What a list may name beside `FARGATE_ENDPOINTS`, for what a researcher's own code calls."""

CHINAS_OWN_ENDPOINTS = ("ecr.api", "ecr.dkr", "elasticfilesystem", "monitoring", "sts", "xray")
"""Those that the regions in China name ``cn.com.amazonaws...``, by no rule: what ``aws ec2
describe-vpc-endpoint-services`` says there (kept by aws-cdk-lib, ``InterfaceVpcEndpointAwsService``)."""

LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""What CloudWatch Logs accepts (Amazon CloudWatch Logs API Reference, ``PutRetentionPolicy``)."""

ENDPOINT_NAMES = sorted({*FARGATE_ENDPOINTS, *FURTHER_ENDPOINTS})
ZONE = matching("^[a-z]{2}(-[a-z]+)+-[0-9]+[a-z]$", "a zone's name such as us-east-1a")
SUBNET_ID = matching("^subnet-([0-9a-f]{8}|[0-9a-f]{17})$", "a subnet's id such as subnet-0123456789abcdef0")


def all_or_named() -> Rule:
    """All that Fargate needs, none, or a list by name."""
    names = one_of(*ENDPOINT_NAMES)
    listed = each(names, 1, len(ENDPOINT_NAMES), what="AWS services")
    return Rule(
        f"true, false or {listed.allowed}",
        lambda value: is_flag(value) | attempt(lambda: listed.check(value), otherwise=False),
        {"anyOf": [{"type": "boolean"}, {"type": "array", **listed.schema}]},
    )


class FlowLogs(Settings):
    """Logs of who talked to whom in the VPC; about $0.50 per GB of log in us-east-1."""

    retention_days: Annotated[int, one_of(*LOG_RETENTION_DAYS)] = Field(
        default=30, description="Days after which CloudWatch deletes the flow logs."
    )


class ExistingNetwork(Settings):
    """A VPC that is there already. Its routes are its owner's: nothing in it is changed."""

    vpc_id: Annotated[
        str, matching("^vpc-([0-9a-f]{8}|[0-9a-f]{17})$", "a VPC's id such as vpc-0123456789abcdef0")
    ] = Field(description="The VPC to use.")
    public_subnet_ids: Annotated[list[str], each(SUBNET_ID, 0, 16, what="subnets")] = Field(
        default=[], description="Its subnets with a route to an internet gateway, one per Availability Zone."
    )
    private_subnet_ids: Annotated[list[str], each(SUBNET_ID, 0, 16, what="subnets")] = Field(
        default=[],
        description="Its subnets without one, one per Availability Zone. In Terraform, a plan must know how many: not "
        "from a data source that reads a VPC of the same configuration.",
    )


def _left_to_owner(key: str) -> CrossRule:
    return CrossRule(
        (key,),
        f"does not go with existing, whose owner decides it; leave out {key} or existing",
        lambda it: is_null(it.existing) | (getattr(it, key) == NetworkSettings.model_fields[key].default),
    )


class NetworkSettings(Settings):
    """The VPC that everything runs in."""

    cidr: Annotated[str, private_block(16, 22)] = Field(
        default="10.0.0.0/16",
        description="The VPC's addresses: a /16 has room for 8,187 tasks per Availability Zone, a /22 for 123. "
        "Changing it replaces the VPC and all in it.",
    )
    az_count: Annotated[int, whole(1, 6)] = Field(
        default=2,
        description="Availability Zones to spread over; self-hosted Hatchet needs two. A further one moves no "
        "subnet. Spot capacity is found more often in more zones.",
    )
    azs: Annotated[list[str], each(ZONE, 1, 6, what="zones")] | None = Field(
        default=None,
        description="The Availability Zones, az_count of them, by name. Default: the region's, those without Fargate "
        "last. In Terraform, give them where the module has depends_on: with it, data sources are read at the apply, "
        "and Terraform cannot plan subnets in zones that it does not know yet.",
    )
    nat: Annotated[str, one_of("none", "instance", "single", "per_az")] = Field(
        default="instance",
        description="The private subnets' way out: none; an instance of our own (t4g.nano, about $7.40 a month with "
        "its disk and address); one NAT gateway ($36.50 a month with its address, and $0.045 per GB); or one "
        "gateway per zone. With none, tasks reach S3 through its gateway endpoint, with this account's credentials only.",
    )
    interface_endpoints: Annotated[bool | list[str], all_or_named()] = Field(
        default=False,
        description="Private ways to AWS services: true for all that Fargate tasks need without NAT, or a list of "
        "names such as ecr.api. Each costs $7.30 a month per zone. S3 always has its free gateway.",
    )
    flow_logs: FlowLogs | None = Field(default=None, description="Logs of the VPC's traffic. Default: none.")
    worker_subnets: Annotated[str, one_of("private", "public")] = Field(
        default="private",
        description="Where workers run. In the public subnets they have public addresses ($0.005 an hour each, "
        "nothing can reach in) and need no NAT.",
    )
    existing: ExistingNetwork | None = Field(
        default=None,
        description="A VPC to use instead of making one; then the keys that shape a VPC are left out.",
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        *map(_left_to_owner, ("cidr", "az_count", "nat", "interface_endpoints", "flow_logs")),
        CrossRule(
            ("azs",),
            "do not go with existing, whose owner decides it; leave out azs or existing",
            lambda it: is_null(it.existing) | is_null(it.azs),
        ),
        CrossRule(
            ("azs",),
            lambda it: f"are not {it.az_count} zones, and az_count is; must be as many",
            lambda it: given(it.azs, lambda zones: length(zones) == it.az_count, otherwise=True),
        ),
        CrossRule(
            ("existing",),
            "has no subnets of the kind that worker_subnets names; must list at least one",
            lambda it: given(
                it.existing,
                lambda vpc: (
                    length(
                        choose(it.worker_subnets == "public", vpc.public_subnet_ids, vpc.private_subnet_ids)
                    )
                    > 0
                ),
                otherwise=True,
            ),
        ),
    )

    def endpoints(self) -> list[str]:
        """The interface endpoints that this asks for, by name."""
        if isinstance(self.interface_endpoints, bool):
            return list(FARGATE_ENDPOINTS) if self.interface_endpoints else []
        return sorted(self.interface_endpoints)

    @property
    def has_way_out(self) -> bool:
        """Whether workers, or anything in the private subnets, reach the internet."""
        return self.private_has_way_out | (self.worker_subnets == "public")

    @property
    def private_has_way_out(self) -> bool:
        """Whether the private subnets reach the internet (of an existing VPC that is taken to be so)."""
        return is_set(self.existing) | (self.nat != "none")

    @property
    def is_closed(self) -> bool:
        """Whether the private subnets have no way out (of an existing VPC that is not known)."""
        return not_(self.private_has_way_out)
