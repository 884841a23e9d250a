"""A TCP port that its owner opens to others by name."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule

from modules.common.security_group import tags_of_rules
from synthesis.expression import Expression, both, made, only_where, text


@dataclass(frozen=True)
class Port:
    """What answers at a TCP port of a security group's members.

    Attributes:
        name: what it is called in the addresses of rules, such as ``database``.
        number: the port.
        group_id: the security group that it is behind.
        description: what it is, in the words of a rule.
        exists: whether it does; None for always.
    """

    name: str
    number: int
    group_id: Expression
    description: str
    exists: Expression | bool | None = None

    def allow_from(self, peer: SecurityGroup, who: str, *, where: Expression | None = None) -> None:
        """Let a security group's members in: the rule here, and theirs that lets them out to here.

        Args:
            peer: the security group.
            who: its members, in the words of the rule here.
            where: whether the peer exists; None for always.
        """
        if self.exists is False:
            return
        count = only_where(both(self.exists, where))
        peer_id = text(made(peer, where).id)
        VpcSecurityGroupEgressRule(
            peer, f"to_{self.name}", count=count, security_group_id=peer_id, description=self.description,
            referenced_security_group_id=text(self.group_id), ip_protocol="tcp", from_port=self.number,
            to_port=self.number, tags=tags_of_rules(peer),
        )  # fmt: skip
        VpcSecurityGroupIngressRule(
            peer, f"at_{self.name}", count=count, security_group_id=text(self.group_id), description=who,
            referenced_security_group_id=peer_id, ip_protocol="tcp", from_port=self.number, to_port=self.number,
            tags=tags_of_rules(peer),
        )  # fmt: skip
