"""What AWS refuses although Terraform plans it: checks on the JSON of an environment's plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.review.aws_rules import (
    containers,
    databases,
    load_balancing,
    naming,
    networking,
    permissions,
    reaching,
    scaling,
    tasks,
    watching,
)
from ops.review.aws_rules.planned import Breach, Planned, Rule

RULES: tuple[Rule, ...] = (
    *naming.RULES,
    *tasks.RULES,
    *containers.RULES,
    *scaling.RULES,
    *networking.RULES,
    *reaching.RULES,
    *load_balancing.RULES,
    *databases.RULES,
    *watching.RULES,
    *permissions.RULES,
)


def breaches(plans: Iterable[Mapping[str, Any]]) -> list[Breach]:
    """What AWS would refuse in the plans of one environment.

    Args:
        plans: the plans of its stacks, as ``terraform show -json`` prints them. What only an apply will tell is
            not judged, so a plan made after the apply tells most.

    Returns:
        The breaches in the order of their addresses.
    """
    planned = Planned(plans)
    return sorted(
        Breach(resource.address, rule.__name__, message)
        for rule in RULES
        for resource, message in rule(planned)
    )
