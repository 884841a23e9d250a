"""What an engine may answer: no answer ends in a traceback, in a loop, or as a figure that it did not say."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments.loading import load
from environments.schema import Environment
from ops.deployed import hatchet_api
from ops.deployed.hatchet_api import HatchetApi
from ops.errors import CommandError
from tests.ops.commands.conftest import Engine, engine
from tests.support.command import client_token

__all__ = ["engine"]

SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CALLS: dict[str, Callable[[HatchetApi], object]] = {
    "task-stats": lambda api: api.task_stats(),
    "workflows": lambda api: api.workflows(),
    "task-metrics": lambda api: api.counts(["a"], SINCE),
    "workflow-runs": lambda api: api.durations(["a"], SINCE, 5),
    "cancel": lambda api: api.cancel(["a"], SINCE),
}
ODD: list[tuple[str, object]] = [
    *((what, answer) for what in CALLS for answer in ("a", 7, True)),
    *((what, []) for what in CALLS if what != "task-metrics"),
    *((what, None) for what in CALLS),
    ("task-stats", {"a": {"queued": {"total": "1e9"}}}),
    ("task-stats", {"a": {"queued": {"total": -1}}}),
    ("task-stats", {"a": {"queued": {"total": 10**30}}}),
    ("task-stats", {"a": {"queued": {}}}),
    ("task-stats", {"a": None}),
    ("workflows", {"rows": [{"name": "a"}]}),
    ("workflows", {"rows": [{"name": "a", "metadata": {"id": 7}}]}),
    ("workflows", {"rows": [None]}),
    ("task-metrics", {"rows": []}),
    ("task-metrics", [{"status": "COMPLETED", "count": None}]),
    ("workflow-runs", {"rows": [{"duration": "x"}]}),
    ("cancel", {"ids": 7}),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    file = tmp_path_factory.mktemp("environment") / "lab.yaml"
    file.write_text("name: lab\nworkers: {sims: {role: leaf}}\n")
    return load(file)


def api_at(environment: Environment, port: int) -> HatchetApi:
    return HatchetApi(environment, client_token(server_url=f"http://127.0.0.1:{port}"))


def one_line(api: HatchetApi, what: str) -> str:
    with pytest.raises(CommandError) as told:
        CALLS[what](api)
    text = str(told.value)
    assert text.isprintable() and text.startswith(f"Hatchet at {api.url} ")
    return text


@pytest.mark.parametrize(("what", "answer"), ODD)
def test_an_odd_answer_is_a_line(environment: Environment, engine: Engine, what: str, answer: object) -> None:
    engine.odd[what] = json.dumps(answer).encode()
    assert f" answers {what} with what it never is (" in one_line(api_at(environment, engine.port), what)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"NaN", b'{"\x1b[2J": 1}']
)
@pytest.mark.parametrize("what", CALLS)
def test_what_is_no_json_is_a_line(environment: Environment, engine: Engine, what: str, body: bytes) -> None:
    engine.odd[what] = body
    one_line(api_at(environment, engine.port), what)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["a", "rows", "ids", "name", "metadata", "id", "queued", "running", "total", "count"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(what=st.sampled_from(sorted(CALLS)), answer=JSON)
def test_any_answer_is_read_or_a_line(
    environment: Environment, engine: Engine, what: str, answer: Any
) -> None:
    engine.odd = {what: json.dumps(answer).encode()}
    try:
        CALLS[what](api_at(environment, engine.port))
    except CommandError as told:
        assert str(told).isprintable()


def test_pages_end(environment: Environment, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hatchet_api, "MOST_PAGES", 3)
    row = {"name": "a", "metadata": {"id": "x"}}
    engine.odd["workflows"] = json.dumps({"rows": [row] * hatchet_api.PAGE}).encode()
    assert one_line(api_at(environment, engine.port), "workflows").endswith("has more than 300 workflows")


def test_an_answer_too_large_is_a_line(
    environment: Environment, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hatchet_api, "LARGEST", 1000)
    engine.odd["task-stats"] = b" " * 1001
    assert one_line(api_at(environment, engine.port), "task-stats").endswith("with more than 1,000 bytes")


@contextmanager
def slow_server(*parts: bytes) -> Iterator[int]:
    """A server that sends the last part again and again, and never ends."""
    with create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                for part in parts[:-1]:
                    connection.sendall(part)
                while True:
                    connection.sendall(parts[-1])
                    time.sleep(0.02)
            except OSError:
                connection.close()

        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    ],
)
def test_an_answer_in_drops_ends(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(hatchet_api, "WHOLE_SECONDS", 0.3)
    with slow_server(*parts) as port:
        began = time.monotonic()
        one_line(api_at(environment, port), "task-stats")
        assert time.monotonic() - began < 10


def test_what_is_said_is_read(environment: Environment, engine: Engine, tmp_path: Path) -> None:
    engine.tasks = {"a": (3, 0), "b": (0, 0)}
    api = api_at(environment, engine.port)
    assert api.task_stats() == {"a": (3, 0)}
    assert api.workflows() == {"a": "id-of-a", "b": "id-of-b"}
    assert api.counts(["a"], SINCE) == {"COMPLETED": 40, "FAILED": 2, "CANCELLED": 0}
    assert api.durations(["a"], SINCE, 5) == [240, 360]
    assert api.cancel(["a"], SINCE) == 0
