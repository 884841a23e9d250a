"""What decides whether an engine or an API is killed: that it lives, not that its database is there."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.engine.clients import run_task
from tests.engine.conftest import Install
from tests.engine.installation import HURRY, Installation
from tests.engine.marks import ENGINE

pytestmark = ENGINE


@contextmanager
def without_database(it: Installation) -> Iterator[None]:
    """Let nobody in to the database while the block lasts, as at a failover."""
    it.server.query(f'ALTER DATABASE "{it.database}" ALLOW_CONNECTIONS false')
    it.server.query(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{it.database}'"  # noqa: S608
    )
    try:
        yield
    finally:
        it.server.query(f'ALTER DATABASE "{it.database}" ALLOW_CONNECTIONS true')


def answer(it: Installation, port: str, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{it.ports[port]}{path}", timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_neither_is_killed_while_the_database_is_away(prepared: Install) -> None:
    it = prepared()
    tasks = [it.start("engine"), it.start("api")]
    with without_database(it):
        # Hatchet's own paths of liveness say what those of readiness say.
        assert [answer(it, "health", path) for path in ("/ready", "/live", "/version")] == [503, 503, 200]
        paths = ("/api/ready", "/api/live", "/api/v1/version")
        assert [answer(it, "api", path) for path in paths] == [500, 500, 200]
        for task in tasks:
            (check,) = filter(None, (each.definition.health_check for each in task.containers.values()))
            time.sleep(check["interval"] / HURRY * (check["retries"] + 2))
            assert {*task.health.values()} == {"HEALTHY"}
    run_task(it)
