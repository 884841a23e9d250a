"""The container's health check: asks the health server that hatchet-sdk runs beside the worker.

Standard library alone: it runs in every task every half minute, beside the simulations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from scythe_worker import alive

PORT = "HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT"
DEFAULT_PORT = "8001"
"""hatchet-sdk's own (``hatchet_sdk.config.HealthcheckConfig``)."""

SECONDS = 5


def fault(environment: Mapping[str, str]) -> str | None:
    """What is wrong with the worker of this container; None if it is healthy.

    The server answers 200 while the worker's heartbeats reach the engine, draining included, and 503 while
    it starts, has lost the engine, or does not get to its tasks. The event loop's own sign of life shows a worker
    that hangs (`scythe_worker.alive`).
    """
    port = environment.get(PORT) or DEFAULT_PORT
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return f"{PORT}: got {port!r}; must be a port, 1 to 65535"
    connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        body = response.read(10_000)
    except (OSError, HTTPException) as error:
        return f"the worker's health server does not answer on port {port}: {error or type(error).__name__}"
    finally:
        connection.close()
    if response.status != 200:
        return f"the worker is {_status(body)} ({response.status})"
    return alive.fault(alive.sign_of_life(port))


def _status(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return "not healthy"
    return str(answer.get("status", "not healthy")) if isinstance(answer, dict) else "not healthy"
