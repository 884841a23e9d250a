"""Keeps ECS from stopping the task to scale in, or to roll out, while it runs simulations.

Amazon ECS Developer Guide, "Task scale-in protection endpoint". The agent calls UpdateTaskProtection with
the task's own role.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

LOGGER = logging.getLogger(__name__)

AGENT = "ECS_AGENT_URI"
EXPIRES_MINUTES = 15
"""A worker that hangs is given up by ECS after this long; one that works renews it in time."""

RENEW_SECONDS = 300.0
IDLE_SECONDS = 20.0
"""An idle worker stays protected for this long: between two simulations nobody need ask ECS twice."""

AGAIN_SECONDS = 15.0
"""After a call that failed. ECS throttles UpdateTaskProtection by account, so a fleet must not insist."""

CALL_SECONDS = 10.0


class Protection:
    """Protects the task while the worker is busy, from a thread of its own.

    All calls come from that thread, one after the other, and each says what holds when it is made: a task that
    arrives while the release is under way is followed by a call that protects.
    """

    def __init__(
        self,
        put: Callable[[bool], str],
        *,
        renew: float = RENEW_SECONDS,
        idle: float = IDLE_SECONDS,
        again: float = AGAIN_SECONDS,
    ) -> None:
        """Begin as ECS begins, without protection.

        Args:
            put: sets the protection, and answers what went wrong, or nothing.
            renew: seconds after which it is set anew.
            idle: seconds without a task after which it is released.
            again: seconds after a call that failed.
        """
        self._put = put
        self._renew, self._idle, self._again = renew, idle, again
        self._busy = False
        self._changed_at = time.monotonic()
        self._condition = threading.Condition()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._keep, name="protection", daemon=True)
        self._thread.start()

    def set_busy(self, busy: bool) -> None:
        """Say whether any slot is taken. Never waits for ECS."""
        with self._condition:
            if busy != self._busy:
                self._busy, self._changed_at = busy, time.monotonic()
                self._condition.notify()

    def _keep(self) -> None:
        protected, due, failed = False, 0.0, False
        while True:
            with self._condition:
                now = time.monotonic()
                if self._busy:
                    wanted, when = True, due if protected or failed else now
                else:
                    released_at = self._changed_at + self._idle
                    wanted, when = False, max(released_at, due if failed else 0.0)
                    if not protected:
                        self._condition.wait()
                        continue
                if when > now:
                    self._condition.wait(when - now)
                    continue
            fault = self._put(wanted)
            failed = bool(fault)
            if fault and fault not in self._said:
                self._said.add(fault)
                LOGGER.warning("scale-in protection: %s; the worker goes on without", fault)
            # A call that failed may have been carried out.
            protected = True if failed else wanted
            due = time.monotonic() + (self._again if failed else self._renew)


def protection(environment: Mapping[str, str]) -> Protection | None:
    """The protection of this ECS task; None where no ECS agent is."""
    agent = environment.get(AGENT, "")
    return Protection(lambda wanted: put_protection(agent, wanted)) if agent.startswith("http://") else None


def put_protection(agent: str, wanted: bool) -> str:
    """Set it through the ECS agent; what went wrong, one text for each kind of fault."""
    body: dict[str, object] = {"ProtectionEnabled": wanted}
    if wanted:
        body["ExpiresInMinutes"] = EXPIRES_MINUTES
    request = Request(  # noqa: S310  # the ECS agent's address, over HTTP
        f"{agent}/task-protection/v1/state",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        with urlopen(request, timeout=CALL_SECONDS) as response:  # noqa: S310
            return _fault(response.read(100_000))
    except HTTPError as error:
        return _fault(error.read(100_000)) or f"the ECS agent answers {error.code}"
    except (URLError, HTTPException, OSError) as error:
        return f"the ECS agent does not answer: {getattr(error, 'reason', error) or type(error).__name__}"


def _fault(body: bytes) -> str:
    """A refusal is a ``failure`` (of ECS, with a reason) or an ``error`` (of the call, with a code)."""
    try:
        answer = json.loads(body)
    except ValueError:
        return "the ECS agent's answer is no JSON"
    if not isinstance(answer, dict):
        return "the ECS agent's answer is no object"
    told = answer.get("failure") or answer.get("error")
    if not told:
        return ""
    return f"{told.get('Reason') or told.get('Code')}: {told.get('Detail') or told.get('Message')}"
