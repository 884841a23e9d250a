"""A NAT instance that an autoscaling group of one keeps alive."""

from __future__ import annotations

from pathlib import Path

from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupInstanceRefresh,
    AutoscalingGroupInstanceRefreshPreferences,
    AutoscalingGroupLaunchTemplate,
)
from cdktf_cdktf_provider_aws.data_aws_default_tags import DataAwsDefaultTags
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateMetadataOptions,
    LaunchTemplateNetworkInterfaces,
    LaunchTemplateTagSpecifications,
)
from cdktf_cdktf_provider_aws.network_interface import NetworkInterface
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from modules.common.script import script
from modules.common.security_group import create_security_group, tags_of_rules
from modules.network.attributes import HTTPS
from modules.network.settings import NetworkSettings
from modules.network.subnets import Layout
from synthesis.expression import Exists, Expression, mapping, ref, text
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress

AMAZON_LINUX = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
"""Resolved at launch, so a release of Amazon's shows in no plan and the next instance has it
(Amazon EC2 Auto Scaling User Guide, "Use AWS Systems Manager parameters instead of AMI IDs")."""


class NatInstance(Construct):
    """A t4g.nano that forwards HTTPS.

    Its interface, with the address and its place in the routes, outlives each instance behind it. While the
    group replaces one, a few minutes, the private subnets have no way out. A boot that does not succeed within 15
    minutes powers the instance off, and the group replaces it (Amazon EC2 Auto Scaling User Guide, "Health checks for
    instances in an Auto Scaling group": any state but running is unhealthy).

    Costs: $3.07 a month, its address $3.65, its disk $0.64 (us-east-1, on demand: Amazon EC2 pricing).

    Attributes:
        network_interface_id: where the routes lead; null where it does not exist.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: NetworkSettings,
        layout: Layout,
        exists: Exists,
    ) -> None:
        super().__init__(scope, id_)
        self._label, self._exists, self._count = label, exists, exists.count
        zone = layout.zones[0]
        if exists.condition is not None:
            # An existing VPC has no zones of ours, and Terraform validates the index whatever the count.
            zone = Expression(f'try({zone}, "")')
        interface = NetworkInterface(
            self,
            "NetworkInterface",
            count=self._count,
            subnet_id=text(f"{layout.public.subnets}[{zone}].id"),
            security_groups=[text(self._create_security_group(settings, layout.vpc))],
            source_dest_check=False,
            description="NAT instance",
            tags=label.tagged("nat"),
        )
        address = Eip(
            self,
            "Address",
            count=self._count,
            domain="vpc",
            network_interface=text(exists.ref(interface).id),
            tags=label.tagged("nat"),
            depends_on=[layout.internet],
        )
        suppress(address, {"CKV2_AWS_19": "attached to the interface that outlives each NAT instance"})
        launched = self._launched_tags()
        self._create_group(self._create_template(exists.ref(interface), launched), zone, address, launched)
        interfaces = ref(interface)
        self.network_interface_id = (
            interfaces.id if exists.condition is None else Expression(f"one({interfaces}[*].id)")
        )

    def _create_group(self, template: Expression, zone: Expression, address: Eip, tags: Expression) -> None:
        group = AutoscalingGroup(
            self,
            "Group",
            count=self._count,
            name=f"{text(self._label.name)}-nat",
            min_size=1,
            max_size=1,
            # A group whose template names an interface is given the zone, not the subnet (Amazon EC2 Auto
            # Scaling User Guide, "Create a launch template using advanced settings", network interfaces).
            availability_zones=[text(zone)],
            launch_template=AutoscalingGroupLaunchTemplate(
                id=text(template.id), version=text(template.latest_version)
            ),
            # The interface belongs to one instance at a time: the old one goes before the new one comes.
            instance_refresh=AutoscalingGroupInstanceRefresh(
                strategy="Rolling",
                preferences=AutoscalingGroupInstanceRefreshPreferences(min_healthy_percentage=0),
            ),
            wait_for_capacity_timeout="0",
            # The boot script fetches a package.
            depends_on=[address],
        )
        # Nor do the provider's default tags reach a group.
        group.add_override(
            "dynamic.tag",
            {
                "for_each": text(tags),
                "content": {
                    "key": "${tag.key}",
                    "value": "${tag.value}",
                    # The template's own tags say it to what is launched.
                    "propagate_at_launch": False,
                },
            },
        )

    def _create_security_group(self, settings: NetworkSettings, vpc: Expression) -> Expression:
        group = create_security_group(
            self,
            "SecurityGroup",
            label=self._label,
            name="nat",
            description="NAT instance",
            vpc_id=vpc.id,
            count=self._count,
        )
        id_ = self._exists.ref(group).id
        VpcSecurityGroupIngressRule(
            self, "from_vpc", count=self._count, security_group_id=text(id_),
            description="HTTPS out of the private subnets", cidr_ipv4=settings.cidr,
            ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, tags=tags_of_rules(group),
        )  # fmt: skip
        VpcSecurityGroupEgressRule(
            self, "to_internet", count=self._count, security_group_id=text(id_),
            description="HTTPS to the internet", cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, tags=tags_of_rules(group),
        )  # fmt: skip
        return id_

    def _create_template(self, interface: Expression, launched: Expression) -> Expression:
        boot = script(self, Path(__file__).with_name("nat_instance.sh"))
        disk = LaunchTemplateBlockDeviceMappingsEbs(
            delete_on_termination="true", encrypted="true", volume_size=8, volume_type="gp3"
        )
        template = LaunchTemplate(
            self,
            "Template",
            count=self._count,
            name_prefix=f"{text(self._label.name)}-nat-",
            image_id=AMAZON_LINUX,
            instance_type="t4g.nano",
            user_data=text(f"base64encode({hcl(boot)})"),
            update_default_version=True,
            block_device_mappings=[LaunchTemplateBlockDeviceMappings(device_name="/dev/xvda", ebs=disk)],
            metadata_options=LaunchTemplateMetadataOptions(
                http_tokens="required", http_endpoint="enabled", http_put_response_hop_limit=1
            ),
            network_interfaces=[
                LaunchTemplateNetworkInterfaces(
                    device_index=0, network_interface_id=text(interface.id), delete_on_termination="false"
                )
            ],
            tag_specifications=[
                LaunchTemplateTagSpecifications(resource_type=kind, tags=mapping(launched))
                for kind in ("instance", "volume")
            ],
            tags=self._label.tagged("nat"),
        )
        return self._exists.ref(template)

    def _launched_tags(self) -> Expression:
        """The tags of the group and of what it launches, which the provider's default tags do not reach.

        A policy that asks for tags refuses an instance without them, and the budget counts by them (AWS provider,
        ``aws_launch_template``: default tags are not for ``tag_specifications``).
        """
        default = ref(DataAwsDefaultTags(self, "DefaultTags")).tags
        own = [] if self._label.tags is None else [self._label.tags]
        named = hcl({"Name": f"{text(self._label.name)}-nat"})
        return Expression(f"merge({', '.join(map(str, [default, *own, named]))})")
