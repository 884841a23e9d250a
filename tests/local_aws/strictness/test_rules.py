"""Each rule refuses its example with AWS's code and text, and nothing else does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local_aws.strictness.rule import Rule
from local_aws.strictness.rules import RULES
from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.examples import EXAMPLES
from tests.local_aws.strictness.in_process import InProcess, empty


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    empty()
    yield
    empty()


def refusal(example: Example, aws: InProcess, without: InProcess) -> ClientError | None:
    """The refusal that an example meets, if any; what it needs is made without the rule."""
    prepared = example.prepare(without)
    with aws.under_way(example.beside):
        try:
            example.send(aws, prepared)
        except ClientError as error:
            return error
    return None


def test_names_are_unique_and_examples_have_a_rule() -> None:
    names = Counter(rule.name for rule in RULES)
    assert [name for name, count in names.items() if count > 1] == []
    assert set(EXAMPLES) - set(names) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_refuses_its_example(rule: Rule) -> None:
    assert rule.name in EXAMPLES, "a rule without an example"
    example = EXAMPLES[rule.name]
    error = refusal(example, InProcess(RULES), InProcess(without(rule)))
    assert error is not None, "accepted"
    response = error.response
    assert response["Error"]["Code"] == rule.code_of(example.service)
    assert example.text in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == rule.status


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_switched_off_no_other_rule_refuses_the_example(rule: Rule) -> None:
    """Moto itself may refuse it then."""
    example = EXAMPLES[rule.name]
    aws = InProcess(without(rule))
    refusal(example, aws, InProcess(without(rule)))
    operation = aws.client(example.service).meta.method_to_api_mapping[example.method]
    assert f"{example.service}.{operation}" in aws.strict.operations


def without(rule: Rule) -> list[Rule]:
    return [other for other in RULES if other is not rule]
