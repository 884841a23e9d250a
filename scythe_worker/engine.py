"""Reaching the engine when a worker starts: what is wrong in one line, and patience before giving up."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import grpc  # type: ignore[import-untyped]

from scythe_worker.settings import PATIENCE_SECONDS, claims_of

LOGGER = logging.getLogger(__name__)
T = TypeVar("T")

LONGEST_WAIT = 30.0

REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
ABSENCES = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)


class EngineError(Exception):
    """A worker cannot work with its engine; the message is one line, without the token."""

    status = 3


class Unreachable(EngineError):
    """The engine does not answer."""


class Refused(EngineError):
    """The engine answers, and does not take the token."""

    status = 4


def check_expiry(token: str) -> None:
    """Refuse a token whose time is over, without asking anyone.

    Raises:
        Refused: it is over.
    """
    expires = (claims_of(token) or {}).get("exp")
    if isinstance(expires, (int, float)) and expires < time.time():
        day = time.strftime("%Y-%m-%d", time.gmtime(expires))
        raise Refused(f"HATCHET_CLIENT_TOKEN: expired on {day}; must be a new API token of Hatchet")


def persevere(call: Callable[[], T], *, address: str, patience: float = PATIENCE_SECONDS) -> T:
    """Call the engine until it answers, with growing waits.

    Args:
        call: raises gRPC's errors.
        address: the engine's, for the messages.
        patience: seconds after which to give up.

    Raises:
        Unreachable: it does not answer.
        Refused: it does not take the token.
    """
    until = time.monotonic() + patience
    wait, said = 1.0, ""
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            fault = explain(error, address)
        except Refused as error:
            fault = error
        # Half at random: a fleet that starts together must not ask together.
        pause = wait * random.uniform(0.5, 1.0)  # noqa: S311
        if time.monotonic() + pause > until:
            raise fault
        if str(fault) != said:
            said = str(fault)
            LOGGER.warning("%s; tries again for %d s", said, max(until - time.monotonic(), 0))
        time.sleep(pause)
        wait = min(wait * 2, LONGEST_WAIT)


def explain(error: grpc.RpcError, address: str) -> EngineError:
    """What a gRPC error means for a worker.

    Raises:
        grpc.RpcError: it means a fault of the program.
    """
    code = error.code()
    what = " ".join(str(error.details() or "").split())[:200]
    if code in REFUSALS:
        return Refused(f"HATCHET_CLIENT_TOKEN: refused by the engine at {address}: {what or code.name}")
    if code in ABSENCES:
        return Unreachable(f"the Hatchet engine at {address} does not answer: {code.name}: {what}")
    raise error
