"""With several slots, the demand keeps all busy workers."""

from __future__ import annotations

import json
from typing import Any

from scythe_worker.backlog_settings import Fleet
from scythe_worker.backlog_stats import Figures
from scythe_worker.busy import Busy
from tests.scythe_worker.backlog.conftest import engine, settings

FLEET = Fleet("simulations", "leaf", 4)


def worker(number: int, available: int, fleet: str = "test-simulations") -> dict[str, Any]:
    slots = {"default": {"available": available, "limit": 4}}
    return {"name": f"{fleet}-{number:032x}-eu-west-1a", "slotConfig": slots}


def raised(busy: Busy, queued: int, running: int) -> int:
    figures = Figures(queued, running, 0, -(-(queued + running) // 4))
    return busy.raised({"simulations": figures})["simulations"].demand


def test_the_demand_never_falls_below_the_busy_workers() -> None:
    with engine() as it:
        busy = Busy(settings(it.url, FLEET))
        it.body = json.dumps({"rows": [worker(n, 0) for n in range(100)]}).encode()
        assert raised(busy, 900, 300) == 300
        assert it.asked == []
        assert raised(busy, 100, 300) == 100
        # 100 workers with a task each would be a demand of 25.
        rows = [worker(n, 3) for n in range(100)] + [worker(n, 4) for n in range(100, 150)]
        it.body = json.dumps({"rows": [*rows, worker(1, 0, "other-simulations")]}).encode()
        assert raised(busy, 0, 100) == 100
        it.body = json.dumps({"rows": [worker(n, 2 if n < 40 else 4) for n in range(100)]}).encode()
        assert raised(busy, 0, 80) == 40
        it.body = json.dumps({"rows": [worker(n, 4) for n in range(100)]}).encode()
        assert raised(busy, 0, 0) == 0


def test_while_the_engine_lists_no_workers_the_demand_stays_above_what_may_be_busy() -> None:
    with engine() as it:
        busy = Busy(settings(it.url, FLEET))
        it.body = json.dumps({"rows": [worker(n, 0) for n in range(100)]}).encode()
        assert raised(busy, 100, 300) == 100
        it.status = 500
        assert raised(busy, 0, 150) == 100
        assert raised(busy, 0, 60) == 60


def test_workers_that_the_engine_has_not_heard_of_stay_counted() -> None:
    with engine() as it:
        busy = Busy(settings(it.url, FLEET))
        rows = [worker(n, 3) for n in range(100)]
        it.body = json.dumps({"rows": rows}).encode()
        assert raised(busy, 0, 100) == 100
        # 60 give no sign of life for a while.
        it.body = json.dumps({"rows": rows[:40]}).encode()
        assert raised(busy, 0, 100) == 100
        assert raised(busy, 0, 50) == 50


def test_while_a_list_fails_no_demand_falls_below_what_its_tasks_may_keep() -> None:
    with engine() as it:
        busy = Busy(settings(it.url, FLEET))
        it.body = json.dumps({"rows": [worker(n, 3) for n in range(50)]}).encode()
        assert raised(busy, 10, 50) == 50
        it.status = 500
        assert raised(busy, 20, 48) == 50
        assert raised(busy, 0, 10) == 10
        assert raised(busy, 0, 0) == 0


def test_what_is_queued_needs_workers_beside_the_paused_ones() -> None:
    with engine() as it:
        busy = Busy(settings(it.url, FLEET))
        rows = [{**worker(n, 3), "status": "PAUSED"} for n in range(2)]
        it.body = json.dumps({"rows": rows}).encode()
        figures = {"simulations": Figures(6, 2, 0, 2)}
        assert busy.raised(figures)["simulations"].demand == 2
        assert not it.asked
        assert busy.raised(figures, {"simulations"})["simulations"].demand == 4
