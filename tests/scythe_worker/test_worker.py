"""The worker: its command's errors and health check, and the image's recipe."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from scythe_worker import alive
from scythe_worker.settings import WorkerSettings
from tests.support import serving
from tests.support.project import ROOT

EXPERIMENT = """
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.registry import ExperimentRegistry

class Output(ExperimentOutputSpec):
    y: float = 0

@ExperimentRegistry.Register()
def annual(input_spec: ExperimentInputSpec) -> Output:
    '''An experiment.'''
    return Output()
"""


def token(**claims: object) -> str:
    """A token as Hatchet's are, signed by nobody."""
    parts = ({"alg": "none"}, claims, {"canary": "signature"})
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def environment(**changes: str | None) -> dict[str, str]:
    """What a worker is given, changed; a worker that starts would find no engine."""
    given: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "HATCHET_CLIENT_TOKEN": token(
            sub="tenant", server_url="http://127.0.0.1:1", grpc_broadcast_address="127.0.0.1:1"
        ),
        "SCYTHE_STORAGE_BUCKET": "results",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def worker(*arguments: str, at: Path, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the image's command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "scythe_worker", *arguments],
        cwd=at, env=dict(given), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def package(at: Path, text: str = EXPERIMENT, name: str = "experiments") -> Path:
    """A researcher's repository with one package."""
    (at / name).mkdir()
    (at / name / "__init__.py").write_text(text)
    return at


BATCH = """
from datetime import timedelta
from hatchet_sdk import Context
from scythe.hatchet import hatchet
from scythe.registry import ExperimentRegistry

flow = hatchet.workflow(name="flow")

@flow.batch_task(name="together", batch_max_size=2, batch_max_interval=timedelta(seconds=1))
def together(given: dict, context: Context) -> dict:
    return given

ExperimentRegistry.Include(flow)
"""

REFUSED: Mapping[str, tuple[dict[str, str | None], str, str]] = {
    "no token": ({"HATCHET_CLIENT_TOKEN": None}, EXPERIMENT, "HATCHET_CLIENT_TOKEN: not set"),
    "not a JWT": (
        {"HATCHET_CLIENT_TOKEN": "canary-secret"},
        EXPERIMENT,
        "HATCHET_CLIENT_TOKEN: not an API token",
    ),
    "a JWT of others": (
        {"HATCHET_CLIENT_TOKEN": token(canary="x")},
        EXPERIMENT,
        "HATCHET_CLIENT_TOKEN: not an API",
    ),
    "a JWT of nothing": (
        {"HATCHET_CLIENT_TOKEN": "eyJ.canary.x"},
        EXPERIMENT,
        "HATCHET_CLIENT_TOKEN: not an API",
    ),
    "labels that are no JSON": (
        {"HATCHET_CLIENT_WORKER_PRESET_LABELS": "{"},
        EXPERIMENT,
        "HATCHET_CLIENT_*, SCYTHE_WORKER_*: error parsing value for field",
    ),
    "attempts in words, read at import": (
        {"HATCHET_CLIENT_TENACITY_MAX_ATTEMPTS": "few"},
        EXPERIMENT,
        "HATCHET_CLIENT_TENACITY_MAX_ATTEMPTS: Input should be",
    ),
    "no bucket": ({"SCYTHE_STORAGE_BUCKET": None}, EXPERIMENT, "SCYTHE_STORAGE_BUCKET: not set"),
    "a duration of none": (
        {"SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION": "10 hours"},
        EXPERIMENT,
        "SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION: got '10 hours'; must be a duration",
    ),
    "an empty duration": (
        {"SCYTHE_TIMEOUT_SCATTER_GATHER_SCHEDULE": ""},
        EXPERIMENT,
        "SCYTHE_TIMEOUT_SCATTER_GATHER_SCHEDULE: got ''",
    ),
    "patience in words": (
        {"SCYTHE_WORKER_PATIENCE_SECONDS": "5m"},
        EXPERIMENT,
        "SCYTHE_WORKER_PATIENCE_SECONDS: got '5m'; must be a number of seconds",
    ),
    "no seconds": (
        {"EXPERIMENT_TYPICAL_SECONDS": "scythe_experiment_annual=long"},
        EXPERIMENT,
        "EXPERIMENT_TYPICAL_SECONDS: got 'scythe_experiment_annual=long'; must be the seconds",
    ),
    "slots in words": ({"SCYTHE_WORKER_SLOTS": "many"}, EXPERIMENT, "SCYTHE_WORKER_SLOTS: Input should be"),
    "no slots": ({"SCYTHE_WORKER_SLOTS": "0"}, EXPERIMENT, "SCYTHE_WORKER_SLOTS: got 0"),
    "no role": (
        {"SCYTHE_WORKER_DOES_LEAF": "False", "SCYTHE_WORKER_DOES_FAN": "False"},
        EXPERIMENT,
        "SCYTHE_WORKER_DOES_LEAF, SCYTHE_WORKER_DOES_FAN: both off",
    ),
    "a port in words": (
        {"HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT": "door"},
        EXPERIMENT,
        "HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT: Input should be",
    ),
    "no such package": (
        {"SCYTHE_WORKER_EXPERIMENTS_MODULE": "simulations"},
        EXPERIMENT,
        "SCYTHE_WORKER_EXPERIMENTS_MODULE: no Python package 'simulations'",
    ),
    "no package's name": (
        {"SCYTHE_WORKER_EXPERIMENTS_MODULE": "../x"},
        EXPERIMENT,
        "SCYTHE_WORKER_EXPERIMENTS_MODULE: got '../x'",
    ),
    "a package that fails": (
        {},
        "import no_such_library",
        "experiments: cannot be imported: ModuleNotFoundError: No module named 'no_such_library'",
    ),
    "no experiment": ({}, "", "experiments: registers no experiment"),
    "a batch task": (
        {},
        BATCH,
        "experiments: together: got a batch task, which this worker does not run; must be an experiment",
    ),
    "a batch task in a workflow": (
        {"SCYTHE_WORKER_DOES_LEAF": "False"},
        EXPERIMENT + BATCH,
        "experiments: together: got a batch task",
    ),
    "a fan without experiments": (
        {"SCYTHE_WORKER_DOES_LEAF": "False"},
        "",
        "experiments: registers no experiment",
    ),
    "an unknown experiment": (
        {"SCYTHE_WORKER_EXPERIMENTS": "scythe_experiment_daily"},
        EXPERIMENT,
        (
            "SCYTHE_WORKER_EXPERIMENTS: no experiment scythe_experiment_daily in experiments; "
            "it has scythe_experiment_annual"
        ),
    ),
    "none left": (
        {"SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE": "scythe_experiment_annual"},
        EXPERIMENT,
        "experiments: other fleets run all",
    ),
}


IMPORTED = {"labels that are no JSON", "attempts in words, read at import", "slots in words", "no slots", "no role"} | {
    "a port in words", "no experiment", "a batch task", "a batch task in a workflow", "a fan without experiments", "a package that fails", "none left",
}  # fmt: skip
"""What shows only once hatchet-sdk and the package are imported, which takes seconds; one such is not slow."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case in IMPORTED else []) for case in REFUSED]
)
def test_what_is_wrong_is_one_line(case: str, tmp_path: Path) -> None:
    changes, text, says = REFUSED[case]
    ran = worker(at=package(tmp_path, text), given=environment(**changes))
    assert ran.returncode == 2, ran.stderr
    lines = ran.stderr.splitlines()
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith(f"scythe_worker: {says}")
    assert "canary" not in ran.stderr + ran.stdout


def test_every_fault_of_the_environment_is_said_at_once(tmp_path: Path) -> None:
    ran = worker(
        at=tmp_path,
        given=environment(
            HATCHET_CLIENT_TOKEN=None, SCYTHE_STORAGE_BUCKET=None, SCYTHE_TIMEOUT_EXPERIMENT_SCHEDULE="1d"
        ),
    )
    assert ran.returncode == 2
    assert [line.split(": ")[1] for line in ran.stderr.splitlines()] == [
        "HATCHET_CLIENT_TOKEN",
        "SCYTHE_STORAGE_BUCKET",
        "SCYTHE_TIMEOUT_EXPERIMENT_SCHEDULE",
        "SCYTHE_WORKER_EXPERIMENTS_MODULE",
    ]


def test_typical_durations_are_for_all_or_for_each() -> None:
    def typical(value: str) -> object:
        given = environment(EXPERIMENT_TYPICAL_SECONDS=value, SCYTHE_WORKER_EXPERIMENTS_MODULE="json")
        return WorkerSettings.load(given).typical

    assert typical("90") == {"": 90}
    assert typical("Scythe_Experiment_Annual = 7.5,60") == {"scythe_experiment_annual": 7.5, "": 60}
    assert typical("") == {}


def test_other_words_are_refused(tmp_path: Path) -> None:
    ran = worker("helath", at=tmp_path, given=environment())
    assert (ran.returncode, ran.stderr) == (
        2,
        "usage: python -m scythe_worker [health | register | backlog [health]]\n",
    )


class Health(BaseHTTPRequestHandler):
    """Answers as hatchet-sdk's health server does."""

    answer: tuple[int, bytes] = (200, b"")
    asked: str = ""

    def do_GET(self) -> None:
        """Answer what the test has set."""
        type(self).asked = self.path
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[int, type[Health]]]:
    """A health server with this answer, and its port."""
    handler = type("Answer", (Health,), {"answer": (status, body)})
    with serving.answering(handler) as port:
        yield port, handler


@pytest.mark.parametrize(
    ("status", "body", "exit_status", "says"),
    [
        (200, b'{"status": "HEALTHY", "slots": {}}', 0, ""),
        (503, b'{"status": "STARTING", "slots": {}}', 1, "scythe_worker: the worker is STARTING (503)\n"),
        (503, b'{"status": "UNHEALTHY"}', 1, "scythe_worker: the worker is UNHEALTHY (503)\n"),
        (500, b"<html>", 1, "scythe_worker: the worker is not healthy (500)\n"),
        (404, b"[]", 1, "scythe_worker: the worker is not healthy (404)\n"),
    ],
)
def test_health_is_the_sdks(tmp_path: Path, status: int, body: bytes, exit_status: int, says: str) -> None:
    with answering(status, body) as (port, handler):
        ran = worker(
            "health", at=tmp_path, given=environment(HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT=str(port))
        )
    assert (ran.returncode, ran.stderr) == (exit_status, says)
    assert handler.asked == "/health"


@pytest.mark.parametrize(
    ("until", "silent", "says"),
    [
        (None, 900, None),
        (3600, -1800, None),
        (math.inf, -1800, None),
        (None, -5, "the worker's event loop gives no sign of life, 5 s longer than it may"),
        (-60, -5, "the worker's event loop gives no sign of life, 5 s longer than it may"),
    ],
)
def test_a_worker_that_hangs_is_not_healthy(
    tmp_path: Path, until: float | None, silent: float, says: str | None
) -> None:
    file = tmp_path / "alive-8001"
    assert alive.fault(file) is None
    alive.leave(file, None if until is None else time.monotonic() + until, silent)
    assert alive.fault(file) == says


def test_the_health_check_hears_of_a_worker_that_hangs(tmp_path: Path) -> None:
    with answering(200, b"{}") as (port, _):
        file = alive.sign_of_life(str(port))
        try:
            alive.leave(file, None, -60)
            ran = worker(
                "health", at=tmp_path, given=environment(HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT=str(port))
            )
        finally:
            file.unlink()
    assert ran.returncode == 1
    assert ran.stderr.startswith("scythe_worker: the worker's event loop gives no sign of life, 6")


def test_no_health_server_is_not_healthy(tmp_path: Path) -> None:
    with answering(200, b"") as (port, _):
        pass
    ran = worker("health", at=tmp_path, given=environment(HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT=str(port)))
    assert ran.returncode == 1
    assert ran.stderr.startswith(
        f"scythe_worker: the worker's health server does not answer on port {port}: "
    )
    assert len(ran.stderr.splitlines()) == 1


def test_the_health_check_is_light(tmp_path: Path) -> None:
    program = (
        "import runpy, sys\n"
        "try: runpy.run_module('scythe_worker', run_name='__main__', alter_sys=True)\n"
        "except SystemExit: pass\n"
        "print([m for m in ('scythe', 'hatchet_sdk', 'pydantic', 'boto3') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "health"],
        cwd=tmp_path,
        env=environment(HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT="1"),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert ran.stdout == "[]\n"
