"""What other stacks know of a network."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule

from modules.expression import Expression, ref, text, when
from modules.stack import attribute

HTTPS = 443


@dataclass(frozen=True)
class NetworkAttributes:
    """The subnets that tasks run in and the ways out of them."""

    vpc_id: Expression = attribute("Id of the VPC.")
    public_subnet_ids: Expression = attribute("Ids of the public subnets, one per Availability Zone.")
    private_subnet_ids: Expression = attribute("Ids of the private subnets, one per Availability Zone.")
    worker_subnet_ids: Expression = attribute(
        "Ids of the subnets that workers run in: private or public ones, in zones that have Fargate."
    )
    worker_public_ip: Expression = attribute("Whether workers get public addresses.")
    has_way_out: Expression = attribute("Whether the workers' subnets reach the internet.")
    has_interface_endpoints: Expression = attribute(
        "Whether the VPC has interface endpoints of AWS services."
    )
    endpoint_security_group_id: Expression = attribute(
        "Id of the interface endpoints' security group; empty without endpoints."
    )
    s3_prefix_list_id: Expression = attribute("Id of the prefix list of S3's addresses in the region.")

    def allow_way_out(self, group: SecurityGroup) -> None:
        """Let a security group's members reach what a worker needs over HTTPS, and nothing else.

        That is S3, the interface endpoints where there are any (both sides' rules are written), and,
        where the subnets have a way out, the internet: Hatchet Cloud and ECR have no fixed addresses.
        """
        own = text(ref(group).id)
        VpcSecurityGroupEgressRule(
            group, "to_s3", security_group_id=own, description="S3, through its gateway endpoint",
            prefix_list_id=text(self.s3_prefix_list_id), ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS,
        )  # fmt: skip
        VpcSecurityGroupEgressRule(
            group, "to_internet", count=when(self.has_way_out), security_group_id=own,
            description="Hatchet Cloud and AWS, over HTTPS", cidr_ipv4="0.0.0.0/0", ip_protocol="tcp",
            from_port=HTTPS, to_port=HTTPS,
        )  # fmt: skip
        VpcSecurityGroupEgressRule(
            group, "to_endpoints", count=when(self.has_interface_endpoints), security_group_id=own,
            description="AWS, through the interface endpoints",
            referenced_security_group_id=text(self.endpoint_security_group_id),
            ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS,
        )  # fmt: skip
        VpcSecurityGroupIngressRule(
            group, "at_endpoints", count=when(self.has_interface_endpoints),
            security_group_id=text(self.endpoint_security_group_id), description="Workers",
            referenced_security_group_id=own, ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS,
        )  # fmt: skip
