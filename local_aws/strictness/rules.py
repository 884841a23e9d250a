"""All rules of the strict local AWS, in the order in which they are asked."""

from __future__ import annotations

from local_aws.strictness import (
    concurrency,
    databases,
    fargate,
    load_balancing,
    names,
    network,
    order_ecs,
    order_network,
    order_others,
    scaling,
    security_groups,
    services,
    sizes,
    storage,
    task_definitions,
    values,
)
from local_aws.strictness.exempt import EXEMPT
from local_aws.strictness.rule import Rule

RULES: tuple[Rule, ...] = (
    # First, so that every other rule finds the values that it expects.
    *values.RULES,
    *concurrency.RULES,
    *names.RULES,
    *sizes.RULES,
    *fargate.RULES,
    *task_definitions.RULES,
    *services.RULES,
    *network.RULES,
    *security_groups.RULES,
    *load_balancing.RULES,
    *databases.RULES,
    *storage.RULES,
    *scaling.RULES,
    *order_ecs.RULES,
    *order_network.RULES,
    *order_others.RULES,
)

__all__ = ["EXEMPT", "RULES"]
