"""Two engines, as `engine.count: 2` has them: one takes over what the other did."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.engine.balanced import balanced
from tests.engine.clients import run_task
from tests.engine.conftest import Install
from tests.engine.deployment import inside
from tests.engine.installation import SECONDS, Installation, free_ports
from tests.engine.marks import ENGINE
from tests.support.fargate.task import Task

pytestmark = ENGINE

AT_ONCE = 30
"""Seconds in which a task has run that waits for nobody: its worker's start takes 5 to 7 of them."""


@contextmanager
def two_engines(prepared: Install) -> Iterator[tuple[Installation, Task, Task]]:
    """An installation, the engine that owns its only tenant, and one beside it that came later."""
    port, grpc, health = free_ports(3)
    it = prepared(places={inside("engine", 7070): f"127.0.0.1:{port}"})
    beside = it.agent.beside(
        {"7070": str(grpc), "127.0.0.1:8733": f"127.0.0.1:{health}"}, {"SERVER_HEALTHCHECK_PORT": str(health)}
    )
    with balanced(port, [it.ports["engine"], grpc]):
        it.start("api")
        owner = it.start("engine")
        run_task(it)
        other = beside.run(it.deployment.hatchet, it.deployment.task_definition("engine"))
        other.wait_healthy(SECONDS)
        yield it, owner, other


def seconds_of_task(it: Installation) -> float:
    began = time.monotonic()
    run_task(it)
    return time.monotonic() - began


def test_the_other_takes_over_at_once_from_one_that_is_stopped(prepared: Install) -> None:
    with two_engines(prepared) as (it, owner, _):
        owner.stop()
        assert seconds_of_task(it) < AT_ONCE


def test_the_other_takes_over_from_one_that_is_lost(prepared: Install) -> None:
    """It does so when the lost one's heartbeat is a minute old, and `run_task` waits for less than three."""
    with two_engines(prepared) as (it, owner, other):
        owner.kill()
        run_task(it)
        assert other.health == {"engine": "HEALTHY"}
