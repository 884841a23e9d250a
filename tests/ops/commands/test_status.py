"""`scythe-aws status`: figures, prices, and what stands in its way."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from environments.loading import load
from ops.commands.status import Status, Work, span
from ops.cost.prices import usd_per_hour
from ops.deployed.fleet_queue import tasks_by_fleet
from ops.deployed.fleet_tasks import FleetTasks
from tests.ops.commands.conftest import Place
from tests.support.command import COMMAND

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def test_a_task_counts_for_one_fleet(place: Place) -> None:
    tasks = ["scythe_experiment_annual", "scythe_scatter_gather", "scythe_experiment_b", "others", "scythe_x"]
    assert tasks_by_fleet(load(place.file), tasks) == {
        "simulations": ["scythe_experiment_b"],
        "annual": ["scythe_experiment_annual"],
        "fanouts": ["scythe_scatter_gather"],
    }


@pytest.mark.parametrize(
    ("work", "per_hour", "left"),
    [
        (Work(), None, 0),
        (Work(queued=100, seconds_each=300), 0, None),
        (Work(queued=100), None, None),
        (Work(queued=1000, running=100, seconds_each=300), 1200, 3150),
        (Work(running=100, seconds_each=300), 1200, 150),
    ],
)
def test_pace_and_time_left(work: Work, per_hour: float | None, left: float | None) -> None:
    assert (work.per_hour, work.seconds_left) == (per_hour, left)


def test_the_longest_fleet_decides() -> None:
    works = {"a": Work(), "b": Work(9, 1, seconds_each=60), "c": Work(0, 1, seconds_each=60)}
    assert Status(works, {}).seconds_left == 570
    assert Status({**works, "d": Work(queued=1)}, {}).seconds_left is None


def test_prices_of_the_guides_worker(place: Place) -> None:
    fleet = load(place.file).workers["simulations"]
    # 2 vCPU and 8 GiB; the twenty-first GiB of disk is paid.
    assert usd_per_hour(fleet, spot=False) == pytest.approx(2 * 0.04048 + 8 * 0.004445 + 0.000111)
    assert usd_per_hour(fleet, spot=True) == pytest.approx(0.3 * (2 * 0.04048 + 8 * 0.004445) + 0.000111)
    arm = fleet.model_copy(update={"architecture": "arm64", "ephemeral_storage_gb": 20})
    assert usd_per_hour(arm, spot=False) == pytest.approx(2 * 0.03238 + 8 * 0.00356)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.2, "< 1 s"),
        (59, "59 s"),
        (61, "1 min 01 s"),
        (7500, "2 h 05 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_status_is_told_by_fleet(place: Place) -> None:
    place.engine.tasks = {"scythe_experiment_b": (900, 90), "scythe_scatter_gather": (0, 1), "others": (5, 5)}
    document = json.loads(place.run("status", place.file, "--json").stdout)
    assert document["fleets"]["simulations"] == {
        "queued": 900, "running": 90, "done": 40, "failed": 2, "seconds_each": 300, "per_hour": 1080,
        "seconds_left": 3150, "tasks": None,
    }  # fmt: skip
    assert document["fleets"]["fanouts"]["running"] == 1 and document["fleets"]["annual"]["queued"] == 0
    assert document["seconds_left"] == 3150
    text = place.run("status", place.file).stdout
    assert "Time left at this pace: 52 min 30 s." in text
    assert "Not deployed: simulations, annual, fanouts (cdktf deploy lab-workers)." in text
    (asked,) = [
        query
        for what, query in place.engine.asked
        if what == "task-metrics" and "id-of-scythe_experiment_b" in query["workflow_ids"]
    ][-1:]
    assert datetime.now(UTC) - datetime.fromisoformat(asked["since"][0]) > timedelta(hours=23)


@pytest.mark.slow
def test_watching_goes_on_while_hatchet_is_away_and_ends_with_ctrl_c(place: Place) -> None:
    fault = f"Hatchet at http://127.0.0.1:{place.engine.port} answers task-stats with 502\n"
    process = subprocess.Popen(
        [COMMAND, "status", place.file, "--watch", "--json"],
        env=place.aws.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        first = json.loads(process.stdout.readline())
        place.engine.status = 502
        assert process.stderr.readline() == fault
        place.engine.status = 200
        assert json.loads(process.stdout.readline()) == first
        process.send_signal(2)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()


def test_tasks_cost_what_they_have_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.deployed.aws import Caller
    from ops.deployed.fleet_tasks import DeployedFleets

    for name, value in place.aws.variables.items():
        monkeypatch.setenv(name, value)
    environment = load(place.file)
    fleets = DeployedFleets(Caller(environment), environment)
    tasks = [
        {"capacityProviderName": "FARGATE_SPOT", "startedAt": NOW - 2 * HOUR},
        {"capacityProviderName": "FARGATE", "startedAt": NOW - HOUR},
        {"capacityProviderName": "FARGATE"},
    ]
    monkeypatch.setattr(
        fleets, "_services", lambda: {"simulations": (2, 1, 3), "simulations-on-demand": (1, 0, 1)}
    )
    monkeypatch.setattr(
        fleets, "_bounds", lambda _: {"simulations": (0, 100), "simulations-on-demand": (0, 20)}
    )
    monkeypatch.setattr(fleets, "_tasks", lambda services: iter(tasks if len(services) == 2 else ()))
    spot, on_demand = (usd_per_hour(environment.workers["simulations"], spot=spot) for spot in (True, False))
    (found,) = fleets.look(NOW).items()
    assert found == (
        "simulations",
        FleetTasks(
            3, 1, 4, (0, 120), pytest.approx(2 * spot + on_demand), pytest.approx(spot + 2 * on_demand)
        ),
    )
