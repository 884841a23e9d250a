"""A worker against engines that are away, refuse it, or come back; and what it logs."""

from __future__ import annotations

import io
import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from scythe_worker import logs
from scythe_worker.engine import Refused, Unreachable, check_expiry, explain, persevere
from tests.scythe_worker.test_worker import environment, package, token, worker

PATIENCE = {"SCYTHE_WORKER_PATIENCE_SECONDS": "1.5"}


class Fault(grpc.RpcError):  # type: ignore[misc]
    """What gRPC raises."""

    def __init__(self, code: grpc.StatusCode, details: str = "") -> None:
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


@contextmanager
def refusing(code: grpc.StatusCode) -> Iterator[tuple[str, list[float]]]:
    """An engine that answers each call with an error; its address, and when it was asked."""
    asked: list[float] = []

    class Refusal(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            asked.append(time.monotonic())
            return grpc.unary_unary_rpc_method_handler(
                lambda _, context: context.abort(code, "invalid auth token")
            )

    server = grpc.server(ThreadPoolExecutor(max_workers=2), handlers=[Refusal()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", asked
    finally:
        server.stop(grace=None).wait()


def at(address: str, **claims: Any) -> dict[str, str]:
    """What leads a worker to an engine."""
    return {
        "HATCHET_CLIENT_TOKEN": token(
            sub="tenant", server_url="http://127.0.0.1:1", grpc_broadcast_address=address, **claims
        ),
        "HATCHET_CLIENT_TLS_STRATEGY": "none",
    }


def last_line(ran: subprocess.CompletedProcess[str]) -> str:
    """What the stop reason's reader finds: the log's end."""
    return ran.stderr.splitlines()[-1]


@pytest.mark.slow
def test_an_engine_that_is_away_is_one_line(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = worker(at=package(tmp_path), given=environment(**PATIENCE, **at("127.0.0.1:1")))
    assert ran.returncode == 3, ran.stderr
    assert last_line(ran).startswith(
        "scythe_worker: the Hatchet engine at 127.0.0.1:1 does not answer: UNAVAILABLE"
    )
    assert "Traceback" not in ran.stderr
    assert time.monotonic() - started > 0.5


@pytest.mark.slow
def test_a_refused_token_is_one_line_and_asked_seldom(tmp_path: Path) -> None:
    with refusing(grpc.StatusCode.UNAUTHENTICATED) as (address, asked):
        ran = worker(at=package(tmp_path), given=environment(**PATIENCE, **at(address)))
    assert ran.returncode == 4, ran.stderr
    assert last_line(ran) == (
        f"scythe_worker: HATCHET_CLIENT_TOKEN: refused by the engine at {address}: invalid auth token"
    )
    assert 2 <= len(asked) <= 4
    assert "canary" not in ran.stderr + ran.stdout


@pytest.mark.slow
def test_an_expired_token_is_one_line(tmp_path: Path) -> None:
    ran = worker(at=package(tmp_path), given=environment(**PATIENCE, **at("127.0.0.1:1", exp=1_700_000_000)))
    assert ran.returncode == 4, ran.stderr
    assert last_line(ran).startswith("scythe_worker: HATCHET_CLIENT_TOKEN: expired on 2023-11-14; must be")


@pytest.mark.slow
def test_a_crash_is_told_apart(tmp_path: Path) -> None:
    with refusing(grpc.StatusCode.INTERNAL) as (address, _):
        ran = worker(at=package(tmp_path), given=environment(**PATIENCE, **at(address)))
    assert ran.returncode == 1, ran.stderr
    line = json.loads(last_line(ran))
    assert (line["level"], line["message"]) == ("CRITICAL", "crashed")
    assert "INTERNAL" in line["exception"]


@pytest.mark.slow
def test_a_worker_that_waits_for_its_engine_leaves_when_told(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "scythe_worker"],
        cwd=package(tmp_path), env=environment(**at("127.0.0.1:1")), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "does not answer" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


def test_patience_grows_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)

    def away() -> None:
        raise Fault(grpc.StatusCode.UNAVAILABLE, "connection refused")

    with pytest.raises(Unreachable):
        persevere(away, address="engine:7070")
    assert 270 < clock[0] <= 300
    assert len(slept) < 30
    assert len(set(slept)) == len(slept), "a fleet must not ask in step"
    assert 0.5 <= slept[0] <= 1 and 15 <= max(slept) <= 30

    answers = iter([away, away, lambda: None])
    persevere(lambda: next(answers)(), address="engine:7070")


def test_faults_of_the_program_are_raised() -> None:
    with pytest.raises(Fault):
        explain(Fault(grpc.StatusCode.INVALID_ARGUMENT), "engine")
    check_expiry("a.b.c")
    check_expiry(token(exp=str(time.time() + 60)))
    with pytest.raises(Refused):
        check_expiry(at("x", exp=1)["HATCHET_CLIENT_TOKEN"])


def test_a_line_of_the_log_is_an_object_without_the_token() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    logger = logging.Logger("researcher")
    logger.addHandler(handler)
    secret = at("x")["HATCHET_CLIENT_TOKEN"]
    error = ValueError(f"two\nlines and {secret}")
    logger.error("failed with %s", secret, exc_info=error)
    (text,) = stream.getvalue().splitlines()
    line = json.loads(text)
    assert secret not in text
    assert line["message"] == "failed with <token>"
    assert line["exception"].endswith("ValueError: two\nlines and <token>")
    assert (line["level"], line["logger"]) == ("ERROR", "researcher")
    assert line["time"].endswith("Z") and "run" not in line
