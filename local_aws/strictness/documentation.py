"""``python -m local_aws.strictness.documentation``: write docs/local_aws.md, the table of what the local AWS refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from local_aws.strictness.model_exceptions import EXCEPTIONS
from local_aws.strictness.rule import Rule
from local_aws.strictness.rules import EXEMPT, RULES
from local_aws.template import SERVICES

PAGE = Path(__file__).parents[2] / "docs" / "local_aws.md"

_INTRODUCTION = """\
# What the local AWS refuses

`scythe-aws demo` and the tests deploy to a local AWS: [moto](https://docs.getmoto.org)'s server in a process of its own.
Moto accepts nearly every request. AWS does not, so rules stand before moto: a request that AWS refuses gets AWS's error
code and text, in the protocol of its client. You cannot switch the rules off.

`python -m local_aws.strictness.documentation` writes this page from the rules in `local_aws/strictness/`. To add a rule,
add an entry to a `RULES` of that folder and an example request to `tests/local_aws/strictness/`. A test sends each
example with the rule, which must refuse it, and without the rule, when no other rule may.

The rules are no replacement for a deployment to AWS: they know no quotas, no permissions and no capacity.
"""

_CODES = """\
## Error codes by service

"""

_VALUES = """\
## Where the models are stricter than AWS

A service's model is the one in the installed botocore. AWS accepts some values that its model does not allow:

| operations | member | constraint | AWS accepts | evidence |
|---|---|---|---|---|
"""

_EXEMPT = """\
## Operations without a rule of their own

The models hold for these operations too. Beyond that, AWS refuses no request of theirs that the stacks could send:

| operations | why |
|---|---|
"""


def page() -> str:
    """The page's text."""
    parts = (
        _INTRODUCTION,
        _rules(),
        _CODES + _codes_by_service(),
        _VALUES + _exceptions(),
        _EXEMPT + _exempt(),
    )
    return "\n".join(parts)


def _rules() -> str:
    parts = [
        "## The rules\n",
        "| rule | operations | AWS refuses | error code | source |\n|---|---|---|---|---|",
    ]
    parts.extend(
        f"| `{rule.name}` | {_names(rule.operations)} | {_cell(rule.condition)} | {_codes(rule)} | [page]({rule.page}) |"
        for rule in RULES
    )
    return "\n".join(parts) + "\n"


def _codes(rule: Rule) -> str:
    return f"`{rule.code}`" if isinstance(rule.code, str) else "by service, below"


def _codes_by_service() -> str:
    columns: dict[int, list[Rule]] = {}
    for rule in RULES:
        if not isinstance(rule.code, str):
            columns.setdefault(id(rule.code), []).append(rule)
    headings = [", ".join(f"`{rule.name}`" for rule in rules) for rules in columns.values()]
    parts = [f"| service | {' | '.join(headings)} |", f"|---{'|---' * len(columns)}|"]
    for service in SERVICES:
        codes = [f"`{rules[0].code_of(service)}`" for rules in columns.values()]
        parts.append(f"| `{service}` | {' | '.join(codes)} |")
    return "\n".join(parts) + "\n"


def _exceptions() -> str:
    return "".join(
        f"| {_names(one.operations)} | `{one.member}` | {one.kind} | {_example(one.example)} | [page]({one.evidence}) |\n"
        for one in EXCEPTIONS
    )


def _example(value: object) -> str:
    return "no value" if value is None else f"`{_cell(str(value))}`"


def _exempt() -> str:
    return "".join(f"| {_names(one.operations)} | {_cell(one.why)} |\n" for one in EXEMPT)


def _names(operations: Sequence[str]) -> str:
    """Operations by service: `ecs.CreateService`, and `every operation` for all."""
    if tuple(operations) == ("*",):
        return "every operation"
    return ", ".join(_name(name) for name in operations)


def _name(operation: str) -> str:
    service, _, name = operation.partition(".")
    return f"every operation of `{service}`" if name == "*" else f"`{operation}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def refused_by(operation: str) -> Iterable[Rule]:
    """The rules about an operation, without those about every operation."""
    service, _, name = operation.partition(".")
    return (rule for rule in RULES if rule.operations != ("*",) and rule.applies_to(service, name))


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
