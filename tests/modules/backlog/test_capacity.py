"""Where the backlog service runs: on Spot, and on demand where Spot may not be relied on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from environments.advice import warnings
from environments.loading import load
from environments.schema import Environment
from modules.backlog.capacity import runs_on_spot
from modules.backlog.settings import BacklogSettings
from modules.worker_fleet.settings import FleetSettings
from synthesis.literals import hcl
from synthesis.stack import literal
from synthesis.typed import typed
from tests.support.console import evaluated

LEAF: dict[str, Any] = {"role": "leaf"}
ON_SPOT: dict[str, dict[str, Any]] = {
    "by default": {},
    "told to": {"backlog": {"spot": True}},
    "an empty section": {"backlog": {}},
    "a fleet with both": {"workers": {"a": {**LEAF, "capacity": {"spot": 1, "on_demand": 3, "on_demand_base": 2}}}},
}  # fmt: skip
ON_DEMAND: dict[str, dict[str, Any]] = {
    "told not to": {"backlog": {"spot": False}},
    "a fallback": {"workers": {"a": LEAF, "b": {"role": "fan", "capacity": {"fallback": {"max": 3}}}}},
    "a fleet without Spot": {"workers": {"a": LEAF, "b": {"role": "fan", "capacity": {"spot": 0, "on_demand": 1}}}},
    "a fleet on demand": {"workers": {"a": {**LEAF, "capacity": {"on_demand": 1}}}},
    "a fallback, and told to": {
        "backlog": {"spot": True}, "workers": {"a": {**LEAF, "capacity": {"fallback": {"max": 3}}}},
    },
}  # fmt: skip


def loaded(folder: Path, changes: dict[str, Any]) -> Environment:
    path = folder / "a.yaml"
    path.write_text(yaml.safe_dump({"name": "a", "workers": {"a": LEAF}, **changes}))
    return load(path)


def by_terraform(environments: list[Environment], folder: Path) -> list[bool]:
    """Whether each runs on Spot, as Terraform evaluates the expression."""
    given = [{"backlog": each.backlog, "workers": each.fleets} for each in environments]
    each = {f"each_{place}": literal(value) for place, value in enumerate(given)}
    asked = [
        runs_on_spot(
            typed(BacklogSettings, f"local.each_{place}.backlog"),
            typed(dict[str, FleetSettings], f"local.each_{place}.workers"),
        )
        for place in range(len(given))
    ]
    found: list[bool] = evaluated(f"[{', '.join(map(hcl, asked))}]", folder, **each)
    return found


def test_python_and_terraform_choose_the_same(tmp_path: Path) -> None:
    environments = [loaded(tmp_path, changes) for changes in (*ON_SPOT.values(), *ON_DEMAND.values())]
    wanted = [True] * len(ON_SPOT) + [False] * len(ON_DEMAND)
    assert [runs_on_spot(each.backlog, each.workers) for each in environments] == wanted
    assert by_terraform(environments, tmp_path) == wanted


@pytest.mark.parametrize("changes", [*ON_SPOT.values(), *ON_DEMAND.values()], ids=[*ON_SPOT, *ON_DEMAND])
def test_spot_that_has_no_effect_is_said(tmp_path: Path, changes: dict[str, Any]) -> None:
    said = [warning for warning in warnings(loaded(tmp_path, changes)) if warning.path == ("backlog", "spot")]
    assert bool(said) == (changes == ON_DEMAND["a fallback, and told to"])


def test_the_service_takes_one_provider_and_keeps_its_memory(stacks: dict[str, dict[str, Any]]) -> None:
    resources = stacks["docs-workers"]["resource"]
    service = resources["aws_ecs_service"]["backlog"]
    (item,) = service["capacity_provider_strategy"]
    assert "FARGATE_SPOT" in item["capacity_provider"]
    assert (item["weight"], item["base"]) == (1, 0)
    assert "launch_type" not in service
    # Without it the AWS provider replaces the service where the capacity provider changes.
    assert service["force_new_deployment"] is True
    task = resources["aws_ecs_task_definition"]["backlog"]
    assert (task["cpu"], task["memory"]) == ("256", "1024")


def test_the_alarm_says_what_to_do_where_spot_has_no_capacity(stacks: dict[str, dict[str, Any]]) -> None:
    alarm = stacks["docs-workers"]["resource"]["aws_cloudwatch_metric_alarm"]["backlog_silent"]
    assert "none can wake" in alarm["alarm_description"]
    assert "set backlog.spot to false and deploy" in alarm["alarm_description"]
    # A description has at most 1,024 characters (Amazon CloudWatch API Reference, PutMetricAlarm).
    assert len(alarm["alarm_description"]) < 900
    assert alarm["evaluation_periods"] * alarm["period"] == 300
