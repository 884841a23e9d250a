"""A whole experiment while its workers, its fan worker and its engine are taken away: every result, once, exact."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import LocalAws
from tests.support.hatchet.allocation import allocate, check_results, forget
from tests.support.hatchet.engine import Hatchet, hatchet
from tests.support.hatchet.runs import Runs
from tests.support.hatchet.workers import Workers, workers

SPECS = 1000
PREFIX = "losses"
TAKEN = ("leaves", "fan", "engine")

SIMULATION_SECONDS = 0.4
LEAVES, SLOTS = 4, 4
BRANCHES = 4
EVERY_SECONDS = 5.0
NOTICE_SECONDS = 18
"""Spot's 120 s, shortened: 15 of them are the worker's margin."""

WHOLE_SECONDS = 900

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws.start() as it:
        it.client("s3").create_bucket(Bucket="results")
        yield it


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hatchet]:
    with hatchet(tmp_path_factory.mktemp("engine")) as it:
        yield it


@pytest.fixture
def fleet(engine: Hatchet, aws: LocalAws, tmp_path: Path) -> Iterator[Workers]:
    given = {
        **aws.variables,
        "SCYTHE_STORAGE_BUCKET_PREFIX": PREFIX,
        "SCYTHE_TIMEOUT_SCATTER_GATHER_EXECUTION": "1h",
        "SCYTHE_WORKER_NOTICE_SECONDS": str(NOTICE_SECONDS),
    }
    with workers(tmp_path / "workers", engine, **given) as them:
        yield them


def start_leaf(fleet: Workers) -> subprocess.Popen[bytes]:
    return fleet.start(SCYTHE_WORKER_DOES_FAN="False", SCYTHE_WORKER_SLOTS=str(SLOTS))


def start_fan(fleet: Workers) -> subprocess.Popen[bytes]:
    return fleet.start(SCYTHE_WORKER_DOES_LEAF="False", SCYTHE_WORKER_SLOTS=str(BRANCHES + 1))


def take(fleet: Workers, worker: subprocess.Popen[bytes], *, noticed: bool) -> None:
    """Take a worker away: with Spot's notice and the kill at its end, or as a host that fails."""
    if noticed:
        worker.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(NOTICE_SECONDS)
    fleet.kill(worker)


def is_done(fleet: Workers) -> bool:
    """Whether every simulation has ended somewhere."""
    return len({note.spec for note in fleet.notes("end")}) == SPECS


@pytest.mark.parametrize("taken", TAKEN)
def test_every_result_is_there_once(engine: Hatchet, aws: LocalAws, fleet: Workers, taken: str) -> None:
    runs = Runs(engine)
    leaves = [start_leaf(fleet) for _ in range(LEAVES)]
    fan = start_fan(fleet)
    fleet.wait_until(lambda: fleet.listening() == LEAVES + 1)
    experiment, run = allocate(fleet, [SIMULATION_SECONDS] * SPECS, BRANCHES)

    started = time.monotonic()
    losses = 0
    while not is_done(fleet):
        assert time.monotonic() - started < WHOLE_SECONDS, fleet.log.read_text()[-6000:]
        time.sleep(EVERY_SECONDS)
        # On a slow machine the replacement takes longer than that to start; a fleet of none proves nothing.
        fleet.wait_until(lambda: fleet.listening() > LEAVES or is_done(fleet))
        losses += 1
        # Two in three with Spot's notice.
        noticed = losses % 3 != 0
        if taken == "fan" and losses % 2 == 0:
            gone, fan = fan, start_fan(fleet)
        else:
            gone = leaves.pop(0)
            leaves.append(start_leaf(fleet))
        take(fleet, gone, noticed=noticed)
        if taken == "engine" and losses == 2:
            engine.stop_engine()
            engine.start_engine()
    ended = runs.ended(run, WHOLE_SECONDS)
    assert ended.status == "COMPLETED", ended.error_message
    took = time.monotonic() - started
    begun = len(fleet.notes("start"))
    print(
        f"{taken}: {SPECS} results in {took:.0f} s, {losses} workers taken, {begun - SPECS} simulations begun anew"
    )

    check_results(aws, fleet, PREFIX, experiment, SPECS)
    forget(experiment)
