"""The VPC: subnets per Availability Zone, the ways out, flow logs; or a VPC that exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cdktf import Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_availability_zones import (
    DataAwsAvailabilityZones,
    DataAwsAvailabilityZonesFilter,
)
from cdktf_cdktf_provider_aws.data_aws_ec2_managed_prefix_list import DataAwsEc2ManagedPrefixList
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.vpc import Vpc
from constructs import Construct

from modules.common.account import Account
from modules.network.attributes import NetworkAttributes
from modules.network.endpoints import Endpoints, services
from modules.network.flow_logs import FlowLogs
from modules.network.nat import Nat
from modules.network.resolution import resolves_names
from modules.network.settings import NetworkSettings
from modules.network.subnets import Layout, Subnets
from synthesis.expression import Exists, Expression, each, local, ref, text, where
from synthesis.functions import attempt, choose, given, is_null, is_set, length
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress
from synthesis.typed import OR, operand, typed

ZONES_WITHOUT_FARGATE = ["apne1-az3", "cac1-az3", "cnn1-az3", "use1-az3", "usw1-az2"]
"""Zones in which Fargate runs no tasks (Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate")."""

PRIVATE_BITS = 3
"""A private subnet is an eighth of the VPC, by its zone's place: in a /16 a /19, room for 8,187 tasks."""
PUBLIC_BITS, PUBLIC_FIRST = 6, 48
"""The seventh eighth of the VPC, cut into eight, is for public subnets: in a /16 each is a /22."""


class Network(Construct):
    """A VPC with a public and a private subnet in each Availability Zone.

    Makes: the VPC with its default security group closed, an internet gateway, subnets and route tables,
    the S3 gateway endpoint, and by choice NAT, interface endpoints and flow logs. With
    ``settings.existing`` it makes none of these and passes on what exists.

    Costs: nothing by itself; `Nat` and `Endpoints` say theirs.

    Attributes:
        attributes: what other stacks need of it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: NetworkSettings,
        logs_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._label, self._settings, self._region = label, settings, Account(self).region
        where(is_set(settings.existing), self._look_up)
        own = where(is_null(settings.existing), partial(self._create, logs_key_arn))
        self.attributes = self._attributes(own)

    def _look_up(self, exists: Exists) -> None:
        existing: Any = self._settings.existing
        DataAwsVpc(
            self,
            "existing",
            count=exists.count,
            id=attempt(lambda: existing.vpc_id, otherwise=None),
            lifecycle=resolves_names(),
        )

    def _create(self, logs_key_arn: Expression, exists: Exists) -> Own:
        label, settings = self._label, self._settings
        zones, fargate_zones = self._choose_zones(exists)
        vpc = self._create_vpc(exists)
        make = partial(Subnets, self, label=label, zones=zones, vpc=vpc)
        cidr = hcl(settings.cidr)
        public = make("public", cidr=f"cidrsubnet({cidr}, {PUBLIC_BITS}, {PUBLIC_FIRST} + i)")
        private = make("private", cidr=f"cidrsubnet({cidr}, {PRIVATE_BITS}, i)")
        layout = Layout(
            exists=exists,
            vpc=vpc,
            zones=zones,
            fargate_zones=fargate_zones,
            public=public,
            private=private,
            internet=self._open_to_internet(vpc, public.route_tables, exists),
        )
        Nat(self, "nat", label=label, settings=settings, layout=layout)
        endpoints = Endpoints(
            self, "Endpoints", label=label, settings=settings, layout=layout, region=self._region
        )
        where(
            is_set(settings.flow_logs),
            lambda logged: FlowLogs(
                self,
                "flow_logs",
                label=label,
                settings=settings,
                exists=logged,
                vpc=vpc,
                key_arn=logs_key_arn,
            ),
        )
        return Own(layout, endpoints)

    def _choose_zones(self, exists: Exists) -> tuple[Expression, Expression]:
        """The zones to use, those without Fargate last, so that a further zone moves no other; and those with Fargate."""
        count = hcl(self._settings.az_count)
        available = DataAwsAvailabilityZones(
            self,
            "available",
            filter=[DataAwsAvailabilityZonesFilter(name="opt-in-status", values=["opt-in-not-required"])],
            state="available",
            lifecycle=TerraformResourceLifecycle(
                postcondition=[
                    Postcondition(
                        condition=text(f"length(self.names) >= {count}"),
                        error_message="the region has ${length(self.names)} Availability Zones: az_count is larger",
                    )
                ]
            ),
        )
        zones = ref(available)
        fargate = local(
            self,
            "fargate_zones",
            f"[for i, name in {zones}.names : name "
            f"if !contains({hcl(ZONES_WITHOUT_FARGATE)}, {zones}.zone_ids[i])]",
        )
        ordered = f"concat({fargate}, [for name in {zones}.names : name if !contains({fargate}, name)])"
        first = typed(list[str], f"slice({ordered}, 0, {count})")
        chosen = given(self._settings.azs, lambda azs: azs, otherwise=first)
        return local(self, "zones", exists.items(hcl(chosen))), fargate

    def _create_vpc(self, exists: Exists) -> Expression:
        vpc = Vpc(
            self,
            "Vpc",
            count=exists.count,
            cidr_block=self._settings.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._label.tagged("vpc"),
        )
        suppress(vpc, {"CKV2_AWS_11": "network.flow_logs asks for them: they cost $0.50 a GB"})
        this = exists.ref(vpc)
        DefaultSecurityGroup(
            self,
            "DefaultSecurityGroup",
            count=exists.count,
            vpc_id=text(this.id),
            tags=self._label.tagged("default-closed"),
        )
        return this

    def _open_to_internet(self, vpc: Expression, tables: Expression, exists: Exists) -> Route:
        gateway = InternetGateway(
            self,
            "InternetGateway",
            count=exists.count,
            vpc_id=text(vpc.id),
            tags=self._label.tagged("internet"),
        )
        return Route(
            self,
            "internet",
            for_each=each(tables),
            route_table_id="${each.value.id}",
            destination_cidr_block="0.0.0.0/0",
            gateway_id=text(exists.ref(gateway).id),
        )

    def _attributes(self, own: Own | None) -> NetworkAttributes:
        settings = self._settings
        is_public = settings.worker_subnets == "public"
        s3 = DataAwsEc2ManagedPrefixList(self, "s3", name=f"com.amazonaws.{self._region}.s3")
        return NetworkAttributes(
            vpc_id=self._either(own, lambda made: made.layout.vpc.id, lambda vpc: vpc.vpc_id),
            public_subnet_ids=self._either(
                own, lambda made: made.subnet_ids(made.layout.public), lambda vpc: vpc.public_subnet_ids
            ),
            private_subnet_ids=self._either(
                own, lambda made: made.subnet_ids(made.layout.private), lambda vpc: vpc.private_subnet_ids
            ),
            worker_subnet_ids=self._either(
                own,
                lambda made: made.fargate_subnet_ids(is_public),
                lambda vpc: choose(is_public, vpc.public_subnet_ids, vpc.private_subnet_ids),
            ),
            worker_public_ip=Expression(hcl(is_public)),
            has_way_out=Expression(hcl(settings.has_way_out)),
            private_has_way_out=Expression(hcl(settings.private_has_way_out)),
            has_interface_endpoints=Expression(hcl(length(services(settings)) > 0)),
            endpoint_security_group_id=own.endpoints.security_group_id if own else Expression('""'),
            s3_prefix_list_id=ref(s3).id,
        )

    def _either(
        self, own: Own | None, made: Callable[[Own], object], existing: Callable[[Any], object]
    ) -> Expression:
        """What is made, or what is there already, as `NetworkSettings.existing` says."""
        theirs = self._settings.existing
        if own is None:
            chosen = existing(theirs)
            return Expression(f"tolist({hcl(chosen)})" if isinstance(chosen, list) else hcl(chosen))
        return Expression(hcl(given(theirs, existing, otherwise=typed(None, hcl(made(own))))))


@dataclass(frozen=True)
class Own:
    """A network that is made.

    Attributes:
        layout: its parts.
        endpoints: its VPC endpoints.
    """

    layout: Layout
    endpoints: Endpoints

    def subnet_ids(self, tier: Subnets) -> Expression:
        """The ids of a tier's subnets, in the order of the zones."""
        return Expression(f"[for zone in {self.layout.zones} : {tier.subnets}[zone].id]")

    def fargate_subnet_ids(self, is_public: bool) -> Expression:
        """The ids of the workers' subnets, in zones that have Fargate."""
        layout = self.layout
        public, private = (
            typed(None, f"{tier.subnets}[zone].id") for tier in (layout.public, layout.private)
        )
        id_ = operand(choose(is_public, public, private), OR)
        return Expression(f"[for zone in {layout.zones} : {id_} if contains({layout.fargate_zones}, zone)]")
