"""The way out of CDKTF: the export's HCL takes over what the stacks made, and would make what they make."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.deployments.conftest import Run, Runs
from tests.deployments.exits import CARRIED_OUT, Left
from tests.deployments.planned_twice import INSTANCE, differences, made
from tests.support.deployed import Data

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

VPC = "module.network.aws_vpc.this[0]"
EIP = "module.network.aws_eip.nat"


def left(runs: Runs) -> dict[str, Left]:
    return {name: Left.of(Path(run.folder)) for name, run in runs.runs.items()}


def plan_of_both(run: Run) -> Data:
    plan: Data = json.loads(Path(run.folder, "exit/both/plan.json").read_text())
    return plan


def resources(run: Run, part: str) -> int:
    return sum(change["mode"] == "managed" for change in run.plan(part).get("resource_changes", []))


def test_the_configurations_of_every_environment_plan(runs: Runs) -> None:
    assert [f"{name}: {found.error}" for name, found in left(runs).items() if found.error] == []


def test_all_that_is_deployed_is_moved_and_nothing_else_done(runs: Runs) -> None:
    for name, found in left(runs).items():
        for part in runs.runs[name].parts:
            actions = found.actions[part]
            assert (name, part, found.changes[part]) == (name, part, {})
            assert set(actions.values()) <= {"move"}
            assert (name, part, found.outputs[part]) == (name, part, [])
            assert (name, part, len(actions)) == (name, part, resources(runs.runs[name], part))


def test_nothing_is_to_do_once_it_is_moved(runs: Runs) -> None:
    again = left(runs)[CARRIED_OUT].again
    assert again == {part: {} for part in runs.runs[CARRIED_OUT].parts}


def test_both_would_make_the_same(runs: Runs) -> None:
    for name, found in left(runs).items():
        plan = plan_of_both(runs.runs[name])
        for part, moves in found.moves.items():
            stack = made(plan, f"cdktf_{part}", moves)
            ours = made(plan, f"exit_{part}", {})
            assert (name, part, differences(stack, ours)) == (name, part, {})
            assert (name, part, len(ours)) == (name, part, resources(runs.runs[name], part))


def test_a_difference_would_be_seen(runs: Runs) -> None:
    plan = plan_of_both(runs.runs["docs"])
    stack = made(plan, "cdktf_network", left(runs)["docs"].moves["network"])
    edited = copy.deepcopy(plan)
    vpc = next(
        change for change in edited["resource_changes"] if change["address"] == f"module.exit_network.{VPC}"
    )
    vpc["change"]["after"]["enable_dns_hostnames"] = False
    vpc["change"]["after_unknown"]["cidr_block"] = True
    configured = edited["configuration"]["root_module"]["module_calls"]["exit_network"]["module"]
    network = configured["module_calls"]["network"]["module"]
    eip = next(
        resource for resource in network["resources"] if f"module.network.{resource['address']}" == EIP
    )
    waited_for = eip.pop("depends_on")
    gone = [
        change
        for change in edited["resource_changes"]
        if "exit_network.module.network.aws_route." in change["address"]
    ]
    for change in gone:
        edited["resource_changes"].remove(change)

    seen = differences(stack, made(edited, "exit_network", {}))

    routes = [change["address"].removeprefix("module.exit_network.") for change in gone]
    expected: dict[str, Any] = dict.fromkeys(routes, "missing in the second")
    expected[VPC] = {
        "values.enable_dns_hostnames": (True, False),
        "unknown.cidr_block": (None, True),
    }
    assert waited_for
    without = {INSTANCE.sub("", route) for route in routes}
    for address, body in stack.items():
        waits = body["depends_on"]
        left_of_them = [] if address.startswith(EIP) else [wait for wait in waits if wait not in without]
        if left_of_them != waits and address not in routes:
            expected[address] = {"depends_on": (waits, left_of_them)}
    assert any(address.startswith(EIP) for address in expected)
    assert routes
    assert seen == expected
