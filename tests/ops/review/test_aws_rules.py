"""Rules that AWS enforces and the local AWS does not: kept by the deployed environments, and seen to fail on broken plans."""

from __future__ import annotations

import copy
import re

import pytest

from ops.review.aws_rules import RULES, breaches
from tests.deployments.conftest import Runs
from tests.ops.review.broken_plans import BROKEN, Break

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_the_deployed_environments_keep_all_rules(runs: Runs) -> None:
    found = {name: breaches(run.plans().values()) for name, run in runs.runs.items() if not run.error}
    assert {name: breached for name, breached in found.items() if breached} == {}


def test_what_only_an_apply_tells_is_not_judged(runs: Runs) -> None:
    plans = copy.deepcopy(runs.runs["everything"].plans()).values()
    for plan in plans:
        for resource in plan["planned_values"]["root_module"]["resources"]:
            for name in list(resource["values"]):
                if re.search(r"(^|_)(ids?|arn|role|task_definition)$", name):
                    del resource["values"][name]
    assert breaches(plans) == []


@pytest.mark.parametrize(
    ("rule", "name", "change"), BROKEN, ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(BROKEN)]
)
def test_a_rule_sees_a_broken_plan(runs: Runs, rule: str, name: str, change: Break) -> None:
    plans = copy.deepcopy(runs.runs[name].plans())
    change(plans)
    assert rule in {breach.rule for breach in breaches(plans.values())}


def test_every_rule_is_seen_to_fail_and_cites_aws() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, _, _ in BROKEN}
    assert [rule.__name__ for rule in RULES if "Guide" not in str(rule.__doc__)
            and "Reference" not in str(rule.__doc__)] == []  # fmt: skip
