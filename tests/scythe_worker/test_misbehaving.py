"""Experiments that do what they should not, on a real engine, each beside a bystander that must succeed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scythe_worker.lost import GUILTY
from tests.support.hatchet import workers as support
from tests.support.hatchet.engine import Hatchet, free_port, hatchet
from tests.support.hatchet.runs import ENDED, Runs
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
    workers = [fleet.fleet.start()]
    bystander = fleet.runs.start(patient, kind="ok", seconds=4, sort_index=1001)
    guilty = fleet.runs.start(patient, kind="segmentation fault", seconds=0.5, sort_index=1002)
    until = time.monotonic() + (GUILTY + 1) * 60
    # As ECS does: another one for each that is gone.
    while not all(_status(fleet, run) in ENDED for run in (bystander, guilty)):
        assert time.monotonic() < until, [_status(fleet, run) for run in (bystander, guilty)]
        if workers[-1].poll() is not None:
            assert workers[-1].returncode == -signal.SIGSEGV
            fleet.fleet.kill(workers[-1])
            workers.append(fleet.fleet.start())
        time.sleep(0.2)
    assert fleet.runs.ended(bystander).status == "COMPLETED"
    failed = fleet.runs.ended(guilty)
    assert failed.status == "FAILED"
    assert (failed.error_message or "").startswith(f"WorkerLost: {GUILTY} workers were gone")
    assert len(workers) == GUILTY + 1
    # faulthandler names the code that crashed, in lines that are no JSON.
    log = fleet.fleet.log.read_text(errors="replace")
    assert "Fatal Python error: Segmentation fault" in log
    assert "canary" not in log
    workers[-1].send_signal(signal.SIGTERM)
    assert workers[-1].wait(NOTICE_SECONDS) == 0


def _status(fleet: Fleet, run: str) -> str:
    try:
        return str(fleet.runs.task(run).status.value)
    except Exception as error:  # The engine's history lags behind.
        return type(error).__name__
