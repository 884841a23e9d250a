"""A security group that nothing comes into or goes out of until a rule says so."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import ITerraformDependable, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from synthesis.expression import mapping, text
from synthesis.functions import choose, length
from synthesis.stack import Label
from synthesis.typed import typed


def create_security_group(
    scope: Construct,
    id_: str,
    *,
    label: Label,
    name: str,
    description: str,
    vpc_id: object,
    count: float | None = None,
) -> SecurityGroup:
    """Make the security group ``<environment>-<name>-...``.

    A group that is replaced is made before the old one goes, since interfaces hold it; hence the generated ending.

    Args:
        scope: the construct that it is of.
        id_: its place there.
        label: what names and tags it.
        name: the middle of its name.
        description: whose it is. AWS takes no other for it without a new group.
        vpc_id: the expression of its VPC's id.
        count: of the resource; None for one, always.
    """
    return SecurityGroup(
        scope,
        id_,
        count=count,
        name_prefix=f"{text(label.name)}-{name}-",
        description=description,
        vpc_id=text(vpc_id),
        tags=label.tagged(name),
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
    )


def tags_of_rules(group: SecurityGroup) -> Mapping[str, str] | None:
    """The ``tags`` argument of a group's rules: a module's caller's; None where the provider's default tags carry them."""
    label: Label | None = getattr(TerraformStack.of(group), "label", None)
    if label is None or label.tags is None:
        return None
    # To a rule, unlike to most resources, none is another value than an empty map.
    tags = typed(dict[str, str], str(label.tags))
    return mapping(choose(length(tags) > 0, tags, None))


def ways_out(group: SecurityGroup) -> list[ITerraformDependable]:
    """Return the rules that let a security group's members out, and in where they go, of all that gave it some so far."""
    kinds = (VpcSecurityGroupEgressRule, VpcSecurityGroupIngressRule)
    return [rule for rule in group.node.children if isinstance(rule, kinds)]
