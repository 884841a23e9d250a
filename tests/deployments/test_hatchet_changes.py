"""A change of a self-hosted engine plans what one expects of it; what holds data stays."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from ops.terraform import TerraformError
from tests.deployments.spanning import image
from tests.support.deployed import Data, Deployed
from tests.support.once import once
from tests.support.providers import Providers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BEFORE: Data = {
    "name": "ours",
    "storage": {"bucket": "theirs", "existing": True},
    "image": image(),
    "hatchet": {"mode": "self_hosted", "version": "v0.104.6"},
    "workers": {"simulations": {"role": "leaf"}},
}

SERVICES = ("setup", "engine", "api", "dashboard")
HOLDING_DATA = {
    "aws_db_instance", "aws_efs_file_system", "aws_mq_broker", "aws_secretsmanager_secret", "aws_s3_bucket",
}  # fmt: skip
Actions = Mapping[str, str]


BROKERS: dict[str, dict[str, Any]] = {
    "rabbitmq": {"broker": "rabbitmq"},
    "amazon_mq": {"broker": "amazon_mq"},
    "larger": {"broker": "amazon_mq", "amazon_mq": {"instance_type": "mq.m7g.large"}},
}


def rolled(*services: str) -> dict[str, str]:
    """New revisions of task definitions, and the services that take them."""
    return {
        f"{kind}.{service}": action
        for service in services
        for kind, action in (("aws_ecs_task_definition", "replace"), ("aws_ecs_service", "update"))
    }


CASES: dict[str, tuple[dict[str, Any], Actions]] = {
    "nothing": ({}, {}),
    "a newer engine": ({"version": "v0.104.7"}, rolled(*SERVICES)),
    "a second engine": (
        {"engine": {"cpu": 1, "memory": 2, "count": 2}},
        {"aws_ecs_service.engine": "update"},
    ),
    "a larger API": ({"api": {"cpu": 1, "memory": 2}}, rolled("api")),
    "a new password of the database": (
        {"database": {"password_version": 2}},
        {
            "aws_secretsmanager_secret_version.database_password_value": "replace",
            "aws_db_instance.database": "update",
            **rolled("setup", "engine", "api"),
        },
    ),
    "a standby": ({"database": {"multi_az": True}}, {"aws_db_instance.database": "update"}),
    "a longer life of tokens": ({"token_days": 30}, rolled("setup")),
}
"""By name: what is set below ``hatchet``, and the plan."""


def changed(settings: Mapping[str, Any]) -> Data:
    """`BEFORE` with other settings below ``hatchet``."""
    data = copy.deepcopy(BEFORE)
    data["hatchet"] |= settings
    return data


def _plan_changes(folder: Path) -> dict[str, Any]:
    """Apply `BEFORE` up to the engine, plan every case against that, and destroy it."""
    with (
        LocalAws.start(log=folder / "local-aws.log") as aws,
        Providers.of(aws.environment) as providers,
    ):
        aws.client("s3").create_bucket(Bucket="theirs")
        before = Deployed.synthesized(aws, folder, BEFORE, providers=providers)
        password = "a new password of the database"
        rotated = Deployed.synthesized(aws, folder, changed(CASES[password][0]), "rotated", providers)
        rabbitmq, amazon_mq, larger = (
            Deployed.synthesized(aws, folder, changed(settings), name, providers)
            for name, settings in BROKERS.items()
        )
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: before.apply([part]), ("network", "storage")))
        before.apply(["hatchet"])
        cases = {
            name: before.changed(changed(settings), folder / f"case-{number}")
            for number, (name, (settings, _)) in enumerate(CASES.items())
        }
        with ThreadPoolExecutor(3) as pool:
            plans = pool.map(lambda case: dict(case.plan("hatchet").actions), cases.values())
            actions = dict(zip(cases, plans, strict=True))
        actions["RabbitMQ"] = dict(rabbitmq.plan("hatchet").actions)
        rabbitmq.apply(["hatchet"])
        actions["the database as the broker again"] = dict(before.plan("hatchet").actions)
        actions["Amazon MQ instead"] = dict(amazon_mq.plan("hatchet").actions)
        amazon_mq.apply(["hatchet"])
        actions["Amazon MQ applied"] = dict(amazon_mq.plan("hatchet").actions)
        actions["a larger broker"] = dict(larger.plan("hatchet").actions)
        rotated.apply(["hatchet"])
        actions["the new password"] = dict(rotated.plan("hatchet").actions)
        return {"actions": actions, "protected": _destroy(before)}


def _destroy(deployed: Deployed) -> str:
    """What stands in the way of a destroy that nobody has prepared."""
    try:
        deployed.destroy(["hatchet"])
    except TerraformError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Any]:
    found: dict[str, Any] = once(tmp_path_factory, worker_id, _plan_changes, "hatchet-changes")
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_change_of_the_engine_plans_what_one_expects(planned: dict[str, Any], case: str) -> None:
    assert planned["actions"][case] == CASES[case][1]


def test_another_broker_is_made_beside_what_holds_data(planned: dict[str, Any]) -> None:
    actions: Actions = planned["actions"]["RabbitMQ"]
    assert actions["aws_efs_file_system.rabbitmq[0]"] == "create"
    changed = {address: action for address, action in actions.items() if action != "create"}
    # Their execution roles may read the broker's secret.
    policies = dict.fromkeys(
        (f"aws_iam_role_policy.{service}_execution_secrets" for service in ("engine", "api")), "update"
    )
    assert changed == rolled("engine", "api") | policies


def test_a_broker_that_is_left_takes_its_queues_with_it_and_says_so(planned: dict[str, Any]) -> None:
    actions: Actions = planned["actions"]["the database as the broker again"]
    gone = {
        address
        for address, action in actions.items()
        if address.partition(".")[0] in HOLDING_DATA and action != "create"
    }
    assert gone == {"aws_efs_file_system.rabbitmq[0]", "aws_secretsmanager_secret.rabbitmq[0]"}
    assert {actions[address] for address in gone} == {"delete"}


def test_a_broker_on_amazon_mq_takes_the_place_of_the_one_on_ecs(planned: dict[str, Any]) -> None:
    actions: Actions = planned["actions"]["Amazon MQ instead"]
    holding = {
        address: action for address, action in actions.items() if address.partition(".")[0] in HOLDING_DATA
    }
    assert holding == {
        "aws_efs_file_system.rabbitmq[0]": "delete",
        "aws_mq_broker.amazon_mq[0]": "create",
        "aws_secretsmanager_secret.amazon_mq[0]": "create",
        "aws_secretsmanager_secret.rabbitmq[0]": "delete",
    }
    changed = {address: action for address, action in actions.items() if action not in ("create", "delete")}
    policies = (f"aws_iam_role_policy.{service}_execution_secrets" for service in ("engine", "api", "setup"))
    assert changed == rolled("setup", "engine", "api") | dict.fromkeys(policies, "update")
    assert planned["actions"]["Amazon MQ applied"] == {}
    # The set-up's first password is not looked at again, and the engine finds it where it was.
    assert planned["actions"]["a larger broker"] == {"aws_mq_broker.amazon_mq[0]": "update"}


def test_a_new_password_is_made_once(planned: dict[str, Any]) -> None:
    assert planned["actions"]["the new password"] == {}


def test_a_database_is_not_destroyed_by_the_way(planned: dict[str, Any]) -> None:
    assert "ours-hatchet" in planned["protected"]
    assert "deletion protection" in planned["protected"].lower()
