"""Environments that span the choices of the environment file: applied, planned again, destroyed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from environments.schema import Environment
from local_aws import LocalAws
from ops.review.aws_rules.planned import Planned
from tests.deployments.conftest import Runs
from tests.deployments.spanning import AWS_BOUNDARY, BOUNDARY, spanning
from tests.support.deployed import environment_of

pytestmark = pytest.mark.timeout(1800)

SCHEMA = Environment.model_json_schema()
ELSEWHERE = {("hatchet", "image_registry", "ecr")}
"""What `prod` has without saying so."""

SAID_BY_OTHERS = {
    "create_certificate", "enable_budget", "enable_https", "enable_mail", "existing_token_secret"
}  # fmt: skip
"""Flags that follow from whether another key is there; a module's caller says them (`modules.common.presence`)."""

Choice = tuple[str | bool, ...]


def choices(schema: Any, *path: str) -> Iterator[Choice]:
    """Every word and flag that a key can be, after the key's path."""
    schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    yield from ((*path, value) for value in schema.get("enum", []) if isinstance(value, str))
    if schema.get("type") == "boolean":
        yield from ((*path, value) for value in (True, False))
    for option in schema.get("anyOf", []):
        yield from choices(option, *path)
    for key, value in schema.get("properties", {}).items():
        yield from choices(value, *path, key)
    for value in schema.get("patternProperties", {}).values():
        yield from choices(value, *path, "*")


def taken(value: Any, *path: str) -> Iterator[Choice]:
    """The words and flags of an environment, each after its key's path; fleets have no names."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from taken(item, *path, "*" if path == ("workers",) else key)
    elif isinstance(value, str | bool):
        yield (*path, value)


def test_every_choice_is_taken(aws: LocalAws, tmp_path: Path) -> None:
    environments = [environment_of(data, tmp_path) for data in spanning(aws)]
    found = {choice for each in environments for choice in taken(each.model_dump())}
    wanted = {
        choice for choice in choices(SCHEMA) if choice[0] != "region" and choice[-2] not in SAID_BY_OTHERS
    }
    assert {
        ("network", "nat", "per_az"),
        ("storage", "force_destroy", True),
        ("workers", "*", "role", "fan"),
    } <= wanted
    assert wanted - found == ELSEWHERE


@pytest.mark.slow
def test_every_environment_is_applied(runs: Runs) -> None:
    assert [f"{run.name}: {run.error}" for run in runs.runs.values() if run.error] == []


@pytest.mark.slow
def test_a_second_plan_has_no_changes(runs: Runs) -> None:
    assert {run.name: run.actions for run in runs.runs.values() if run.changed} == {}


@pytest.mark.slow
def test_no_expression_is_left_as_text(runs: Runs) -> None:
    for run in runs.runs.values():
        for part, plan in run.plans().items():
            left = re.findall(r"\$\{(?:local|var|data|each)\.[^\"]*", json.dumps(plan["planned_values"]))
            assert (run.name, part, left) == (run.name, part, [])


@pytest.mark.slow
def test_the_budget_is_of_the_environments_tag(runs: Runs) -> None:
    (budget,) = Planned(runs.runs["prod"].plans().values()).of("aws_budgets_budget")
    assert budget.get("cost_filter") == [{"name": "TagKeyValue", "values": ["user:environment$prod"]}]


@pytest.mark.slow
def test_destroy_leaves_nothing(runs: Runs) -> None:
    assert {run.name: run.leftovers for run in runs.runs.values() if run.leftovers} == {}


@pytest.mark.slow
def test_every_role_is_within_its_environments_boundary(runs: Runs) -> None:
    bounded = {"everything": BOUNDARY, "zoned": AWS_BOUNDARY}
    for run in runs.runs.values():
        roles = Planned(run.plans().values()).of("aws_iam_role")
        wanted = bounded.get(run.name, "")
        assert [role.address for role in roles if (role.get("permissions_boundary") or "") != wanted] == []
        assert roles
