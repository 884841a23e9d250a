"""What the backlog service asks of the engine, and what an answer means."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from scythe_worker.backlog_settings import Fleet, owner
from scythe_worker.backlog_stats import AwayError, Figures, ask, figures
from tests.scythe_worker.backlog.conftest import FANOUTS, HEAVY, NOW, SIMULATIONS, engine, settings, stats

# What is asked.


def test_all_is_asked_where_a_fleet_runs_the_rest() -> None:
    with engine() as it:
        ask(settings(it.url))
        assert it.asked == [("/api/v1/tenants/our-tenant/task-stats", "Bearer a-token")]


def test_names_are_asked_where_every_fleet_has_some() -> None:
    with engine() as it:
        ask(settings(it.url, HEAVY, FANOUTS))
        ((path, _),) = it.asked
        names = parse_qs(urlsplit(path).query)["taskNames"]
        assert names == ["scythe_experiment_annual,scythe_scatter_gather"]


def test_many_names_are_not_put_into_a_url() -> None:
    many = Fleet(
        "many", "leaf", 1, frozenset(f"scythe_experiment_{'x' * 150}_{number}" for number in range(100))
    )
    with engine() as it:
        ask(settings(it.url, many))
        assert it.asked[0][0].endswith("/task-stats")


def test_a_path_before_the_api_is_kept() -> None:
    with engine() as it:
        ask(settings(f"{it.url}/hatchet"))
        assert it.asked[0][0].startswith("/hatchet/api/v1/")


def test_no_redirect_takes_the_token_elsewhere() -> None:
    with engine() as it, engine() as other:
        it.status, it.headers = 302, {"Location": other.url}
        with pytest.raises(AwayError, match="answers 302"):
            ask(settings(it.url))
        assert other.asked == []


# What an answer means.


def test_a_task_counts_for_one_fleet() -> None:
    fleets = (SIMULATIONS, HEAVY, FANOUTS, Fleet("fans", "fan", 1))
    assert owner("scythe_experiment_annual", fleets) == "heavy"
    assert owner("Scythe_Experiment_Annual", fleets) == "heavy"
    assert owner("scythe_experiment_hourly", fleets) == "simulations"
    assert owner("scythe_scatter_gather", fleets) == "fanouts"
    assert owner("somebody_elses", fleets) is None
    assert owner("scythe_experiment_hourly", (HEAVY, FANOUTS)) is None


def test_figures_of_each_fleet() -> None:
    given = {
        "scythe_experiment_annual": stats(3, 2, (NOW - timedelta(seconds=90)).isoformat()),
        "scythe_experiment_hourly": stats(1000, 100, "2026-01-01T11:59:30.123456789Z"),
        "scythe_experiment_daily": stats(5, 0, (NOW - timedelta(seconds=7)).isoformat()),
        "scythe_scatter_gather": stats(0, 9),
        "somebody_elses": stats(7, 7),
    }
    found = figures(given, settings().fleets, NOW)
    assert found["heavy"] == Figures(3, 2, 90, 3)
    assert (found["simulations"].queued, found["simulations"].demand) == (1005, 1105)
    assert found["simulations"].oldest_seconds == pytest.approx(29.88, abs=0.01)
    assert found["fanouts"] == Figures(0, 9, 0, 3)


def test_absent_tasks_are_none() -> None:
    # The engine answers so of an idle tenant, and of a task without queued or without running ones.
    assert figures({}, settings().fleets, NOW) == dict.fromkeys(
        ("simulations", "heavy", "fanouts"), Figures()
    )
    half = {"scythe_scatter_gather": {"running": {"total": 4}}}
    assert figures(half, [FANOUTS], NOW) == {"fanouts": Figures(0, 4, 0, 1)}


@pytest.mark.parametrize(
    "stat", [None, [], {"queued": {}}, {"queued": 3}, stats(-1), {"queued": {"total": "3"}}, {"queued": {"total": True}}]
)  # fmt: skip
def test_what_cannot_be_read_is_no_zero(stat: object) -> None:
    with pytest.raises(AwayError, match="cannot be read"):
        figures({"scythe_scatter_gather": stat}, [FANOUTS], NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"scythe', b"\xff"])
def test_what_is_no_answer_is_no_zero(body: bytes) -> None:
    with engine() as it:
        it.body = body
        with pytest.raises(AwayError, match="cannot be read"):
            ask(settings(it.url))
