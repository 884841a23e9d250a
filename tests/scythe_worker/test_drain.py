"""What a worker that must stop does with its tasks, on a real engine; the rules alone, without one."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scythe_worker.drain import MARGIN_SECONDS, NOTICE_SECONDS, Durations, seconds_of, worth_waiting
from tests.support.hatchet.engine import Hatchet, hatchet
from tests.support.hatchet.runs import Runs
from tests.support.hatchet.workers import Workers, workers

LONG = "scythe_experiment_long"
BRIEF = "scythe_experiment_brief"
ELSEWHERE_SECONDS = 5.0
"""The goal is 2 s; the rest is for machines that run much else."""


@pytest.mark.parametrize(
    ("elapsed", "left", "typical", "limit", "waits"),
    [
        (10, 100, None, None, False),  # nobody knows
        (10, 100, None, 60, True),  # the engine ends it in time, if it does not end itself
        (10, 100, None, 120, False),
        (10, 100, 60, 3600, True),
        (10, 100, 300, 3600, False),
        (250, 100, 300, 3600, True),  # nearly done
        (301, 100, 300, 3600, True),  # overdue: any moment
        (601, 100, 300, 3600, False),  # not typical at all
        (10, 0, 5, 20, False),  # the notice is over
        (10, -1, 10, 10, False),
    ],
)
def test_a_task_is_waited_for_if_it_ends_in_time(
    elapsed: float, left: float, typical: float | None, limit: float | None, waits: bool
) -> None:
    assert worth_waiting(elapsed=elapsed, left=left, typical=typical, limit=limit) is waits


def test_the_typical_duration_is_told_or_seen() -> None:
    seen = Durations()
    assert seen.typical("annual") is None
    for seconds in (*range(1, 10), 100):
        seen.saw("annual", seconds)
    assert seen.typical("annual") == 100
    for _ in range(9):
        seen.saw("annual", 3)
    assert seen.typical("annual") == 9
    told = Durations({"annual": 40, "": 7})
    told.saw("annual", 1)
    assert (told.typical("annual"), told.typical("daily")) == (40, 7)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("90s", 90), ("1.5s", 1.5), ("250ms", 0.25), ("", None)]
)
def test_durations_are_hatchets(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_the_notice_is_the_task_definitions() -> None:
    from modules.worker_fleet.container import STOP_SECONDS

    assert NOTICE_SECONDS == STOP_SECONDS > MARGIN_SECONDS


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hatchet]:
    with hatchet(tmp_path_factory.mktemp("engine")) as it:
        yield it


@pytest.fixture
def fleet(engine: Hatchet, tmp_path: Path) -> Iterator[Workers]:
    with workers(
        tmp_path / "workers", engine, SCYTHE_WORKER_DOES_FAN="False", SCYTHE_WORKER_SLOTS="8"
    ) as them:
        yield them


@pytest.mark.engine
def test_what_cannot_end_runs_elsewhere_at_once(engine: Hatchet, fleet: Workers) -> None:
    runs = Runs(engine)
    (first,) = fleet.start_listening()
    started = [runs.start(LONG, seconds=300, sort_index=spec) for spec in range(3)]
    # Its own retries are 1: it is given back, fails, and fails again.
    fails = runs.start(LONG, seconds=300, sort_index=3, fails=True)
    fleet.wait_until(lambda: len(fleet.notes("start")) == 4)
    (second,) = fleet.start_listening()
    told = time.time()
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    fleet.wait_until(lambda: len(fleet.notes("start")) == 8)
    elsewhere = [note.at - told for note in fleet.notes("start") if note.pid != first.pid]
    print(f"running elsewhere after {min(elsewhere):.2f} to {max(elsewhere):.2f} s")
    assert max(elsewhere) < ELSEWHERE_SECONDS
    fleet.let_end()
    for spec, run in enumerate(started):
        ended = runs.ended(run)
        assert ended.status == "COMPLETED", ended.error_message
        assert ended.output["square"] == spec**2
    ended = runs.ended(fails)
    assert ended.status == "FAILED"
    assert "spec 3 has no solution" in str(ended.error_message)
    # Both have been given back beside: the engine's own count would have ended it one failure earlier.
    assert runs.counts(fails)[0] >= 2
    # No copy ran on where it was given back, and each failure of the experiment itself counts.
    assert {note.pid for note in fleet.notes("end")} == {second.pid}
    assert Counter(note.spec for note in fleet.notes("end")) == {0: 1, 1: 1, 2: 1}
    assert [note.spec for note in fleet.notes("fail")] == [3, 3]


@pytest.mark.engine
def test_what_ends_in_time_ends_here(engine: Hatchet, fleet: Workers) -> None:
    runs = Runs(engine)
    (worker,) = fleet.start_listening()
    # Its timeout alone says that it ends in time; it runs into it twice, as often as it may.
    late = runs.start(BRIEF, seconds=20, sort_index=9)
    assert runs.ended(late).status == "FAILED"
    # The engine starts it once more, to be told that it is over.
    assert len(fleet.notes("start")) in (2, 3)
    begun = len(fleet.notes("start"))
    run = runs.start(BRIEF, seconds=2, sort_index=5)
    # These end about when the worker is told to stop.
    moments = [runs.start(LONG, seconds=0.7 + spec * 0.1, sort_index=100 + spec) for spec in range(7)]
    fleet.wait_until(lambda: len(fleet.notes("start")) == begun + 8)
    fleet.wait_until(lambda: len(fleet.notes("end")) >= 3)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    ended = runs.ended(run)
    assert (ended.status, ended.output["square"], runs.counts(run)) == ("COMPLETED", 25, (0, 0, 0))
    fleet.start()
    for spec, moment in enumerate(moments):
        ended = runs.ended(moment)
        assert (ended.status, ended.output["square"]) == ("COMPLETED", (100 + spec) ** 2)
    finished = Counter(
        message.rpartition("/")[2]
        for line in fleet.said()
        if (message := str(line["message"])).startswith("finished step run")
    )
    assert [finished[moment] for moment in moments] == [1] * len(moments)


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_starts_leaves_when_told(engine: Hatchet, fleet: Workers, number: int) -> None:
    for seconds in (0.5, 2.0):
        worker = fleet.start()
        time.sleep(seconds)
        worker.send_signal(number)
        worker.send_signal(number)
        assert worker.wait(5) == 0, fleet.log.read_text()
    worker = fleet.start()
    fleet.wait_until(lambda: "starting hatchet" in fleet.log.read_text())
    worker.send_signal(number)
    worker.send_signal(number)
    assert worker.wait(10) == 0, fleet.log.read_text()
    assert fleet.listening() == 0
    assert '"level": "ERROR"' not in fleet.log.read_text()
