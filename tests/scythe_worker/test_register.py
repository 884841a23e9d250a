"""`python -m scythe_worker register`: what workers will run is known to the engine before there is one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest

from scythe_worker import register
from scythe_worker.register import FLEETS
from scythe_worker.retries import SPARE
from scythe_worker.settings import SettingsError
from tests.scythe_worker.test_engine import PATIENCE, at, last_line, refusing
from tests.scythe_worker.test_image import TWO, Image, arrival, connection
from tests.scythe_worker.test_worker import REFUSED, environment, package, token, worker
from tests.support.hatchet.engine import hatchet
from tests.support.hatchet.runs import Runs
from tests.support.hatchet.workers import workers
from tests.support.hatchet_engine import engine

LEAF = {"SCYTHE_WORKER_DOES_FAN": "False", "SCYTHE_WORKER_DOES_LEAF": "True"}
FAN = {"SCYTHE_WORKER_DOES_FAN": "True", "SCYTHE_WORKER_DOES_LEAF": "False"}


@pytest.mark.slow
def test_what_is_registered_is_what_workers_register_later(tmp_path: Path) -> None:
    image, log = Image(tmp_path / "image", TWO), tmp_path / "log"
    with engine() as it:
        given = image.environment(SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION="30m", **connection(it))
        ran = worker("register", at=image.app, given=given)
        assert (ran.returncode, it.registered.empty()) == (0, True), ran.stderr
        said = json.loads(last_line(ran))
        before = list(it.workflows)
        with image.run(given, log) as process:
            arrival(it.registered, process, log)
        assert it.workflows == before * 2
    names = ["scythe_scatter_gather", "scythe_experiment_annual", "scythe_experiment_daily"]
    assert [workflow.name for workflow in before] == names
    assert said["message"] == f"registered {', '.join(names)}"
    tasks = [workflow.tasks[0] for workflow in before]
    assert [task.retries - SPARE for task in tasks][1:] == [0, 1]
    assert [task.timeout for task in tasks] == ["1h", "30m", "30m"]


@pytest.mark.slow
def test_each_fleets_tasks_have_that_fleets_settings(tmp_path: Path) -> None:
    annual, daily = "scythe_experiment_annual", "scythe_experiment_daily"
    fleets = {
        "fanouts": {**FAN, "SCYTHE_TIMEOUT_SCATTER_GATHER_EXECUTION": "5h"},
        "heavy": {
            **LEAF, "SCYTHE_WORKER_EXPERIMENTS": annual, "SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION": "2h",
            "SCYTHE_TIMEOUT_EXPERIMENT_SCHEDULE": "9h",
        },
        "wrong": {**LEAF, "SCYTHE_WORKER_EXPERIMENTS": "scythe_experiment_weekly"},
        "others": {**LEAF, "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE": annual},
    }  # fmt: skip
    with engine() as it:
        given = environment(**{FLEETS: json.dumps(fleets)}, **connection(it))
        ran = worker("register", at=package(tmp_path, TWO), given=given)
    assert [(put.name, put.tasks[0].timeout, put.tasks[0].schedule_timeout) for put in it.workflows] == [
        ("scythe_scatter_gather", "5h", "1h"),
        (annual, "2h", "9h"),
        (daily, "1m", "1h"),
    ]
    # The fault is said, and keeps no other fleet from being registered.
    assert ran.returncode == 2, ran.stderr
    assert "\nscythe_worker: SCYTHE_WORKER_EXPERIMENTS: no experiment scythe_experiment_weekly" in ran.stderr
    assert '"fleet wrong is not registered (exit status 2, ' in ran.stderr


@pytest.mark.parametrize(
    "case",
    [
        "no token",
        "no bucket",
        *(pytest.param(case, marks=pytest.mark.slow) for case in ("a package that fails", "no experiment")),
    ],
)
def test_what_is_wrong_is_one_line(case: str, tmp_path: Path) -> None:
    changes, text, says = REFUSED[case]
    ran = worker("register", at=package(tmp_path, text), given=environment(**changes))
    assert ran.returncode == 2, ran.stderr
    (line,) = ran.stderr.splitlines()
    assert line.startswith(f"scythe_worker: {says}")


@pytest.mark.slow
def test_an_engine_that_is_away_or_refuses_is_said_and_asked_for_one_fleet(tmp_path: Path) -> None:
    at_work = package(tmp_path)
    ran = worker("register", at=at_work, given=environment(**PATIENCE, **at("127.0.0.1:1")))
    assert ran.returncode == 3
    assert last_line(ran).startswith("scythe_worker: the Hatchet engine at 127.0.0.1:1 does not answer")
    fleets = {FLEETS: json.dumps({"one": LEAF, "two": LEAF})}
    with refusing(grpc.StatusCode.UNAUTHENTICATED) as (address, _):
        ran = worker("register", at=at_work, given=environment(**PATIENCE, **fleets, **at(address)))
    assert ran.returncode == 4
    assert "scythe_worker: HATCHET_CLIENT_TOKEN: refused by the engine" in ran.stderr
    assert "fleet one is not registered" in last_line(ran) and "fleet two" not in ran.stderr
    assert "canary" not in ran.stderr + ran.stdout


@pytest.mark.slow
def test_a_registration_that_is_broken_off_does_not_end_well(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "scythe_worker", "register"],
        cwd=package(tmp_path), env=environment(**at("127.0.0.1:1")), stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert "does not answer" in process.stderr.readline()
        process.terminate()
        assert process.wait(5) != 0


@pytest.mark.parametrize("value", ["", "[]", "{", '{"one": 1}', '{"one": {"A": 1}}'])
def test_fleets_that_cannot_be_read_are_one_fault(value: str) -> None:
    with pytest.raises(SettingsError) as error:
        register.run({FLEETS: value})
    assert error.value.faults == (
        f"{FLEETS}: cannot be read; must be JSON, an object of each fleet's variables",
    )


def test_a_package_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register.logs, "start", lambda: None)  # the log here is pytest's
    monkeypatch.chdir(package(tmp_path, "import time\ntime.sleep(60)"))
    started = time.monotonic()
    fleets = json.dumps({"one": {"HATCHET_CLIENT_TOKEN": token(sub="tenant")}})
    assert register.run(environment(**{FLEETS: fleets}), longest=1) == 1
    assert time.monotonic() - started < 30


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_an_allocation_before_any_worker_is_not_lost_once_its_task_is_registered(tmp_path: Path) -> None:
    with hatchet(tmp_path) as it, workers(tmp_path / "work", it) as them:
        runs = Runs(it)
        task = "scythe_experiment_brief"
        # What the registration is for.
        with pytest.raises(grpc.RpcError, match="workflow names not found"):
            runs.start(task)
        fleets = {"fanouts": FAN, "simulations": LEAF}
        given = {**them.environment, FLEETS: json.dumps(fleets)}
        ran = worker("register", at=them.folder, given=given)
        assert ran.returncode == 0, ran.stderr
        kept = runs.start(task, sort_index=7)
        them.wait_until(lambda: len(it.query("SELECT 1 FROM v1_task")) == 1)
        assert it.query('SELECT count(*) FROM "Worker"') == [("0",)]
        versions = it.query('SELECT count(*) FROM "WorkflowVersion"')
        them.start_listening()
        assert runs.ended(kept).status.value == "COMPLETED"
        # The workers have registered the same, not another version.
        assert it.query('SELECT count(*) FROM "WorkflowVersion"') == versions
        assert [note.spec for note in them.notes("end")] == [7]
