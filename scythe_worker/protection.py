"""Keeps ECS from stopping the task to scale in, or to roll out, while it runs simulations.

Amazon ECS Developer Guide, "Task scale-in protection endpoint". The agent calls UpdateTaskProtection with
the task's own role.
"""

from __future__ import annotations

import json
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request

from scythe_worker.link_local import open_directly

LOGGER = logging.getLogger(__name__)

AGENT = "ECS_AGENT_URI"
MOST_MINUTES = 2880
"""The longest protection (Amazon ECS API, ``UpdateTaskProtection``, ``expiresInMinutes``)."""

MARGIN_SECONDS = 300.0
"""Time for the last result after the time limit of the longest simulation."""

SPARE_SECONDS = 1800.0
"""Extra protection in each call, so that a stream of short simulations takes two calls an hour."""

IDLE_SECONDS = 20.0
"""An idle worker stays protected for this long. Short gaps between two simulations cost no calls."""

FIRST_SECONDS, LONGEST_SECONDS = 15.0, 240.0
"""The wait after a failed call, doubled up to the second figure. ECS throttles UpdateTaskProtection by account."""

CALL_SECONDS = 10.0

Put = Callable[[int | None], str]
"""Protects for a number of minutes, or releases (None). Returns the fault, or nothing."""


class Protection:
    """Protects the task while the worker is busy, from a thread of its own.

    One call covers the time limits of all that runs, because ECS may refuse a later one: it answers
    DEPLOYMENT_BLOCKED while more tasks are protected than desired. That lasts for as long as the paused workers
    (`scythe_worker.rollout`) have something to run, so each call covers as much time again, in which a refused one is
    tried again and again. A call never asks for an earlier end than the protection in force, and a refused one changes
    nothing.

    All calls come from one thread, one after the other. Each applies the newest state: a task that arrives
    during a release is followed by a call that protects.
    """

    def __init__(
        self,
        put: Put,
        *,
        spare: float = SPARE_SECONDS,
        idle: float = IDLE_SECONDS,
        again: float = FIRST_SECONDS,
    ) -> None:
        """Start without protection, as ECS does.

        Args:
            put: changes the protection.
            spare: seconds of extra protection in each call.
            idle: seconds without a task before the release.
            again: seconds after a first failed call.
        """
        self._put = put
        self._spare, self._idle, self._again = spare, idle, again
        self._until: float | None = None
        self._idle_since = time.monotonic()
        self._condition = threading.Condition()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._keep, name="protection", daemon=True)
        self._thread.start()

    def cover(self, until: float | None) -> None:
        """Protect until the time limits of all running tasks have passed. Never waits for ECS.

        Args:
            until: the moment of `time.monotonic`; infinity without a limit; None when idle.
        """
        with self._condition:
            if until != self._until:
                if until is None:
                    self._idle_since = time.monotonic()
                self._until = until
                self._condition.notify()

    def _keep(self) -> None:
        # In force until this moment at least; held: ECS may still have some protection.
        in_force, held, failures, not_before = 0.0, False, 0, 0.0
        while True:
            with self._condition:
                now = time.monotonic()
                due, minutes = self._next(in_force, held, now)
                due = max(due, not_before)
                if due > now:
                    self._condition.wait(None if math.isinf(due) else due - now)
                    continue
            fault = self._put(minutes)
            if fault and fault not in self._said:
                self._said.add(fault)
                LOGGER.warning("scale-in protection: %s; the worker retries", fault)
            # A call that failed may have been carried out: a release ends what was in force, nothing else does.
            held = bool(fault) or minutes is not None
            if minutes is None:
                in_force = 0.0
            elif not fault:
                in_force = now + minutes * 60
            failures = failures + 1 if fault else 0
            not_before = time.monotonic() + self._backoff(failures) if fault else 0.0

    def _next(self, in_force: float, held: bool, now: float) -> tuple[float, int | None]:
        """The moment of the next call, infinity for none, and its minutes."""
        if self._until is None:
            return (self._idle_since + self._idle if held else math.inf), None
        longest = MOST_MINUTES * 60
        left = max(0.0, self._until - now)
        wanted = self._until + MARGIN_SECONDS + left
        if wanted - now > longest - self._spare:
            # What ECS's longest does not cover is covered in steps.
            return max(now, in_force - longest + self._spare), MOST_MINUTES
        if wanted <= in_force:
            return math.inf, None
        return now, max(1, math.ceil((wanted - now + self._spare) / 60))

    def _backoff(self, failures: int) -> float:
        # With jitter: the workers of a fleet start together.
        longest = self._again * LONGEST_SECONDS / FIRST_SECONDS
        return min(longest, self._again * 2.0 ** min(failures - 1, 10)) * random.uniform(0.75, 1.25)  # noqa: S311


def protection(environment: Mapping[str, str]) -> Protection | None:
    """The protection of this ECS task; None without an ECS agent."""
    agent = environment.get(AGENT, "")
    return Protection(lambda minutes: put_protection(agent, minutes)) if agent.startswith("http://") else None


def put_protection(agent: str, minutes: int | None) -> str:
    """Protect through the ECS agent, or release for None. Returns the fault, one text for each kind."""
    body: dict[str, object] = {"ProtectionEnabled": minutes is not None}
    if minutes is not None:
        body["ExpiresInMinutes"] = minutes
    request = Request(  # noqa: S310  # the ECS agent's address, over HTTP
        f"{agent}/task-protection/v1/state",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        with open_directly(request, CALL_SECONDS) as response:
            return _fault(response.read(100_000))
    except HTTPError as error:
        return _fault(error.read(100_000)) or f"the ECS agent answers {error.code}"
    except (URLError, HTTPException, OSError) as error:
        return f"the ECS agent does not answer: {getattr(error, 'reason', error) or type(error).__name__}"


def _fault(body: bytes) -> str:
    """A refusal is a ``failure`` (of ECS, with a reason) or an ``error`` (of the call, with a code)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "the ECS agent's answer is no JSON"
    if not isinstance(answer, dict):
        return "the ECS agent's answer is no object"
    told = answer.get("failure") or answer.get("error")
    if not told:
        return ""
    if not isinstance(told, dict):
        return "the ECS agent refuses, and gives no reason that can be read"
    return f"{told.get('Reason') or told.get('Code')}: {told.get('Detail') or told.get('Message')}"
