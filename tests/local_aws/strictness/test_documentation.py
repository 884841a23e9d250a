"""The documentation's table of what the local AWS refuses."""

from __future__ import annotations

import re

import pytest

from local_aws.strictness.documentation import PAGE, page
from local_aws.strictness.rule import Rule
from local_aws.strictness.rules import EXEMPT, RULES


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "python -m local_aws.strictness.documentation renews it"


def test_the_page_has_a_row_for_each_entry() -> None:
    rows = re.findall(r"^\| (?!operations|-)", page().replace("|---", ""), re.MULTILINE)
    assert len(rows) >= len(RULES) + len(EXEMPT)
    assert all(rule.condition.replace("|", r"\|") in page() for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_an_entry_is_whole(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", rule.name)
    assert re.fullmatch(r"[A-Z].*[^.]", rule.condition), "a noun phrase on one line"
    assert rule.page.startswith("https://")
    assert rule.operations
    assert all(re.fullmatch(r"\*|[a-z0-9-]+\.(?:\*|[A-Z]\w+)", name) for name in rule.operations)
