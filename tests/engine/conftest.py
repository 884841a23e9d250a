"""One deployment for all tests of the engine; each test has secrets, a database and ports of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine import deployment as deployments
from tests.engine.deployment import Deployment
from tests.engine.installation import Installation, Stored, installation
from tests.support.fargate.postgres import Postgres, postgres

Install = Callable[..., Installation]


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployments.deployment(tmp_path_factory.mktemp("deployment")) as made:
        yield made


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        server.create_role("hatchet", "changed-by-each-test", "hatchet")
        yield server


@pytest.fixture(scope="session")
def stored(deployment: Deployment, server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """What a set-up from nothing leaves, for the tests that begin there."""
    with installation(deployment, server, tmp_path_factory.mktemp("stored")) as first:
        first.set_up().stop()
        return first.store()


@pytest.fixture
def empty(deployment: Deployment, server: Postgres, tmp_path: Path) -> Iterator[Install]:
    """Makes installations of which nothing is there but what Terraform makes."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(installation(deployment, server, tmp_path, **changes))


@pytest.fixture
def prepared(empty: Install, stored: Stored) -> Install:
    """Makes installations that have been set up."""
    return lambda **changes: empty(stored=stored, **changes)
