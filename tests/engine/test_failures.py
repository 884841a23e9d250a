"""What fails half-way: the next attempt goes on from there, and what ran before runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.clients import run_task
from tests.engine.conftest import Install
from tests.engine.deployment import Deployment
from tests.engine.installation import SECONDS
from tests.engine.marks import ENGINE
from tests.support.fargate import binaries

pytestmark = ENGINE


def test_an_apply_that_dies_before_the_database_leaves_one_password(deployment: Deployment) -> None:
    assert "InstanceQuotaExceeded" in deployment.first_apply
    secrets = deployment.aws.client("secretsmanager")
    arn = deployment.secret_arn("hatchet-database")
    assert len(secrets.list_secret_version_ids(SecretId=arn)["Versions"]) == 1
    stored = secrets.get_secret_value(SecretId=arn)["SecretString"]
    assert deployment.passwords == [stored, stored]


def test_a_migration_that_fails_leaves_the_old_engine_at_work(prepared: Install, tmp_path: Path) -> None:
    migrate = tmp_path / "hatchet-migrate"
    migrate.touch(mode=0o755)
    it = prepared(programs={"/hatchet/hatchet-migrate": str(migrate)})
    it.start("engine")
    it.start("api")
    versions = {name: it.versions(name) for name in it.arns}

    migrate.write_text("#!/bin/sh\necho 'ERROR 20991231_v2.sql: column is not there' >&2\nexit 3\n")
    task = it.begin_set_up()
    codes = task.wait_stopped(SECONDS)
    assert codes == {"migrations": 0, "keys": 0, "keep": 0, "database": 1}
    assert "ERROR 20991231_v2.sql: column is not there" in task.log("database")
    assert "database did not exit successfully" in task.reasons["token"]
    assert {name: it.versions(name) for name in it.arns} == versions
    run_task(it)

    hatchet = binaries.hatchet_binaries()
    migrate.write_text(f'#!/bin/sh\nexec {hatchet}/hatchet-migrate "$@"\n')
    it.set_up()
    run_task(it)


def test_a_database_that_cannot_be_reached_is_said_so(prepared: Install) -> None:
    it = prepared()
    task = it.begin_set_up(DATABASE_URL="postgresql://hatchet@127.0.0.1:1/hatchet?sslmode=require")
    assert task.wait_stopped(SECONDS)["database"] == 1
    assert task.log("database").endswith("The database cannot be reached.\n")
    it.set_up()


@pytest.mark.parametrize(
    ("action", "tokens"),
    [
        pytest.param("PutSecretValue", 2, id="keys are stored, the token is not"),
        pytest.param("UpdateService", 1, id="the token is stored, the workers have the old one"),
    ],
)
def test_a_set_up_that_is_killed_is_completed_by_the_next(empty: Install, action: str, tokens: int) -> None:
    it = empty()
    what = it.arns["hatchet-client-token"] if action == "PutSecretValue" else ""
    with it.deployment.between.held(action, what) as arrived:
        task = it.begin_set_up()
        assert arrived.wait(SECONDS), str(task)
        task.kill()
    keys, rollout = it.secret("hatchet-keys"), it.rollout()
    assert ("AWSCURRENT" in it.versions("hatchet-client-token")) is (action == "UpdateService")

    it.set_up()
    assert it.secret("hatchet-keys") == keys
    assert it.tokens() == [("scythe-aws", "f")] * tokens
    assert it.rollout() != rollout
    stages = it.versions("hatchet-client-token")
    assert stages["WORKERS_ROLLED"] == stages["AWSCURRENT"]
    it.start("engine")
    it.start("api")
    run_task(it)
