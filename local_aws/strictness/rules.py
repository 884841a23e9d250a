"""All rules of the strict local AWS, in the order in which they are asked."""

from __future__ import annotations

from local_aws.strictness.rule import Exempt, Rule

RULES: tuple[Rule, ...] = ()

EXEMPT: tuple[Exempt, ...] = ()
