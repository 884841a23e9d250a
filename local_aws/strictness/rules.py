"""All rules of the strict local AWS, in the order in which they are asked."""

from __future__ import annotations

from local_aws.strictness import values
from local_aws.strictness.rule import Exempt, Rule

RULES: tuple[Rule, ...] = (
    # First, so that every other rule finds the values that it expects.
    *values.RULES,
)

EXEMPT: tuple[Exempt, ...] = ()
