"""The part of the local AWS that refuses what AWS refuses."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from local_aws.strictness.errors import answer
from local_aws.strictness.paths import OPERATIONS, RESET
from local_aws.strictness.reading import ReadRequest, read
from local_aws.strictness.rule import Request, Rule

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HELD = {"application-autoscaling": 0.2}
"""Seconds that a change of a service's is under way at least, by service.

Moto carries out a change within a few milliseconds, so two that a client sends at the same time would hardly meet.
AWS takes longer: `ConcurrentUpdateException` is what parallel changes of one scalable target run into.
https://github.com/hashicorp/terraform-provider-aws/issues/17915
"""

_log = logging.getLogger(__name__)
_READS = ("Describe", "Get", "List", "Head")


class Strict:
    """A WSGI application that asks the rules before it passes a request on.

    Requests that are unsigned or for moto itself are passed on unasked. A request of a deployment takes 0.6 ms of
    processor time more, on average: 0.4 ms to read it, 0.2 ms for the rules (1,198 requests of `tests/deployments`).
    """

    def __init__(
        self,
        application: WSGIApplication,
        rules: Sequence[Rule],
        held: Mapping[str, float] = HELD,
    ) -> None:
        """Put the rules before an application.

        Args:
            application: What carries out the requests.
            rules: What is refused, asked in this order.
            held: Seconds that a change is under way at least, by service.
        """
        self._application = application
        self._rules = rules
        self._held = held
        self._rules_of: dict[tuple[str, str], list[Rule]] = {}
        self._under_way: dict[object, Request] = {}
        self._lock = threading.Lock()
        self.operations: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path == OPERATIONS:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(sorted(self.operations)).encode()]
        if path.startswith("/moto-api"):
            if path == RESET:
                self.operations.clear()
            return self._application(environ, start_response)
        found = read(environ)
        if found is None:
            return self._application(environ, start_response)
        with self._meanwhile(found.request) as request:
            if refusal := self._refusal(request):
                return answer(found.operation, found.protocol, refusal, start_response)
            self.operations.add(request.name)
            return self._carry_out(found, environ, start_response)

    @contextmanager
    def _meanwhile(self, request: Request) -> Iterator[Request]:
        """The request with those beside it, and under way for as long as the block lasts."""
        key = object()
        with self._lock:
            request = replace(request, beside=tuple(self._under_way.values()))
            self._under_way[key] = replace(request, beside=())
        try:
            yield request
        finally:
            with self._lock:
                del self._under_way[key]

    def _refusal(self, request: Request) -> tuple[str, str, int] | None:
        """Code, text and status of the first rule that refuses a request."""
        key = request.service, request.operation
        rules = self._rules_of.get(key)
        if rules is None:
            rules = self._rules_of[key] = [rule for rule in self._rules if rule.applies_to(*key)]
        for rule in rules:
            if text := rule.refuses(request):
                _log.info("%s is refused by the rule %s: %s", request.name, rule.name, text)
                return rule.code_of(request.service), text, rule.status
        return None

    def _carry_out(
        self, found: ReadRequest, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Pass a request on; the block of `_meanwhile` lasts until its answer is whole."""
        started = time.monotonic()
        body = list(self._application(environ, start_response))
        held = self._held.get(found.request.service, 0)
        if held and not found.request.operation.startswith(_READS):
            time.sleep(max(0.0, started + held - time.monotonic()))
        return body
