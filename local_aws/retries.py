"""A request that is sent again is carried out once.

An SDK that misses an answer sends its request again, with the same ``amz-sdk-invocation-id``
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). AWS's create calls that the provider
makes carry a token that makes the second harmless; moto ignores it and would make a second resource, which no state
knows. So what succeeded is answered again, as it was.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT = 1000
"""Answers that are kept; a retry comes within seconds."""


class _Answer:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.start: tuple[Any, ...] = ()
        self.body = b""

    @property
    def succeeded(self) -> bool:
        return bool(self.start) and str(self.start[0]).startswith("2")


class OnceOnly:
    """A WSGI application that answers a retry with what the first attempt was answered."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not invocation or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._application(environ, start_response)
        with self._lock:
            first = self._answers.get(invocation)
            answer = self._answers.setdefault(invocation, _Answer())
            if len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        if first:
            first.done.wait()
            if first.succeeded:
                start_response(*first.start)
                return [first.body]
        return self._carry_out(answer, environ, start_response)

    def _carry_out(
        self, answer: _Answer, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        def keep(*start: Any) -> Callable[[bytes], object]:
            answer.start = start
            return start_response(*start)

        try:
            answer.body = b"".join(self._application(environ, keep))
        finally:
            answer.done.set()
        return [answer.body]
