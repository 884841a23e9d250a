"""IAM policy documents as typed statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthesis.expression import Expression, text
from synthesis.literals import hcl
from synthesis.typed import Typed


@dataclass(frozen=True)
class Condition:
    """One test of a statement, such as ``StringEquals aws:SourceAccount 123456789012``.

    With `only_with`, an expression, the test is there unless that is empty.
    """

    test: str
    variable: str
    values: Sequence[object]
    only_with: Expression | None = None


@dataclass(frozen=True)
class Statement:
    """One statement of a policy; `services` are the principals of a trust policy.

    The resources are a list, or the expression of one. With `only_with`, a name and the expression of a list, the
    statement is there unless that list is empty; its other expressions may read the list by the name.
    """

    actions: Sequence[str]
    resources: Sequence[object] | Expression = ()
    conditions: Sequence[Condition] = ()
    services: Sequence[str] = ()
    effect: str = "Allow"
    everyone: bool = False
    only_with: tuple[str, Expression] | None = None

    def document(self) -> dict[str, object]:
        """The statement in IAM's own grammar."""
        body: dict[str, object] = {"Effect": self.effect, "Action": list(self.actions)}
        if self.services:
            body["Principal"] = {"Service": list(self.services)}
        if self.everyone:
            body["Principal"] = "*"
        if isinstance(self.resources, Expression | Typed):
            body["Resource"] = self.resources
        elif self.resources:
            body["Resource"] = list(self.resources)
        if self.conditions:
            body["Condition"] = _tests(self.conditions)
        return body


def _tests(conditions: Sequence[Condition]) -> object:
    tests: dict[str, dict[str, list[object]]] = {}
    optional = []
    for condition in conditions:
        test = {condition.variable: list(condition.values)}
        if condition.only_with is None:
            tests.setdefault(condition.test, {}).update(test)
        else:
            optional.append(
                f'{{ for name, test in {{ {condition.test} = {hcl(test)} }} : name => test if ({condition.only_with}) != "" }}'
            )
    if not optional:
        return tests
    names = [condition.test for condition in conditions if condition.only_with is not None]
    if len({*names, *tests}) < len(names) + len(tests):
        msg = f"a test that may be left out stands alone under its name: {names}"
        raise ValueError(msg)
    return Expression(f"merge({', '.join([hcl(tests), *optional])})")


def policy(*statements: Statement | None) -> str:
    """A policy document, as the argument of a resource.

    The JSON is Terraform's to write, so that an ARN known only to Terraform can stand in it.
    """
    given = [statement for statement in statements if statement is not None]
    document = {"Version": "2012-10-17", "Statement": _listed(given)}
    return text(f"jsonencode({hcl(document)})")


def _listed(statements: Sequence[Statement]) -> object:
    documents = [statement.document() for statement in statements]
    if all(statement.only_with is None for statement in statements):
        return documents
    parts = []
    for statement, document in zip(statements, documents, strict=True):
        if statement.only_with is None:
            parts.append(hcl([document]))
        else:
            name, items = statement.only_with
            parts.append(f"[for {name} in [{items}] : {hcl(document)} if length({name}) > 0]")
    return Expression(f"concat({', '.join(parts)})")


def trust(service: str, *, account_id: object, source_arn: object) -> str:
    """A trust policy for an AWS service acting for this account's resources alone.

    The conditions are those AWS asks for against the confused deputy
    (IAM User Guide, "The confused deputy problem").
    """
    return policy(
        Statement(
            actions=["sts:AssumeRole"],
            services=[service],
            conditions=[
                Condition("StringEquals", "aws:SourceAccount", [account_id]),
                Condition("ArnLike", "aws:SourceArn", [source_arn]),
            ],
        )
    )
