"""One changed setting plans what one expects of it, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from ops.terraform import TerraformError
from tests.deployments.spanning import ACCOUNT
from tests.support.deployed import Data, Deployed
from tests.support.once import once
from tests.support.providers import Providers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/changing/worker@sha256:"

BEFORE: Data = {
    "name": "changing",
    "network": {"nat": "single"},
    "storage": {"bucket": "theirs", "existing": True},
    "image": IMAGE + "a" * 64,
    "workers": {"simulations": {"role": "leaf"}, "fanouts": {"role": "fan"}},
}

Actions = Mapping[str, str]


def own(fleet: str) -> Actions:
    """All that a fan fleet of its own is made of, as created."""
    scaling = [f"{fleet}_{name}" for name in ("demand_from_1", "demand_of_all", "no_demand")]
    names = {
        "aws_appautoscaling_policy": scaling,
        "aws_appautoscaling_target": [fleet],
        "aws_cloudwatch_metric_alarm": scaling,
        "aws_cloudwatch_log_group": [fleet],
        "aws_ecs_service": [fleet],
        "aws_ecs_task_definition": [fleet],
        "aws_iam_role": [f"{fleet}_execution", f"{fleet}_task"],
        "aws_iam_role_policy": [
            f"{fleet}_execution_image", f"{fleet}_execution_log", f"{fleet}_execution_token",
            f"{fleet}_task_bucket", f"{fleet}_task_protection",
        ],
        "aws_security_group": [fleet],
        "aws_vpc_security_group_egress_rule": [f"{fleet}_to_internet", f"{fleet}_to_s3"],
    }  # fmt: skip
    return {f"{kind}.{name}": "create" for kind, named in names.items() for name in named}


def rolled(fleet: str) -> Actions:
    """A new revision of the task definition, and the service that takes it."""
    return {f"aws_ecs_task_definition.{fleet}": "replace", f"aws_ecs_service.{fleet}": "update"}


MORE_BANDS = {
    "aws_appautoscaling_policy.simulations_demand_of_all": "update",
    "aws_cloudwatch_metric_alarm.simulations_demand_of_all": "update",
    "aws_cloudwatch_metric_alarm.simulations_demand_from_11": "update",
    "aws_appautoscaling_policy.simulations_demand_from_104": "create",
    "aws_cloudwatch_metric_alarm.simulations_demand_from_104": "create",
}
"""With a maximum of 200 in place of 100."""

ZONE_C = {
    f"{kind}.{tier}{suffix}": "create"
    for kind, suffix in (
        ("aws_subnet", '["us-east-1c"]'),
        ("aws_route_table", '["us-east-1c"]'),
        ("aws_route_table_association", '["us-east-1c"]'),
    )
    for tier in ("public", "private")
} | {'aws_route.internet["us-east-1c"]': "create", 'aws_route.nat["us-east-1c"]': "create"}
# The gateway endpoint of S3 takes the new tables.
ZONE_C["aws_vpc_endpoint.s3"] = "update"

SEEN = {"aws_iam_role_policy.backlog_task_rollout": "update"}
"""The backlog service sees the deployments of each fleet by name."""

CASES: dict[str, tuple[str, dict[str, Any], Actions]] = {
    "nothing": ("workers", {}, {}),
    "a larger max": (
        "workers",
        {"workers.simulations.scaling": {"max": 200}},
        {"aws_appautoscaling_target.simulations": "update", **MORE_BANDS},
    ),
    "a new fleet": (
        "workers",
        {"workers.more": {"role": "fan"}},
        {**own("more"), **rolled("backlog"), **SEEN},
    ),
    "a fleet less": (
        "workers",
        {"workers.fanouts": None},
        {
            **dict.fromkeys(own("fanouts"), "delete"),
            **rolled("backlog"),
            **SEEN,
            # It was watched by the metric of this fleet, the first one.
            "aws_cloudwatch_metric_alarm.backlog_silent": "update",
        },
    ),
    "the retention of logs": (
        "workers",
        {"observability": {"log_retention_days": 7}},
        {
            "aws_cloudwatch_log_group.simulations": "update",
            "aws_cloudwatch_log_group.fanouts": "update",
            "aws_cloudwatch_log_group.backlog": "update",
        },
    ),
    "weights": (
        "workers",
        {"workers.simulations.capacity": {"spot": 4, "on_demand": 1, "on_demand_base": 1}},
        {"aws_ecs_service.simulations": "update"},
    ),
    "a new image": (
        "workers",
        {"image": IMAGE + "b" * 64},
        {**rolled("simulations"), **rolled("fanouts"), **rolled("backlog")},
    ),
    "one fleet's own image": (
        "workers",
        {"workers.fanouts.image": "ghcr.io/example/worker:1"},
        # The backlog service takes the first fleet's.
        {
            **rolled("fanouts"),
            "aws_iam_role_policy.fanouts_execution_image": "update",
            **rolled("backlog"),
            "aws_iam_role_policy.backlog_execution_image": "update",
        },
    ),
    "a larger size": ("workers", {"workers.simulations.memory": 16}, rolled("simulations")),
    "a schedule": (
        "workers",
        {
            "workers.simulations.scaling": {
                "schedule": [{"start": "cron(0 20 ? * FRI *)", "end": "cron(0 6 ? * MON *)", "max": 200}]
            }
        },
        {f"aws_appautoscaling_scheduled_action.simulations_{moment}": "create" for moment in ("start", "end")}
        | MORE_BANDS,
    ),
    "a longer quiet time": (
        "workers",
        {"workers.simulations.scaling": {"quiet_minutes": 30}},
        {"aws_cloudwatch_metric_alarm.simulations_no_demand": "update"},
    ),
    "a fallback": (
        "workers",
        {"workers.simulations.capacity": {"fallback": {"max": 10}}},
        {
            f"{kind}.simulations_on_demand{name}": "create"
            for kind, names in {
                "aws_ecs_service": [""],
                "aws_appautoscaling_target": [""],
                "aws_appautoscaling_policy": ["_spot_missing", "_spot_back"],
                "aws_cloudwatch_metric_alarm": ["_spot_missing", "_spot_back"],
            }.items()
            for name in names
        }
        # It must wake the fleet while Spot has no capacity, and sees the rollouts of both services.
        | {**rolled("backlog"), "aws_iam_role_policy.backlog_task_rollout": "update"},
    ),
    "the backlog service on demand": (
        "workers",
        {"backlog": {"spot": False}},
        {"aws_ecs_service.backlog": "update"},
    ),
    "ECS Exec": (
        "workers",
        {"workers.simulations.exec": True},
        {**rolled("simulations"), "aws_iam_role_policy.simulations_task_exec": "create"},
    ),
    "a further zone": ("network", {"network.az_count": 3}, ZONE_C),
    "a NAT gateway per zone": (
        "network",
        {"network.nat": "per_az"},
        {
            'aws_eip.nat["us-east-1b"]': "create",
            'aws_nat_gateway.nat["us-east-1b"]': "create",
            'aws_route.nat["us-east-1b"]': "update",
        },
    ),
    "no NAT, public workers": (
        "network",
        {"network": {"nat": "none", "worker_subnets": "public"}},
        {
            'aws_eip.nat["us-east-1a"]': "delete",
            'aws_nat_gateway.nat["us-east-1a"]': "delete",
            'aws_route.nat["us-east-1a"]': "delete",
            'aws_route.nat["us-east-1b"]': "delete",
        },
    ),
    "an endpoint": (
        "network",
        {"network.interface_endpoints": ["logs"]},
        {"aws_security_group.endpoints": "create", 'aws_vpc_endpoint.interface["logs"]': "create"},
    ),
    "flow logs": (
        "network",
        {"network.flow_logs": {"retention_days": 7}},
        {
            f"{kind}.flow_logs": "create"
            for kind in (
                "aws_cloudwatch_log_group",
                "aws_flow_log",
                "aws_iam_role",
                "aws_iam_role_policy",
            )
        },
    ),
}
"""By name: the stack that is planned, what is set, and the plan. A setting of None is taken out."""


def changed(settings: Mapping[str, Any]) -> Data:
    """`BEFORE` with settings by their keys' paths."""
    data = copy.deepcopy(BEFORE)
    for path, value in settings.items():
        *parents, key = path.split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
        if value is None:
            del place[key]
    return data


def _plan_changes(folder: Path) -> dict[str, Any]:
    """Apply `BEFORE`, and plan every case against that."""
    with (
        LocalAws.start(log=folder / "local-aws.log") as aws,
        Providers.of(aws.environment) as providers,
    ):
        aws.client("s3").create_bucket(Bucket="theirs")
        secret = aws.client("secretsmanager").create_secret(Name="theirs", SecretString="a-token")
        BEFORE["hatchet"] = {"token_secret_arn": secret["ARN"]}
        before = Deployed.synthesized(aws, folder, BEFORE, providers=providers)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: before.apply([part]), ("network", "storage")))
        before.apply(["workers"])
        versions = {
            case: before.changed(changed(settings), folder / f"case-{number}")
            for number, (case, (_, settings, _)) in enumerate(CASES.items())
        }

        def plan(case: str) -> dict[str, str]:
            return dict(versions[case].plan(CASES[case][0]).actions)

        with ThreadPoolExecutor(3) as pool:
            actions = dict(zip(CASES, pool.map(plan, CASES), strict=True))

        further = versions["a further zone"]
        cidrs = _cidrs(further.plan_json("network"))
        try:
            further.apply(["network"])
            after_zone = dict(further.plan("workers").actions)
        except TerraformError as error:
            after_zone = {"failed": str(error)}
        return {"actions": actions, "cidrs": cidrs, "after_zone": after_zone}


def _cidrs(plan: Data) -> list[dict[str, str | None]]:
    """Of each subnet in a plan: its zone and tier, its addresses before and after."""
    return [
        {
            "address": change["address"],
            "before": (change["change"]["before"] or {}).get("cidr_block"),
            "after": change["change"]["after"]["cidr_block"],
        }
        for change in plan["resource_changes"]
        if change["type"] == "aws_subnet"
    ]


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Any]:
    found: dict[str, Any] = once(tmp_path_factory, worker_id, _plan_changes, "changes")
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_change_plans_what_one_expects(planned: dict[str, Any], case: str) -> None:
    assert planned["actions"][case] == CASES[case][2]


def test_a_further_zone_moves_no_subnet(planned: dict[str, Any]) -> None:
    kept = [subnet for subnet in planned["cidrs"] if subnet["before"] is not None]
    assert len(kept) == 4
    assert all(subnet["before"] == subnet["after"] for subnet in kept)
    assert len({subnet["after"] for subnet in planned["cidrs"]}) == 6


def test_services_take_a_further_zone_in_place(planned: dict[str, Any]) -> None:
    assert planned["after_zone"] == {
        "aws_ecs_service.simulations": "update",
        "aws_ecs_service.fanouts": "update",
        "aws_ecs_service.backlog": "update",
    }
