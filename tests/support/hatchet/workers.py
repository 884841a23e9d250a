"""Worker processes beside a real engine, with an experiment that notes when it starts and ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.fargate.guard import Guard
from tests.support.hatchet.engine import Hatchet
from tests.support.project import ROOT

WAIT_SECONDS = 300

EXPERIMENTS = """
import json, os, time
from pathlib import Path
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.registry import ExperimentRegistry

NOTES = Path(os.environ["TEST_NOTES"])

class Input(ExperimentInputSpec):
    seconds: float = 0
    fails: bool = False
    busy: bool = False

class Output(ExperimentOutputSpec):
    square: int
    worker: int

def note(what, spec, **more):
    line = {"what": what, "spec": spec.sort_index, "pid": os.getpid(), "at": time.time(), **more}
    with NOTES.open("a") as out:
        out.write(json.dumps(line) + chr(10))

def simulate(spec: Input) -> Output:
    note("start", spec)
    until = time.monotonic() + spec.seconds
    while spec.busy and time.monotonic() < until:
        sum(range(30_000_000))
    while time.monotonic() < until and not NOTES.with_name("enough").exists():
        time.sleep(0.01)
    if spec.fails:
        note("fail", spec)
        raise ValueError(f"spec {spec.sort_index} has no solution")
    note("end", spec)
    return Output(square=spec.sort_index ** 2, worker=os.getpid())

@ExperimentRegistry.Register(retries=1, execution_timeout="30m")
def long(input_spec: Input) -> Output:
    '''A simulation that may be longer than Spot's notice.'''
    return simulate(input_spec)

@ExperimentRegistry.Register(retries=1, execution_timeout="3s")
def brief(input_spec: Input) -> Output:
    '''A simulation that ends within the notice, or not at all.'''
    return simulate(input_spec)
"""


@dataclass(frozen=True)
class Note:
    """What a simulation has noted of itself."""

    what: str
    spec: int
    pid: int
    at: float


class Workers:
    """Starts workers in a folder, as the image does, and ends them with the tests."""

    def __init__(self, folder: Path, hatchet: Hatchet, guard: Guard, given: Mapping[str, str]) -> None:
        self.folder = folder
        self.log = folder / "workers.log"
        self._notes = folder / "notes"
        self._notes.touch()
        self._guard, self._hatchet = guard, hatchet
        (folder / "experiments").mkdir()
        (folder / "experiments" / "__init__.py").write_text(EXPERIMENTS)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "SCYTHE_STORAGE_BUCKET": "results",
            "TEST_NOTES": str(self._notes),
            **hatchet.client_environment(),
            **given,
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        self.name = uuid.uuid4().hex

    def start(self, *arguments: str, **given: str) -> subprocess.Popen[bytes]:
        """Start one, under a name of its own; with arguments, another of its commands."""
        name = f"{self.name}-{len(self._processes)}"
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "scythe_worker", *arguments],
                cwd=self.folder, env=self.environment | {"SCYTHE_WORKER_NAME": name} | given, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip
        self._guard.watch(process.pid)
        self._processes.append(process)
        return process

    def start_listening(self, count: int = 1, **given: str) -> list[subprocess.Popen[bytes]]:
        """Start some, and wait until the engine may send them work."""
        before = self.listening()
        them = [self.start(**given) for _ in range(count)]
        self.wait_until(lambda: self.listening() == before + count)
        return them

    def listening(self) -> int:
        """How many of them the engine may send work."""
        ((count,),) = self._hatchet.query(
            'SELECT count(*) FROM "Worker" WHERE "isActive" AND NOT "isPaused" '  # noqa: S608
            # As its scheduler asks: a worker that was killed stays active for a while.
            f"AND \"lastHeartbeatAt\" > NOW() - INTERVAL '5 seconds' AND name LIKE '{self.name}%'"
        )
        return int(count)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """What Spot does at the end of its notice: the whole container is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._guard.forget(process.pid)

    def end(self) -> None:
        """Kill all that still run."""
        for process in self._processes:
            self.kill(process)

    def let_end(self) -> None:
        """Have the simulations that run, and all later ones, end at once."""
        (self.folder / "enough").touch()

    def notes(self, what: str = "") -> list[Note]:
        """What simulations have noted so far, in order."""
        lines = (json.loads(line) for line in self._notes.read_text().splitlines())
        return [Note(**line) for line in lines if not what or line["what"] == what]

    def said(self) -> list[dict[str, object]]:
        """What the workers have logged."""
        lines = (line for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    def wait_until(self, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Wait for something; fails with the end of the log."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, f"after {seconds} s:\n{self.log.read_text()[-6000:]}"
            time.sleep(0.02)


@contextlib.contextmanager
def workers(folder: Path, hatchet: Hatchet, **given: str) -> Iterator[Workers]:
    """Workers that end with the block.

    Args:
        folder: where they run, with their experiments.
        hatchet: their engine.
        given: environment variables of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Guard() as guard:
        them = Workers(folder, hatchet, guard, given)
        try:
            yield them
        finally:
            them.end()
