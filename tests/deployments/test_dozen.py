"""A dozen environments: applied, planned again, destroyed."""

from __future__ import annotations

import pytest

from ops.aws_rules.planned import Planned
from tests.deployments.conftest import Runs
from tests.deployments.dozen import AWS_BOUNDARY, BOUNDARY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_every_environment_is_applied(runs: Runs) -> None:
    assert [f"{run.name}: {run.error}" for run in runs.runs.values() if run.error] == []
    assert len(runs.runs) >= 12


def test_a_second_plan_has_no_changes(runs: Runs) -> None:
    assert {run.name: run.actions for run in runs.runs.values() if run.changed} == {}


def test_destroy_leaves_nothing(runs: Runs) -> None:
    assert {run.name: run.leftovers for run in runs.runs.values() if run.leftovers} == {}


def test_every_role_is_within_its_environments_boundary(runs: Runs) -> None:
    bounded = {"everything": BOUNDARY, "zoned": AWS_BOUNDARY}
    for run in runs.runs.values():
        roles = Planned(run.plans().values()).of("aws_iam_role")
        wanted = bounded.get(run.name, "")
        assert [role.address for role in roles if (role.get("permissions_boundary") or "") != wanted] == []
        assert roles
