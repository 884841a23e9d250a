"""The load balancer's target groups that a part of Hatchet is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthesis.expression import Expression, text

GRACE_SECONDS = 120
"""After a task's start, in which ECS kills it for no health check (Amazon ECS API, ``healthCheckGracePeriodSeconds``):
what an engine may take to start while its database fails over."""


@dataclass(frozen=True)
class Target:
    """A load balancer's target group that a part's tasks are in.

    Attributes:
        group_arn: the target group.
        container: the container that answers.
        port: where.
        exists: whether there is such a target group; None for always.
    """

    group_arn: Expression
    container: str
    port: int
    exists: Expression | None = None


def groups_of(targets: Sequence[Target]) -> str:
    """The target groups that exist, as a list of Terraform's."""
    groups = ", ".join(
        f"({'true' if target.exists is None else target.exists}) ? [{{ arn = {target.group_arn}, container = "
        f'"{target.container}", port = {target.port} }}] : []'
        for target in targets
    )
    return f"concat({groups})"


def load_balancers(groups: str) -> Mapping[str, object]:
    """A service's ``load_balancer`` blocks, one for each group of a list."""
    return {
        "for_each": text(groups),
        "content": {
            "target_group_arn": "${load_balancer.value.arn}",
            "container_name": "${load_balancer.value.container}",
            "container_port": "${load_balancer.value.port}",
        },
    }
