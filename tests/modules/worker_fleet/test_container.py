"""The worker's container, as Terraform writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modules.worker_fleet.container import container_definitions
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Expression
from synthesis.typed import typed
from tests.support.console import evaluated


def container(folder: Path, **settings: object) -> dict[str, Any]:
    fleet = FleetSettings.model_validate({"role": "leaf", **settings})
    of_values, of_expressions = (
        _container(given, folder, fleet=fleet.model_dump(mode="json"))
        for given in (fleet, typed(FleetSettings, "local.fleet"))
    )
    assert of_values == of_expressions
    return of_values


def _container(given: FleetSettings, folder: Path, **locals_: object) -> dict[str, Any]:
    written = container_definitions(
        given,
        image=Expression('"image"'),
        variables={},
        token_secret_arn=Expression('"arn"'),
        log_group=Expression('{ name = "group" }'),
        region=Expression('"eu-west-1"'),
    )
    (one,) = json.loads(evaluated(written, folder, **locals_))
    return dict(one)


@pytest.mark.parametrize("exec_", [False, True])
def test_foreign_code_has_no_capability_and_no_way_to_write_unless_exec_is_on(
    tmp_path: Path, exec_: bool
) -> None:
    worker = container(tmp_path, exec=exec_)
    assert worker["linuxParameters"]["capabilities"]["drop"] == ([] if exec_ else ["ALL"])
    assert worker["readonlyRootFilesystem"] is not exec_
    assert worker["user"] == "10001:10001"


def test_the_worker_knows_which_variables_are_secrets(tmp_path: Path) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:docs/licence-a1b2c3"
    worker = container(tmp_path, secrets={"GUROBI_SECRET": arn, "DB_LOGIN": arn})
    given = {each["name"]: each["value"] for each in worker["environment"]}
    assert given["SCYTHE_WORKER_SECRETS"] == "DB_LOGIN,GUROBI_SECRET"
    assert {each["name"] for each in worker["secrets"]} == {
        "DB_LOGIN",
        "GUROBI_SECRET",
        "HATCHET_CLIENT_TOKEN",
    }
    assert "SCYTHE_WORKER_SECRETS" not in [each["name"] for each in container(tmp_path)["environment"]]
