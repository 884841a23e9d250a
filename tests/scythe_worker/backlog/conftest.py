"""An engine's REST API, whose answers the tests decide, and the fleets of an environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from scythe_worker.backlog_settings import BacklogSettings, Fleet
from tests.support.serving import started

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SIMULATIONS = Fleet("simulations", "leaf", 1)
HEAVY = Fleet("heavy", "leaf", 2, frozenset({"scythe_experiment_annual"}))
FANOUTS = Fleet("fanouts", "fan", 4)


@dataclass
class Engine:
    """A REST API that answers with `status`, `body` and `headers`, and keeps what it was asked, and told."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    told: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def engine() -> Iterator[Engine]:
    it = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.asked.append((self.path, self.headers["Authorization"]))
            self.send_response(it.status)
            for name, value in it.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(it.body)

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            it.told.append((self.path, json.loads(body)))
            self.send_response(it.status)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with started(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        it.url = f"http://127.0.0.1:{port}"
        yield it


def settings(url: str = "http://127.0.0.1:1", *fleets: Fleet) -> BacklogSettings:
    chosen = fleets or (SIMULATIONS, HEAVY, FANOUTS)
    return BacklogSettings(url, "our-tenant", "a-token", "Scythe/test", chosen)


def stats(queued: int = 0, running: int = 0, oldest: str | None = None) -> dict[str, Any]:
    return {
        "queued": {"total": queued, **({"oldest": oldest} if oldest else {})},
        "running": {"total": running},
    }
