"""A dozen environments: applied, planned again, destroyed."""

from __future__ import annotations

import json
import re

import pytest

from ops.review.aws_rules.planned import Planned
from tests.deployments.conftest import Runs
from tests.deployments.dozen import AWS_BOUNDARY, BOUNDARY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_every_environment_is_applied(runs: Runs) -> None:
    assert [f"{run.name}: {run.error}" for run in runs.runs.values() if run.error] == []
    assert len(runs.runs) >= 12


def test_a_second_plan_has_no_changes(runs: Runs) -> None:
    assert {run.name: run.actions for run in runs.runs.values() if run.changed} == {}


def test_no_expression_is_left_as_text(runs: Runs) -> None:
    for run in runs.runs.values():
        for part, plan in run.plans().items():
            left = re.findall(r"\$\{(?:local|var|data|each)\.[^\"]*", json.dumps(plan["planned_values"]))
            assert (run.name, part, left) == (run.name, part, [])


def test_the_budget_is_of_the_environments_tag(runs: Runs) -> None:
    (budget,) = Planned(runs.runs["prod"].plans().values()).of("aws_budgets_budget")
    assert budget.get("cost_filter") == [{"name": "TagKeyValue", "values": ["user:environment$prod"]}]


def test_destroy_leaves_nothing(runs: Runs) -> None:
    assert {run.name: run.leftovers for run in runs.runs.values() if run.leftovers} == {}


def test_every_role_is_within_its_environments_boundary(runs: Runs) -> None:
    bounded = {"everything": BOUNDARY, "zoned": AWS_BOUNDARY}
    for run in runs.runs.values():
        roles = Planned(run.plans().values()).of("aws_iam_role")
        wanted = bounded.get(run.name, "")
        assert [role.address for role in roles if (role.get("permissions_boundary") or "") != wanted] == []
        assert roles
