"""Scale-in protection through the ECS agent, and the worker's name from its metadata."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hatchet_sdk.runnables.action import Action

from scythe_worker.drain import Durations
from scythe_worker.identity import is_to_run, worker_name
from scythe_worker.protection import MARGIN_SECONDS, MOST_MINUTES, Protection, protection, put_protection
from scythe_worker.retries import Retries
from scythe_worker.tasks import Tasks
from tests.support.serving import answering

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

    with answering(Agent) as port:
        yield f"http://127.0.0.1:{port}", asked


def test_the_agent_is_asked_as_the_guide_says() -> None:
    with agent(lambda *_: (200, DONE)) as (address, asked):
        assert put_protection(f"{address}/api/x", 35) == ""
        assert put_protection(f"{address}/api/x", None) == ""
    path = "/api/x/task-protection/v1/state"
    assert asked == [
        ("PUT", path, {"ProtectionEnabled": True, "ExpiresInMinutes": 35}),
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
        assert put_protection(address, 35) == says


def test_no_agent_is_said() -> None:
    with agent(lambda *_: (200, DONE)) as (address, _):
        pass
    assert put_protection(address, 35).startswith("the ECS agent does not answer: ")
    assert protection({}) is None


class Calls:
    """The calls of a protection: their minutes, None for a release."""

    def __init__(self, *faults: str) -> None:
        self.made: list[int | None] = []
        self._faults = list(faults)

    def __call__(self, minutes: int | None) -> str:
        self.made.append(minutes)
        return self._faults.pop(0) if self._faults else ""

    def become(self, *made: int | None) -> None:
        """Wait until these are the calls."""
        until = time.monotonic() + 5
        while tuple(self.made) != made and time.monotonic() < until:
            time.sleep(0.005)
        assert tuple(self.made) == made

    def stay(self, *made: int | None) -> None:
        """Check that no further call follows."""
        time.sleep(0.1)
        assert tuple(self.made) == made


def later(minutes: float) -> float:
    return time.monotonic() + minutes * 60


def test_one_call_covers_the_limit_and_a_margin_and_idle_releases_it() -> None:
    calls = Calls()
    it = Protection(calls, spare=0, idle=0.3)
    calls.stay()
    it.cover(later(20))
    calls.become(45)
    # One task after the other: no call between them.
    for _ in range(3):
        it.cover(None)
        time.sleep(0.05)
        it.cover(later(19))
    calls.stay(45)
    it.cover(None)
    calls.become(45, None)
    calls.stay(45, None)


def test_a_stream_of_short_tasks_makes_no_call_before_one_outlasts_the_protection() -> None:
    calls = Calls()
    it = Protection(calls)
    it.cover(later(1))
    calls.become(37)
    for minutes in (2, 5, 12, 15.9):
        it.cover(later(minutes))
    calls.stay(37)
    it.cover(later(60))
    calls.become(37, 155)


def test_a_call_that_is_refused_has_as_much_time_again_before_a_task_outlasts_the_protection() -> None:
    calls = Calls("", *["DEPLOYMENT_BLOCKED"] * 100)
    it = Protection(calls, spare=0, again=0.02)
    it.cover(later(30))
    calls.become(65)
    # As the next one of 30 minutes does a while later: it is covered, and not for as long again.
    it.cover(later(32))
    time.sleep(0.1)
    assert calls.made[:2] == [65, 69]
    assert 32 + MARGIN_SECONDS / 60 < 65


def test_it_is_at_most_what_ecs_takes() -> None:
    calls = Calls()
    it = Protection(calls)
    it.cover(later(math.inf))
    calls.become(MOST_MINUTES)
    it.cover(later(10_000))
    calls.stay(MOST_MINUTES)


def test_a_refused_call_is_retried_and_shortens_nothing() -> None:
    calls = Calls("", "DEPLOYMENT_BLOCKED", "DEPLOYMENT_BLOCKED")
    it = Protection(calls, spare=0, again=0.02)
    it.cover(later(20))
    calls.become(45)
    it.cover(later(100))
    calls.become(45, 205, 205, 205)
    # What was in force still is: a shorter task needs no call.
    it.cover(later(99))
    calls.stay(45, 205, 205, 205)


def test_while_calls_are_refused_what_is_in_force_is_known() -> None:
    calls = Calls("", *["ThrottlingException"] * 100)
    it = Protection(calls, spare=0, again=0.2)
    it.cover(later(20))
    calls.become(45)
    it.cover(later(100))
    calls.become(45, 205)
    it.cover(later(19))
    time.sleep(0.5)
    assert calls.made == [45, 205]


def test_retries_wait_longer_each_time() -> None:
    calls = Calls(*["ThrottlingException"] * 100)
    it = Protection(calls, again=0.02)
    it.cover(later(1))
    time.sleep(0.7)
    # 20, 40, 80, 160 and 320 ms, give or take a quarter.
    assert 4 <= len(calls.made) <= 7


def test_a_task_that_arrives_during_the_release_is_protected_after_it() -> None:
    made: list[int | None] = []

    def put(minutes: int | None) -> str:
        if minutes is None:
            it.cover(later(1))
        made.append(minutes)
        return ""

    it = Protection(put, spare=0, idle=0.01)
    it.cover(later(1))
    time.sleep(0.1)
    it.cover(None)
    until = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    assert made == [7, None, 7]


def test_failing_calls_are_said_once_a_kind(caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls("throttled", "throttled", "denied")
    with caplog.at_level(logging.WARNING):
        it = Protection(calls, spare=0, idle=0.01, again=0.02)
        it.cover(later(1))
        calls.become(7, 7, 7, 7)
        it.cover(None)
        calls.become(7, 7, 7, 7, None)
    assert [record.getMessage().split(": ")[1].split(";")[0] for record in caplog.records] == [
        "throttled",
        "denied",
    ]


def test_the_longest_limit_of_what_runs_is_covered() -> None:
    covered: list[float | None] = []
    tasks = Tasks(Retries(lambda _: ()), Durations(), covered.append)
    start = time.monotonic()
    for key, limit in (("a", 60.0), ("b", 600.0), ("c", None)):
        tasks.begin(cast(Action, SimpleNamespace(key=key)), limit)
    for key in ("c", "b", "a"):
        tasks.leave(key)
    seconds = [None if moment is None else moment - start for moment in covered]
    assert seconds == [*(pytest.approx(each, abs=1) for each in (60, 600, math.inf, 600, 60)), None]


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


@pytest.mark.parametrize(
    ("answers", "runs_on"),
    [
        ([(200, {"DesiredStatus": "RUNNING"})] * 2, True),
        ([(200, {"DesiredStatus": "STOPPED"})], False),
        ([(200, {"DesiredStatus": "RUNNING"}), (200, {"DesiredStatus": "STOPPED"})], False),
        ([(200, {"DesiredStatus": "RUNNING"}), (500, {})], False),
        ([(200, {})], False),
        ([(200, b"<html>")], False),
    ],
)
def test_a_worker_is_to_run_where_ecs_says_so_twice(
    answers: list[tuple[int, Any]], runs_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scythe_worker.identity.AGAIN_SECONDS", 0.01)
    left = iter(answers)
    with agent(lambda *_: next(left)) as (address, _):
        assert is_to_run({"ECS_CONTAINER_METADATA_URI_V4": address}) is runs_on
    assert not list(left)
    assert not is_to_run({})
