"""Scale-in protection through the ECS agent, and the worker's name from its metadata."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from scythe_worker.identity import worker_name
from scythe_worker.protection import EXPIRES_MINUTES, Protection, protection, put_protection

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/docs/0a1b2c3d4e5f60718293a4b5c6d7e8f9"
DONE = {"protection": {"ProtectionEnabled": True, "TaskArn": ARN, "ExpirationDate": "2026-01-01T00:00:00Z"}}
BLOCKED = {"failure": {"Arn": ARN, "Reason": "DEPLOYMENT_BLOCKED", "Detail": "no room"}}
DENIED = {"error": {"Arn": ARN, "Code": "AccessDeniedException", "Message": "not authorized"}}


@contextmanager
def agent(answer: Callable[[str, str], tuple[int, Any]]) -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """An ECS agent; its address, and what it was asked."""
    asked: list[tuple[str, str, Any]] = []

    class Agent(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.path, json.loads(body) if body else None))
            status, text = answer(self.command, self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text if isinstance(text, bytes) else json.dumps(text).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Agent) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_the_agent_is_asked_as_the_guide_says() -> None:
    with agent(lambda *_: (200, DONE)) as (address, asked):
        assert put_protection(f"{address}/api/x", True) == ""
        assert put_protection(f"{address}/api/x", False) == ""
    path = "/api/x/task-protection/v1/state"
    assert asked == [
        ("PUT", path, {"ProtectionEnabled": True, "ExpiresInMinutes": EXPIRES_MINUTES}),
        ("PUT", path, {"ProtectionEnabled": False}),
    ]


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (200, BLOCKED, "DEPLOYMENT_BLOCKED: no room"),
        (400, DENIED, "AccessDeniedException: not authorized"),
        (500, {}, "the ECS agent answers 500"),
        (200, b"<html>", "the ECS agent's answer is no JSON"),
        (200, [], "the ECS agent's answer is no object"),
    ],
)
def test_a_refusal_is_said(status: int, answer: Any, says: str) -> None:
    with agent(lambda *_: (status, answer)) as (address, _):
        assert put_protection(address, True) == says


def test_no_agent_is_said() -> None:
    with agent(lambda *_: (200, DONE)) as (address, _):
        pass
    assert put_protection(address, True).startswith("the ECS agent does not answer: ")
    assert protection({}) is None


class Calls:
    """What a protection asks for, and when."""

    def __init__(self, *faults: str) -> None:
        self.made: list[bool] = []
        self._faults = list(faults)

    def __call__(self, wanted: bool) -> str:
        self.made.append(wanted)
        return self._faults.pop(0) if self._faults else ""

    def become(self, *made: bool) -> None:
        """Wait until these are the calls."""
        until = time.monotonic() + 5
        while tuple(self.made) != made and time.monotonic() < until:
            time.sleep(0.005)
        assert tuple(self.made) == made


def test_busy_is_protected_and_idle_is_released_after_a_while() -> None:
    calls = Calls()
    it = Protection(calls, renew=60, idle=0.3)
    time.sleep(0.05)
    assert calls.made == []
    it.set_busy(True)
    calls.become(True)
    # One task after the other: no call between them.
    for _ in range(3):
        it.set_busy(False)
        time.sleep(0.05)
        it.set_busy(True)
    assert calls.made == [True]
    it.set_busy(False)
    calls.become(True, False)
    time.sleep(0.4)
    assert calls.made == [True, False]


def test_a_long_task_is_protected_anew() -> None:
    calls = Calls()
    it = Protection(calls, renew=0.1, idle=0.05)
    it.set_busy(True)
    calls.become(True, True, True)
    it.set_busy(False)
    until = time.monotonic() + 5
    while calls.made[-1] and time.monotonic() < until:
        time.sleep(0.005)
    assert calls.made[-1] is False


def test_a_task_that_arrives_during_the_release_is_protected_after_it() -> None:
    made: list[bool] = []

    def put(wanted: bool) -> str:
        if not wanted:
            it.set_busy(True)
        made.append(wanted)
        return ""

    it = Protection(put, renew=60, idle=0.01)
    it.set_busy(True)
    time.sleep(0.1)
    it.set_busy(False)
    until = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    assert made == [True, False, True]


def test_failing_calls_are_repeated_and_said_once_a_kind(caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls("throttled", "throttled", "denied")
    with caplog.at_level(logging.WARNING):
        it = Protection(calls, renew=60, idle=0.01, again=0.02)
        it.set_busy(True)
        calls.become(True, True, True, True)
        it.set_busy(False)
        calls.become(True, True, True, True, False)
    assert [record.getMessage().split(": ")[1].split(";")[0] for record in caplog.records] == [
        "throttled",
        "denied",
    ]


def test_a_worker_is_named_after_its_task() -> None:
    task = {"TaskARN": ARN, "AvailabilityZone": "eu-west-1a", "LaunchType": "FARGATE"}
    with agent(lambda *_: (200, task)) as (address, asked):
        metadata = {"ECS_CONTAINER_METADATA_URI_V4": f"{address}/v4/x"}
        assert worker_name(metadata, "docs-simulations") == (
            "docs-simulations-0a1b2c3d4e5f60718293a4b5c6d7e8f9-eu-west-1a"
        )
        task["CapacityProviderName"] = "FARGATE_SPOT"
        assert worker_name(metadata, "docs-simulations").endswith("-eu-west-1a-FARGATE_SPOT")
    assert asked[0][:2] == ("GET", "/v4/x/task")


@pytest.mark.parametrize("answer", [(500, {}), (200, b"<html>"), (200, []), (200, {})])
def test_without_metadata_it_is_named_after_its_fleet(answer: tuple[int, Any]) -> None:
    with agent(lambda *_: answer) as (address, _):
        assert (
            worker_name({"ECS_CONTAINER_METADATA_URI_V4": address}, "docs-simulations") == "docs-simulations"
        )
    assert worker_name({}, "docs-simulations") == "docs-simulations"
    assert worker_name({"ECS_CONTAINER_METADATA_URI_V4": address}, "docs-simulations") == "docs-simulations"
