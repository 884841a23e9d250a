"""The VPC: subnets per Availability Zone, the ways out, flow logs; or a VPC that exists."""

from __future__ import annotations

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

from modules.common.account import region_code
from modules.network.attributes import NetworkAttributes
from modules.network.endpoints import Endpoints
from modules.network.flow_logs import FlowLogs
from modules.network.nat import Nat
from modules.network.resolution import resolves_names
from modules.network.settings import NetworkSettings
from modules.network.subnets import Layout, Subnets
from synthesis.expression import Expression, each, local, ref, text, when
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress

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
        self._label = label
        self._made = Expression(f"{settings.existing} == null")
        DataAwsVpc(
            self,
            "existing",
            count=when(f"{settings.existing} != null"),
            id=text(f"try({settings.existing}.vpc_id, null)"),
            lifecycle=resolves_names(),
        )
        self._zones = self._choose_zones(settings)
        self._vpc = self._create_vpc(settings)
        public = self._create_subnets(
            "public", f"cidrsubnet({settings.cidr}, {PUBLIC_BITS}, {PUBLIC_FIRST} + i)"
        )
        private = self._create_subnets("private", f"cidrsubnet({settings.cidr}, {PRIVATE_BITS}, i)")
        internet = self._open_to_internet(public.route_tables)

        layout = Layout(
            vpc=self._vpc,
            zones=self._zones,
            fargate_zones=self._fargate_zones,
            public=public,
            private=private,
            internet=internet,
        )
        region = region_code(self)
        Nat(self, "nat", label=label, settings=settings, layout=layout)
        endpoints = Endpoints(
            self, "Endpoints", label=label, settings=settings, layout=layout, region=region,
            has_way_out=self._has_way_out(settings),
        )  # fmt: skip
        FlowLogs(self, "flow_logs", label=label, settings=settings, vpc=self._vpc, key_arn=logs_key_arn)
        self.attributes = self._attributes(settings, region, public.subnets, private.subnets, endpoints)

    def _choose_zones(self, settings: NetworkSettings) -> Expression:
        """The zones to use, those without Fargate last, so that a further zone moves no other."""
        available = DataAwsAvailabilityZones(
            self,
            "available",
            filter=[DataAwsAvailabilityZonesFilter(name="opt-in-status", values=["opt-in-not-required"])],
            state="available",
            lifecycle=TerraformResourceLifecycle(
                postcondition=[
                    Postcondition(
                        condition=text(f"length(self.names) >= {settings.az_count}"),
                        error_message="the region has ${length(self.names)} Availability Zones: az_count is larger",
                    )
                ]
            ),
        )
        zones = ref(available)
        self._fargate_zones = local(
            self,
            "fargate_zones",
            f"[for i, name in {zones}.names : name "
            f"if !contains({hcl(ZONES_WITHOUT_FARGATE)}, {zones}.zone_ids[i])]",
        )
        fargate = self._fargate_zones
        ordered = f"concat({fargate}, [for name in {zones}.names : name if !contains({fargate}, name)])"
        return local(self, "zones", f"{self._made} ? slice({ordered}, 0, {settings.az_count}) : []")

    def _create_vpc(self, settings: NetworkSettings) -> Expression:
        vpc = Vpc(
            self,
            "Vpc",
            count=when(self._made),
            cidr_block=text(settings.cidr),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._label.tagged("vpc"),
        )
        suppress(vpc, {"CKV2_AWS_11": "network.flow_logs asks for them: they cost $0.50 a GB"})
        this = ref(vpc)[0]
        DefaultSecurityGroup(
            self,
            "DefaultSecurityGroup",
            count=when(self._made),
            vpc_id=text(this.id),
            tags=self._label.tagged("default-closed"),
        )
        return this

    def _create_subnets(self, tier: str, cidr: str) -> Subnets:
        return Subnets(self, tier, label=self._label, zones=self._zones, vpc=self._vpc, cidr=cidr)

    def _open_to_internet(self, tables: Expression) -> Route:
        gateway = InternetGateway(
            self,
            "InternetGateway",
            count=when(self._made),
            vpc_id=text(self._vpc.id),
            tags=self._label.tagged("internet"),
        )
        return Route(
            self,
            "internet",
            for_each=each(tables),
            route_table_id="${each.value.id}",
            destination_cidr_block="0.0.0.0/0",
            gateway_id=text(ref(gateway)[0].id),
        )

    def _attributes(
        self,
        settings: NetworkSettings,
        region: Expression,
        public: Expression,
        private: Expression,
        endpoints: Endpoints,
    ) -> NetworkAttributes:
        existing = settings.existing
        made_public = f"[for zone in {self._zones} : {public}[zone].id]"
        made_private = f"[for zone in {self._zones} : {private}[zone].id]"
        is_public = f'{settings.worker_subnets} == "public"'
        for_workers = (
            f"[for zone in {self._zones} : ({is_public} ? {public}[zone].id : {private}[zone].id) "
            f"if contains({self._fargate_zones}, zone)]"
        )
        given = f"({is_public} ? {existing}.public_subnet_ids : {existing}.private_subnet_ids)"
        s3 = DataAwsEc2ManagedPrefixList(self, "s3", name=f"com.amazonaws.{text(region)}.s3")
        return NetworkAttributes(
            vpc_id=self._either(self._vpc.id, f"{existing}.vpc_id"),
            public_subnet_ids=self._either(made_public, f"{existing}.public_subnet_ids"),
            private_subnet_ids=self._either(made_private, f"{existing}.private_subnet_ids"),
            worker_subnet_ids=self._either(for_workers, given),
            worker_public_ip=Expression(is_public),
            has_way_out=self._has_way_out(settings),
            private_has_way_out=Expression(f'{existing} != null || {settings.nat} != "none"'),
            has_interface_endpoints=endpoints.exist,
            endpoint_security_group_id=endpoints.security_group_id,
            s3_prefix_list_id=ref(s3).id,
        )

    def _has_way_out(self, settings: NetworkSettings) -> Expression:
        """Whether workers, or anything in the private subnets, reach the Internet."""
        return Expression(
            f'{settings.existing} != null || {settings.worker_subnets} == "public" || {settings.nat} != "none"'
        )

    def _either(self, made: object, existing: str) -> Expression:
        return Expression(f"{self._made} ? {made} : {existing}")
