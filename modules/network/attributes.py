"""What other stacks know of a network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule

from modules.common.port import Port
from modules.common.security_group import tags_of_rules
from modules.network.settings import NetworkSettings
from synthesis.expression import Expression, both, made, only_where, text
from synthesis.stack import attribute

HTTPS = 443


@dataclass(frozen=True)
class NetworkAttributes:
    """The subnets that tasks run in and the ways out of them."""

    vpc_id: Expression = attribute("Id of the VPC.")
    public_subnet_ids: Expression = attribute(
        "Ids of the public subnets, one per Availability Zone.", "list(string)"
    )
    private_subnet_ids: Expression = attribute(
        "Ids of the private subnets, one per Availability Zone.", "list(string)"
    )
    worker_subnet_ids: Expression = attribute(
        "Ids of the subnets that workers run in: private or public ones, in zones that have Fargate.",
        "list(string)",
    )
    worker_public_ip: Expression = attribute("Whether workers get public addresses.", "bool")
    has_way_out: Expression | bool = attribute("Whether the workers' subnets reach the internet.", "bool")
    private_has_way_out: Expression | bool = attribute(
        "Whether the private subnets reach the internet.", "bool"
    )
    has_interface_endpoints: Expression | bool = attribute(
        "Whether the VPC has interface endpoints of AWS services.", "bool"
    )
    endpoint_security_group_id: Expression = attribute(
        "Id of the interface endpoints' security group; empty without endpoints."
    )
    s3_prefix_list_id: Expression = attribute("Id of the prefix list of S3's addresses in the region.")

    def known(self, settings: NetworkSettings) -> NetworkAttributes:
        """The same, with what follows from a network's settings as values."""
        return replace(
            self,
            has_way_out=settings.has_way_out,
            private_has_way_out=settings.private_has_way_out,
            has_interface_endpoints=bool(settings.endpoints()),
        )

    def allow_way_out(
        self,
        group: SecurityGroup,
        who: str = "Workers",
        *,
        private: bool = False,
        where: Expression | None = None,
    ) -> None:
        """Let a security group's members reach what a task needs over HTTPS, and nothing else.

        That is S3, the interface endpoints where there are any (both sides' rules are written), and,
        where the subnets have a way out, the internet: Hatchet Cloud and registries have no fixed addresses.
        Plain HTTP is closed: scythe-engine cannot fetch a file reference that begins with ``http://``.

        Args:
            group: the security group.
            who: its members, in the words of the endpoints' rule.
            private: whether they are in the private subnets, wherever workers are.
            where: whether the group exists; None for always.
        """
        own = text(made(group, where).id)
        has_way_out = self.private_has_way_out if private else self.has_way_out
        VpcSecurityGroupEgressRule(
            group, "to_s3", count=only_where(where), security_group_id=own,
            description="S3, through its gateway endpoint", prefix_list_id=text(self.s3_prefix_list_id),
            ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, tags=tags_of_rules(group),
        )  # fmt: skip
        if has_way_out is not False:
            VpcSecurityGroupEgressRule(
                group, "to_internet", count=only_where(both(where, has_way_out)), security_group_id=own,
                description="Hatchet Cloud and AWS, over HTTPS", cidr_ipv4="0.0.0.0/0", ip_protocol="tcp",
                from_port=HTTPS, to_port=HTTPS, tags=tags_of_rules(group),
            )  # fmt: skip
        endpoints = Port(
            "endpoints",
            HTTPS,
            self.endpoint_security_group_id,
            "AWS, through the interface endpoints",
            exists=self.has_interface_endpoints,
        )
        endpoints.allow_from(group, who, where=where)
