"""The private subnets' way out: NAT gateways, or one small instance."""

from __future__ import annotations

from pathlib import Path

from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupInstanceRefresh,
    AutoscalingGroupInstanceRefreshPreferences,
    AutoscalingGroupLaunchTemplate,
    AutoscalingGroupTag,
)
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateMetadataOptions,
    LaunchTemplateNetworkInterfaces,
)
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.network_interface import NetworkInterface
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from modules.expression import Expression, each, hcl, ref, text, when
from modules.network.settings import NetworkSettings
from modules.stack import Label

AMAZON_LINUX = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
"""Resolved at launch, so a new release of Amazon's shows in no plan and the next instance has it
(Amazon EC2 Auto Scaling User Guide, "Use AWS Systems Manager parameters instead of AMI IDs")."""

HTTPS = 443


class Nat(Construct):
    """The way out of the private subnets, by ``settings.nat``.

    - ``none``: nothing.
    - ``instance``: a t4g.nano with one elastic address, which an autoscaling group of one replaces when it
      dies; about $6.70 a month with its address. All zones go through its zone: no way out while it is
      replaced, a few minutes.
    - ``single``: one NAT gateway, about $36 a month with its address, and $0.045 a GB.
    - ``per_az``: one in each zone; the loss of a zone leaves the others their way out.

    (us-east-1, on demand: Amazon EC2 and Amazon VPC pricing.) Another mode changes the routes in place.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: NetworkSettings,
        zones: Expression,
        vpc: Expression,
        public_subnets: Expression,
        private_tables: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._label = label
        self._is_instance = Expression(f'{settings.existing} == null && {settings.nat} == "instance"')
        gateways = self._create_gateways(settings, zones, public_subnets)
        interface = self._create_instance(settings, zones, vpc, public_subnets)
        Route(
            self,
            "Default",
            for_each=each(f'{settings.nat} == "none" ? {{}} : {private_tables}'),
            route_table_id="${each.value.id}",
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=text(
                f"{self._is_instance} ? null : try({gateways}[each.key].id, {gateways}[{zones}[0]].id)"
            ),
            network_interface_id=text(f"one({interface}[*].id)"),
        )

    def _create_gateways(self, settings: NetworkSettings, zones: Expression, public_subnets: Expression) -> Expression:
        served = (
            f'toset({settings.nat} == "per_az" ? {zones} : {settings.nat} == "single" ? '
            f"slice({zones}, 0, min(1, length({zones}))) : [])"
        )
        addresses = Eip(self, "address", for_each=each(served), domain="vpc", tags=self._label.tagged("nat-${each.key}"))
        gateways = NatGateway(
            self,
            "gateway",
            for_each=each(served),
            allocation_id=text(f"{ref(addresses)}[each.key].id"),
            subnet_id=text(f"{public_subnets}[each.key].id"),
            tags=self._label.tagged("${each.key}"),
        )
        return ref(gateways)

    def _create_instance(
        self, settings: NetworkSettings, zones: Expression, vpc: Expression, public_subnets: Expression
    ) -> Expression:
        """The interface, with its address and its place in the routes, outlives each instance behind it."""
        wanted = when(self._is_instance)
        first_zone = f"{zones}[0]"
        interface = NetworkInterface(
            self,
            "interface",
            count=wanted,
            subnet_id=text(f"{public_subnets}[{first_zone}].id"),
            security_groups=[text(self._create_security_group(settings, vpc))],
            source_dest_check=False,
            description="NAT instance",
            tags=self._label.tagged("nat"),
        )
        this = ref(interface)[0]
        Eip(
            self, "instance_address", count=wanted, domain="vpc", network_interface=text(this.id),
            tags=self._label.tagged("nat"),
        )  # fmt: skip
        template = ref(self._create_template(this))[0]
        AutoscalingGroup(
            self,
            "instance",
            count=wanted,
            name=f"{text(self._label.name)}-nat",
            min_size=1,
            max_size=1,
            # A group whose template names an interface is given the zone, not the subnet (Amazon EC2 Auto
            # Scaling User Guide, "Create a launch template using advanced settings", network interfaces).
            availability_zones=[text(first_zone)],
            launch_template=AutoscalingGroupLaunchTemplate(id=text(template.id), version=text(template.latest_version)),
            # The interface can belong to one instance at a time: the old one goes before the new one comes.
            instance_refresh=AutoscalingGroupInstanceRefresh(
                strategy="Rolling", preferences=AutoscalingGroupInstanceRefreshPreferences(min_healthy_percentage=0)
            ),
            wait_for_capacity_timeout="0",
            tag=[AutoscalingGroupTag(key="Name", value=f"{text(self._label.name)}-nat", propagate_at_launch=True)],
        )
        return ref(interface)

    def _create_security_group(self, settings: NetworkSettings, vpc: Expression) -> Expression:
        wanted = when(self._is_instance)
        group = SecurityGroup(
            self,
            "instance_access",
            count=wanted,
            name_prefix=f"{text(self._label.name)}-nat-",
            description="NAT instance",
            vpc_id=text(vpc.id),
            tags=self._label.tagged("nat"),
            lifecycle={"create_before_destroy": True},
        )
        id_ = ref(group)[0].id
        VpcSecurityGroupIngressRule(
            self, "from_vpc", count=wanted, security_group_id=text(id_), description="HTTPS out of the private subnets",
            cidr_ipv4=text(settings.cidr), ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS,
        )  # fmt: skip
        VpcSecurityGroupEgressRule(
            self, "to_internet", count=wanted, security_group_id=text(id_), description="HTTPS to the internet",
            cidr_ipv4="0.0.0.0/0", ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS,
        )  # fmt: skip
        return id_

    def _create_template(self, interface: Expression) -> LaunchTemplate:
        boot = Path(__file__).with_name("nat_instance.sh").read_text()
        return LaunchTemplate(
            self,
            "template",
            count=when(self._is_instance),
            name_prefix=f"{text(self._label.name)}-nat-",
            image_id=AMAZON_LINUX,
            instance_type="t4g.nano",
            user_data=text(f"base64encode({hcl(boot)})"),
            update_default_version=True,
            block_device_mappings=[
                LaunchTemplateBlockDeviceMappings(
                    device_name="/dev/xvda", ebs=LaunchTemplateBlockDeviceMappingsEbs(encrypted="true", volume_type="gp3")
                )
            ],
            metadata_options=LaunchTemplateMetadataOptions(http_tokens="required", http_endpoint="enabled"),
            network_interfaces=[
                LaunchTemplateNetworkInterfaces(
                    device_index=0, network_interface_id=text(interface.id), delete_on_termination="false"
                )
            ],
            tags=self._label.tagged("nat"),
        )
