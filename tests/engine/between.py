"""Stands between AWS's clients and the local AWS: notes their calls, holds them up, refuses them, changes answers."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECONDS = 60
"""The longest that anything is waited for here."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A call of AWS's query or JSON protocol, which RDS, ECS and Secrets Manager have.

    Attributes:
        action: the operation, such as ``PutSecretValue``; empty of other protocols.
        values: what was sent.
    """

    action: str
    values: Values

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> Call:
        target = headers.get("X-Amz-Target", "")
        if target:
            return cls(target.rpartition(".")[2], json.loads(body))
        if "x-www-form-urlencoded" not in headers.get("Content-Type", ""):
            return cls("", {})
        values = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        return cls(values.get("Action", ""), values)


class Refusal(Exception):
    """What a call of the query protocol is answered instead of being carried out."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def body(self) -> bytes:
        error = f"<Error><Type>Sender</Type><Code>{self.code}</Code><Message>Not today.</Message></Error>"
        return f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>".encode()


class Between:
    """The calls that pass, and what is done to them.

    Attributes:
        endpoint_url: where it answers in the local AWS's place.
        calls: what has passed, in order.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self.calls: list[Call] = []
        self._before: dict[str, Callable[[Call], None]] = {}
        self._answers: dict[str, Callable[[Values], Values]] = {}

    def called(self, action: str) -> list[Values]:
        """What was sent with each call of an operation."""
        return [call.values for call in self.calls if call.action == action]

    @contextmanager
    def before(self, action: str, do: Callable[[Call], None]) -> Iterator[None]:
        """Do something before each call of an operation is passed on; it may raise a `Refusal`."""
        self._before[action] = do
        try:
            yield
        finally:
            del self._before[action]

    @contextmanager
    def answering(self, action: str, change: Callable[[Values], Values]) -> Iterator[None]:
        """Change what is answered to an operation."""
        self._answers[action] = change
        try:
            yield
        finally:
            del self._answers[action]

    @contextmanager
    def held(self, action: str, value: str = "") -> Iterator[threading.Event]:
        """Hold up an operation's calls that send a value until the block ends, and then drop them.

        Gives an event that says that there is one.
        """
        arrived, over = threading.Event(), threading.Event()

        def hold(call: Call) -> None:
            if value and value not in call.values.values():
                return
            arrived.set()
            over.wait(SECONDS)
            raise ConnectionAbortedError

        with self.before(action, hold):
            try:
                yield arrived
            finally:
                over.set()

    def came(self, call: Call) -> None:
        """Note a call and do what is to be done before it."""
        self.calls.append(call)
        if do := self._before.get(call.action):
            do(call)

    def answer(self, call: Call, body: bytes) -> bytes:
        """The answer to pass on."""
        change = self._answers.get(call.action)
        return json.dumps(change(json.loads(body))).encode() if change else body


@contextmanager
def between(endpoint_url: str) -> Iterator[Between]:
    """Pass calls on to the local AWS at an address while the block lasts."""
    passing: Between

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call.of(dict(self.headers.items()), body)
            try:
                passing.came(call)
            except Refusal as refusal:
                self._answer(400, "text/xml", refusal.body)
                return
            except ConnectionError:
                self.close_connection = True
                return
            request = urllib.request.Request(
                endpoint_url + self.path,
                data=body or None,
                headers={name: value for name, value in self.headers.items() if name != "Connection"},
                method=self.command,
            )
            try:
                with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                    self._answer(
                        answer.status, answer.headers["Content-Type"], passing.answer(call, answer.read())
                    )
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.headers["Content-Type"], error.read())

        do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

        def _answer(self, status: int, kind: str | None, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """The local AWS has a log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        passing = Between(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield passing
        finally:
            server.shutdown()
            thread.join()
