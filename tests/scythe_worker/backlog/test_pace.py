"""What the backlog service publishes while nothing waits, and what that costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.worker_fleet.scaling import Scaling
from scythe_worker.backlog import PERIOD, Publisher
from scythe_worker.backlog_stats import Figures
from scythe_worker.pace import ALL, AWAKE_SECONDS, DEMAND, Pace
from tests.scythe_worker.backlog.conftest import NOW, Engine, engine, settings, stats

QUIET = [Figures(), Figures()]
BUSY = [Figures(), Figures(queued=1, demand=1)]
START = NOW.timestamp() + 8


def played(
    pace: Pace, found: list[Figures], first: float, seconds: float
) -> list[tuple[float, tuple[str, ...]]]:
    """What is due at each ten seconds, all of which is published."""
    given = []
    for step in range(int(seconds // PERIOD)):
        now = first + step * PERIOD
        if due := pace.due(found, now):
            given.append((now, due))
            pace.published(now)
    return given


def test_everything_is_published_until_every_fleet_must_be_asleep() -> None:
    longest = max(item.schema["maximum"] for item in Scaling.model_fields["quiet_minutes"].metadata)
    assert longest * 60 < AWAKE_SECONDS
    given = played(Pace(START), QUIET, START, AWAKE_SECONDS)
    assert len(given) == AWAKE_SECONDS / PERIOD
    assert {due for _, due in given} == {ALL}


def test_while_nothing_waits_each_minute_has_one_zero() -> None:
    pace = Pace(START)
    given = played(pace, QUIET, START + AWAKE_SECONDS, 3600)
    assert {due for _, due in given} == {(DEMAND,)}
    minutes = [int(now // 60) for now, _ in given]
    assert minutes == list(range(minutes[0], minutes[0] + 60))


@pytest.mark.parametrize("busy", [Figures(queued=1), Figures(running=1), Figures(demand=1)])
@pytest.mark.parametrize("late", range(0, 60, PERIOD))
def test_work_is_published_at_once_and_every_ten_seconds_from_then(busy: Figures, late: int) -> None:
    pace = Pace(START)
    played(pace, QUIET, START + AWAKE_SECONDS, 600)
    moment = START + AWAKE_SECONDS + 600 + late
    assert [due for _, due in played(pace, [Figures(), busy], moment, 120)] == [ALL] * 12
    assert len(played(pace, QUIET, moment + 120, AWAKE_SECONDS - PERIOD)) == AWAKE_SECONDS / PERIOD - 1


def test_what_cloudwatch_does_not_take_stays_due() -> None:
    pace = Pace(START)
    now = START + AWAKE_SECONDS
    assert pace.due(QUIET, now) == pace.due(QUIET, now + 2) == (DEMAND,)
    pace.published(now + 2)
    assert pace.due(QUIET, now + 10) == ()


class CloudWatch:
    def __init__(self) -> None:
        self.requests: list[list[dict[str, Any]]] = []

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        self.requests.append(MetricData)


@pytest.fixture
def it() -> Iterator[Engine]:
    with engine() as given:
        yield given


def test_the_service_asks_every_ten_seconds_and_rarely_publishes(it: Engine, tmp_path: Path) -> None:
    clock, cloudwatch, published = [START], CloudWatch(), tmp_path / "published"
    publisher = Publisher(
        settings(it.url), cloudwatch, published, log=lambda _: None, now=lambda: clock[0]
    )  # fmt: skip
    clock[0] += AWAKE_SECONDS
    for _ in range(30):
        published.unlink(missing_ok=True)
        assert publisher.step() == pytest.approx(PERIOD)
        # The service is healthy where nothing is due.
        assert published.exists()
        clock[0] += PERIOD
    assert len(it.asked) == 30
    assert len(cloudwatch.requests) == 5
    names = {(datum["MetricName"], datum["Value"]) for request in cloudwatch.requests for datum in request}
    assert names == {(DEMAND, 0)}
    assert {len(request) for request in cloudwatch.requests} == {3}

    it.body = json.dumps({"scythe_scatter_gather": stats(5)}).encode()
    publisher.step()
    assert len(cloudwatch.requests) == 6
    assert {datum["MetricName"] for datum in cloudwatch.requests[-1]} == set(ALL)
