"""Experiments that do what they should not, on a real engine, each beside a bystander that must succeed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scythe_worker.identity import METADATA
from scythe_worker.lost import GUILTY
from tests.scythe_worker.test_protection import agent
from tests.support.hatchet import workers as support
from tests.support.hatchet.engine import Hatchet, free_port, hatchet
from tests.support.hatchet.runs import Runs
from tests.support.hatchet.workers import Workers, workers

TASK = "scythe_experiment_nasty"
NOTICE_SECONDS = 18
SOON_SECONDS = 15

EXPERIMENTS = (Path(__file__).parent / "misbehaving.py").read_text()

FAILS = {
    "exit": "SystemExit: no licence",
    "exit 0": "SystemExit: 0",
    "interrupt": "KeyboardInterrupt",
    "own": "Mine: mine",
    "cancelled": "CancelledError",
    "generator": "GeneratorExit",
    "stop": "StopIteration",
    "wordless": "Wordless: (its text cannot be read: RuntimeError)",
    "surrogate": r"FileNotFoundError: M\udcfcnchen.epw",
    "nul": r"ValueError: a\x00b",
    "escapes": r"ValueError: \x1b[2J",
    "long text": "ValueError: xxx",
    "large result": "ResultTooLarge: the result has 9.5 MiB; must be at most 3.9 MiB",
    "surrogate result": "IllegalTaskOutputError",
    "nul result": "IllegalTaskOutputError",
    "no result": "AttributeError",
    "result that exits": "PydanticSerializationError: Error calling function `_exits`: SystemExit: no result",
    "input that exits": "SystemExit: no input",
    "unpicklable": "Unpicklable",
    "recursion": "RecursionError",
    "memory": "MemoryError",
    "all of the memory": "MemoryError",
    "token": "ValueError: <secret>",
    "later": "RetryAfterException: soon",
    "never": "NonRetryableException: never",
    "no time": "RetryAfterException: when",
}
"""What each says in Hatchet's dashboard."""

SUCCEEDS = (
    "ok", "nan", "just small enough", "fork", "fork that raises", "pool", "executor", "child that is told to stop",
    "closed streams", "closed descriptors", "replaced streams", "basic config", "logging off", "no token", "folder that is gone",
    "thread that raises", "loop of its own", "locale", "prints",
)  # fmt: skip

pytestmark = pytest.mark.engine


WAYS = {
    "segmentation fault": -signal.SIGSEGV,
    "exit 0 of the process": 0,
    "stops its worker": 0,
    "exit 1 of the process": 1,
    "killed for its memory": -signal.SIGKILL,
}
"""How a task takes its worker down, and the exit status of that."""


@contextmanager
def ecs(wants: Callable[[], str]) -> Iterator[dict[str, str]]:
    """What ECS sets in a task that it wants to have this status."""
    with agent(lambda *_: (200, {"DesiredStatus": wants()})) as (address, _):
        yield {METADATA: address}


class Fleet:
    """One worker with its engine."""

    def __init__(self, engine: Hatchet, fleet: Workers, port: str) -> None:
        self.runs = Runs(engine)
        self.engine, self.fleet, self.port = engine, fleet, port
        self.count = 0
        (self.process,) = fleet.start_listening()

    def start(self, kind: str, **given: object) -> tuple[str, int]:
        """Start a task; its run, and its number."""
        self.count += 1
        return self.runs.start(TASK, kind=kind, sort_index=self.count, **given), self.count

    def begun(self, number: int) -> None:
        """Wait until a task has begun."""
        self.fleet.wait_until(lambda: any(note.spec == number for note in self.fleet.notes("start")), 60)

    def health(self) -> tuple[int, str]:
        """The health check's exit status and words."""
        ran = subprocess.run(
            [sys.executable, "-m", "scythe_worker", "health"],
            cwd=self.fleet.folder, env=self.fleet.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return ran.returncode, ran.stderr


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hatchet]:
    with hatchet(tmp_path_factory.mktemp("engine")) as it:
        yield it


@pytest.fixture(scope="module")
def fleet(engine: Hatchet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    port = str(free_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "EXPERIMENTS", EXPERIMENTS)
        with workers(
            tmp_path_factory.mktemp("fleet") / "workers",
            engine,
            SCYTHE_WORKER_DOES_FAN="False",
            SCYTHE_WORKER_SLOTS="3",
            SCYTHE_WORKER_NOTICE_SECONDS=str(NOTICE_SECONDS),
            SCYTHE_WORKER_SECRETS="LICENCE",
            LICENCE="canary-licence",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED="True",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_BIND_ADDRESS="127.0.0.1",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT=port,
        ) as them:
            yield Fleet(engine, them, port)


@pytest.mark.parametrize("kind", [*FAILS, *SUCCEEDS])
def test_each_ends_and_the_bystander_succeeds(fleet: Fleet, kind: str) -> None:
    bystander, number = fleet.start("ok", seconds=1.5)
    fleet.begun(number)
    run, _ = fleet.start(kind)
    ended = fleet.runs.ended(run, SOON_SECONDS)
    if kind in FAILS:
        assert ended.status == "FAILED"
        assert (ended.error_message or "").startswith(FAILS[kind])
        assert len(ended.error_message or "") < 30_000
        assert "canary" not in (ended.error_message or "")
    else:
        assert ended.status == "COMPLETED", ended.error_message
    assert fleet.runs.ended(bystander, SOON_SECONDS).status == "COMPLETED"
    assert fleet.runs.counts(bystander) == (0, 0, 0)
    assert fleet.process.poll() is None


def test_nothing_of_it_stays(fleet: Fleet) -> None:
    assert fleet.health() == (0, "")
    log = fleet.fleet.log.read_text(errors="replace")
    assert "canary" not in log
    assert fleet.engine.token not in log
    lines = [line for line in log.splitlines() if not line.startswith("{")]
    assert not [line for line in lines if "Traceback" in line], lines[-20:]


def test_a_task_that_runs_out_of_time_gives_its_slot_back(fleet: Fleet) -> None:
    for kind in ("endless", "asleep"):
        ends = [fleet.start(kind) for _ in range(3)]
        for run, _ in ends:
            assert fleet.runs.ended(run, 60).status == "FAILED"
        for run, _ in [fleet.start("ok") for _ in range(6)]:
            assert fleet.runs.ended(run, SOON_SECONDS).status == "COMPLETED"
    assert fleet.health() == (0, "")


def test_coroutines_may_exit_too(fleet: Fleet) -> None:
    for kind in ("exit", "task that exits", "cancels itself", "cancelled", "ok"):
        run = fleet.runs.start("coroutine", kind=kind)
        ended = fleet.runs.ended(run, SOON_SECONDS)
        assert ended.status == ("COMPLETED" if kind == "ok" else "FAILED"), (kind, ended.error_message)


def test_a_call_that_holds_the_interpreter_is_no_fault_of_the_worker(fleet: Fleet) -> None:
    run, number = fleet.start("holds the interpreter", seconds=8)
    fleet.begun(number)
    assert fleet.health() == (0, "")
    assert fleet.runs.ended(run, 30).status == "COMPLETED"


def test_a_blocked_event_loop_is_found_and_ends_at_sigterm(fleet: Fleet) -> None:
    fleet.runs.start("coroutine", kind="blocks")
    until = time.monotonic() + 90
    while (told := fleet.health())[0] == 0:
        assert time.monotonic() < until
        time.sleep(1)
    assert "event loop is blocked" in told[1]
    fleet.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert fleet.process.wait(NOTICE_SECONDS) != 0
    assert time.monotonic() - began < NOTICE_SECONDS
    fleet.fleet.kill(fleet.process)


def test_sigterm_ends_a_worker_whose_interpreter_is_held(fleet: Fleet) -> None:
    (fleet.process,) = fleet.fleet.start_listening()
    _, spec = fleet.start("holds the interpreter", seconds=600)
    fleet.begun(spec)
    time.sleep(1)
    began = time.monotonic()
    fleet.process.send_signal(signal.SIGTERM)
    assert fleet.process.wait(NOTICE_SECONDS) == -signal.SIGKILL
    assert time.monotonic() - began < NOTICE_SECONDS
    fleet.fleet.kill(fleet.process)


def test_a_task_that_takes_its_workers_down_fails_in_the_end_and_the_bystander_succeeds(fleet: Fleet) -> None:
    patient = "scythe_experiment_patient"
    fleet.fleet.kill(fleet.process)
    with ecs(lambda: "RUNNING") as task:
        workers = [fleet.fleet.start(**task)]
        bystander = fleet.runs.start(patient, kind="ok", seconds=4, sort_index=1001)
        guilty = fleet.runs.start(patient, kind=", ".join(WAYS), seconds=0.5, sort_index=1002)
        until = time.monotonic() + (GUILTY + 1) * 60
        # As ECS does: another one for each that is gone.
        while not (_is_over(fleet, bystander) and _is_over(fleet, guilty)):
            assert time.monotonic() < until, [worker.returncode for worker in workers]
            if workers[-1].poll() is not None:
                fleet.fleet.kill(workers[-1])
                workers.append(fleet.fleet.start(**task))
            time.sleep(0.2)
        ended = fleet.runs.task(bystander)
        assert ended.status == "COMPLETED", ended.error_message
        _has_lost(fleet, guilty, GUILTY)
        assert [worker.returncode for worker in workers] == [*WAYS.values(), None]
        # faulthandler names the code that crashed, in lines that are no JSON.
        log = fleet.fleet.log.read_text(errors="replace")
        assert "Fatal Python error: Segmentation fault" in log
        assert "canary" not in log
        workers[-1].send_signal(signal.SIGTERM)
        assert workers[-1].wait(NOTICE_SECONDS) == 0


def test_a_task_that_stops_its_workers_fails_and_one_that_ecs_takes_does_not(fleet: Fleet) -> None:
    fleet.fleet.kill(fleet.process)
    by_ecs = 2
    wants = ["STOPPED"]
    with ecs(lambda: wants[0]) as task:
        guilty = fleet.runs.start(
            "scythe_experiment_patient", kind="stops its worker", seconds=0.2, sort_index=1003
        )
        stopped = 0
        worker = fleet.fleet.start(**task)
        until = time.monotonic() + (GUILTY + by_ecs) * 60
        while not _is_over(fleet, guilty):
            assert time.monotonic() < until, stopped
            if worker.poll() is not None:
                assert worker.returncode == 0
                fleet.fleet.kill(worker)
                stopped += 1
                wants[0] = "STOPPED" if stopped < by_ecs else "RUNNING"
                worker = fleet.fleet.start(**task)
            time.sleep(0.1)
        _has_lost(fleet, guilty, GUILTY)
        assert stopped == GUILTY + by_ecs
        fleet.fleet.kill(worker)


def _has_lost(fleet: Fleet, run: str, count: int) -> None:
    ended = fleet.runs.task(run)
    assert ended.status == "FAILED"
    assert (ended.error_message or "").startswith(f"WorkerLost: {count} workers were gone")


def _is_over(fleet: Fleet, run: str) -> bool:
    """Whether a run has ended for good: what is given back, or sent to a worker that is gone, fails for a moment too."""
    try:
        task = fleet.runs.task(run)
    except Exception:  # The engine's history lags behind.
        return False
    return task.status == "COMPLETED" or (task.error_message or "").startswith("WorkerLost")
