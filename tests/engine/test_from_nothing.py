"""A deployment from nothing: each part comes up, and its token lets workers in."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.engine.between import Call
from tests.engine.clients import run_task
from tests.engine.conftest import Install
from tests.engine.installation import SECONDS, free_ports
from tests.engine.marks import ENGINE
from tests.scythe_worker.test_worker import EXPERIMENT
from tests.support.fargate.binaries import missing_dashboard
from tests.support.project import ROOT

pytestmark = ENGINE

STEPS = ("migrations", "keys", "keep", "database", "token")

RUN = """
import experiments
from scythe.base import ExperimentInputSpec
from scythe.registry import ExperimentRegistry
(annual,) = ExperimentRegistry.experiments()
print(annual.run(ExperimentInputSpec(experiment_id="one", sort_index=0, root_workflow_run_id="r")).y)
"""


def test_all_parts_come_up_in_terraforms_order_and_a_worker_works(empty: Install) -> None:
    it = empty()
    before = it.rollout()
    order = it.deployment.order()
    assert order[0] == "setup"
    assert {*order} == {"setup", "engine", "api", "dashboard"}
    assert it.set_up().exit_codes == dict.fromkeys(STEPS, 0)
    for name in order[1:]:
        if name != "dashboard":
            it.start(name)
    assert it.tokens() == [("scythe-aws", "f")]
    assert it.rollout() != before
    run_task(it)


@pytest.mark.skipif(bool(missing_dashboard()), reason=missing_dashboard())
def test_the_dashboard_comes_up(prepared: Install) -> None:
    prepared().start("dashboard")


def test_nothing_comes_up_before_the_set_up_has_stored_the_keys(empty: Install) -> None:
    task = empty().run("engine")
    assert task.wait_stopped(SECONDS) == {}
    assert "ResourceInitializationError" in task.stopped_reason


def test_scythes_own_worker_works_from_its_task_definition(prepared: Install, tmp_path: Path) -> None:
    (tmp_path / "experiments.py").write_text(EXPERIMENT)
    it = prepared(
        variables={
            "HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT": str(free_ports(1)[0]),
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
        }
    )
    it.start("engine")
    it.start("api")
    service = it.deployment.service(it.deployment.workers, "simulations")
    # Its command is its image's.
    command = {"name": "worker", "command": [sys.executable, "-m", "scythe_worker"]}
    worker = it.agent.run(it.deployment.workers, service["taskDefinition"], {"containerOverrides": [command]})
    worker.wait_healthy(SECONDS)
    ran = subprocess.run(
        [sys.executable, "-c", RUN],
        env=dict(worker.containers["worker"].definition.environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ran.stdout.endswith("0.0\n"), ran.stderr[-4000:] + str(worker)
    worker.stop()
    assert worker.exit_codes == {"worker": 0}, str(worker)


def test_a_second_set_up_changes_nothing(prepared: Install) -> None:
    it = prepared()
    kept = {name: it.versions(name) for name in it.arns}
    tokens, rollout, admin = it.tokens(), it.rollout(), it.query('SELECT * FROM "UserPassword"')
    assert it.set_up().exit_codes == dict.fromkeys(STEPS, 0)
    assert {name: it.versions(name) for name in it.arns} == kept
    assert (it.tokens(), it.rollout()) == (tokens, rollout)
    assert it.query('SELECT * FROM "UserPassword"') == admin


def test_two_set_ups_at_one_moment_make_one_engine(empty: Install) -> None:
    it = empty()
    both = threading.Barrier(2)
    stores: list[Call] = []

    def together(call: Call) -> None:
        """Both have found no keys when the first of them stores its own."""
        if call.values["SecretId"] == it.arns["hatchet-keys"] and len(stores) < 2:
            stores.append(call)
            both.wait(SECONDS)

    with it.deployment.between.before("PutSecretValue", together):
        tasks = [it.begin_set_up() for _ in range(2)]
        for task in tasks:
            task.wait_running(SECONDS)
    assert len({str(call.values["SecretString"]) for call in stores}) == 2
    (keys,) = {*it.versions("hatchet-keys").values()}
    assert it.secret("hatchet-keys") in {call.values["SecretString"] for call in stores}, keys
    versions = it.query("SELECT version_id FROM goose_db_version WHERE is_applied")
    assert len(versions) == len({*versions})
    # Either made a token, and was right to: it was then the only one to be found in the secret.
    assert it.tokens() == [("scythe-aws", "f")] * 2
    it.start("engine")
    it.start("api")
    run_task(it)
    it.set_up()
    assert sorted(it.tokens()) == [("scythe-aws", "f"), ("scythe-aws", "t")]
