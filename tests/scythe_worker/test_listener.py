"""The process that listens to the engine: healthy however busy the worker is, and not when it hears nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from scythe_worker.retries import GIVEN_BACK
from tests.scythe_worker.test_image import arrival, connection, free_port
from tests.scythe_worker.test_worker import environment, package, worker
from tests.support.hatchet_engine import Engine, engine

TASK = "scythe_experiment_annual:scythe_experiment_annual"

EXPERIMENT = """
import time
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.registry import ExperimentRegistry

class Output(ExperimentOutputSpec):
    y: float = 0

class Input(ExperimentInputSpec):
    numbers: int = 0
    seconds: float = 0

@ExperimentRegistry.Register(execution_timeout="1h")
def annual(input_spec: Input) -> Output:
    '''Counts in one call that leaves no other thread of the process a turn, or waits.'''
    print("begins", flush=True)
    time.sleep(input_spec.seconds)
    return Output(y=sum(range(input_spec.numbers)))
"""


class Running:
    """A worker beside the tests' own engine."""

    def __init__(self, folder: Path, hatchet: Engine) -> None:
        self.at = package(folder, EXPERIMENT)
        self.log = folder / "log"
        self.given = environment(
            SCYTHE_WORKER_DOES_FAN="False",
            SCYTHE_WORKER_SLOTS="2",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED="True",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_BIND_ADDRESS="127.0.0.1",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT=str(free_port()),
            **connection(hatchet),
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scythe_worker"],
                cwd=self.at, env=self.given, stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip

    def wait_for(self, text: str) -> None:
        """Wait until the log has a text."""
        until = time.monotonic() + 90
        while text not in self.log.read_text():
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def health(self) -> subprocess.CompletedProcess[str]:
        """The container's health check."""
        return worker("health", at=self.at, given=self.given)


@contextmanager
def running(folder: Path, hatchet: Engine) -> Iterator[Running]:
    it = Running(folder, hatchet)
    try:
        arrival(hatchet.registered, it.process, it.log)
        yield it
    finally:
        with suppress(ProcessLookupError):
            os.killpg(it.process.pid, signal.SIGKILL)
        it.process.wait()


@pytest.mark.slow
def test_a_busy_worker_is_healthy_and_a_deaf_one_is_not(tmp_path: Path) -> None:
    with engine() as hatchet, running(tmp_path, hatchet) as it:
        # Some ten seconds; hatchet-sdk's own check fails after five.
        hatchet.give(TASK, {"experiment_id": "e", "sort_index": 0, "numbers": 1_000_000_000}, "first")
        it.wait_for("begins")
        hatchet.give(TASK, {"experiment_id": "e", "sort_index": 1}, "second")
        checks = 0
        while hatchet.ended.empty():
            ran = it.health()
            # The last one may have begun after the count had ended.
            assert ran.returncode == 0, ran.stderr
            checks += 1
        assert checks > 3
        for _ in range(2):
            kind, payload = arrival(hatchet.ended, it.process, it.log)
            assert kind == "STEP_EVENT_TYPE_COMPLETED", payload
        hatchet.stop()
        until = time.monotonic() + 60
        while it.health().returncode == 0:
            assert time.monotonic() < until
        assert it.process.poll() is None


@pytest.mark.slow
def test_without_the_api_tasks_are_given_back_all_the_same(tmp_path: Path) -> None:
    with engine() as hatchet, running(tmp_path, hatchet) as it:
        hatchet.give(TASK, {"experiment_id": "e", "sort_index": 0, "seconds": 600})
        it.wait_for("begins")
        told = time.monotonic()
        it.process.send_signal(signal.SIGTERM)
        kind, payload = arrival(hatchet.ended, it.process, it.log)
        assert (kind, payload.partition(":")[0]) == ("STEP_EVENT_TYPE_FAILED", GIVEN_BACK)
        assert it.process.wait(20) == 0
        assert time.monotonic() - told < 20
        log = it.log.read_text()
    assert "the engine's API does not pause the worker" in log
    assert "leaked" not in log


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="tells the processes apart by their commands")
def test_a_worker_whose_listener_is_gone_has_crashed(tmp_path: Path) -> None:
    with engine() as hatchet, running(tmp_path, hatchet) as it:
        until = time.monotonic() + 30
        while it.health().returncode:
            assert time.monotonic() < until, it.log.read_text()
        (listener,) = (
            child
            for child in psutil.Process(it.process.pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        )
        listener.kill()
        assert it.process.wait(30) == 1
        assert "the process that listens to the engine is gone" in it.log.read_text()
