"""RabbitMQ as the engine's broker, from its task definition, and an engine that uses it.

The image itself is not here. What runs is RabbitMQ 3.10 or what this machine has, where the image has 4.1, without the
image's configuration and its plugin for Prometheus. A few lines stand for its `docker-entrypoint.sh`, which does
nothing of weight for the user 999 but to run what it is given; that this user owns what EFS holds, TLS to EFS, and NFS
itself are not tested. Nor is that ECS stops one task before it starts the next, but only that it is told to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.brokered import PLACE, Broker, Brokered, broker, brokered
from tests.engine.clients import run_task
from tests.engine.deployment import Deployment
from tests.engine.installation import Stored, installation
from tests.engine.marks import ENGINE
from tests.support.fargate.binaries import missing_rabbitmq
from tests.support.fargate.postgres import Postgres
from tests.support.fargate.rabbitmq import RabbitMqError, publish, take

pytestmark = [*ENGINE, pytest.mark.skipif(bool(missing_rabbitmq()), reason=missing_rabbitmq())]

RETURN_SECONDS = 60
"""The longest that an engine may take to be back at all of its queues. It tries again after 5 seconds at the latest."""


@pytest.fixture(scope="module")
def deployed(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Brokered:
    return brokered(deployment, tmp_path_factory.mktemp("brokered"))


@pytest.fixture
def rabbitmq(deployed: Brokered, tmp_path: Path) -> Iterator[Broker]:
    with broker(deployed, tmp_path) as made:
        yield made


def test_a_new_task_has_the_messages_of_the_one_before(rabbitmq: Broker) -> None:
    rollout = rabbitmq.deployment.broker["deploymentConfiguration"]
    assert (rollout["maximumPercent"], rollout["minimumHealthyPercent"]) == (100, 0)
    first = rabbitmq.start()
    publish(rabbitmq.url, "durable", "kept")
    wrong = rabbitmq.url.replace(rabbitmq.deployment.secret["password"], "wrong")
    with pytest.raises(RabbitMqError, match="auth_failure"):
        publish(wrong, "durable", "of a stranger")
    # Never two at a time, so the service stops the one before it starts the other.
    (seconds,) = first.stop().values()
    assert seconds < first.containers["rabbitmq"].definition.stop_timeout / 2
    assert first.exit_codes == {"rabbitmq": 0}, str(first)
    second = rabbitmq.start()
    assert take(rabbitmq.url, "durable") == "kept"
    # Without the time to close its files, as when its host is lost.
    publish(rabbitmq.url, "durable", "kept too")
    second.kill()
    rabbitmq.start()
    assert take(rabbitmq.url, "durable") == "kept too"
    assert [node.name for node in (rabbitmq.image.data / "mnesia").glob("*@localhost")] == [
        "rabbit@localhost"
    ]


def test_an_engine_works_with_it_and_comes_back_to_a_new_task(
    rabbitmq: Broker, server: Postgres, stored: Stored, tmp_path: Path
) -> None:
    task = rabbitmq.start()
    places = {PLACE: rabbitmq.image.place}
    with installation(rabbitmq.deployment, server, tmp_path, stored=stored, places=places) as it:
        it.hidden.add(rabbitmq.deployment.secret["password"])
        engine = it.start("engine")
        api = it.start("api")
        for container in (engine.containers["engine"], api.containers["api"]):
            given = container.definition.environment
            assert given["SERVER_MSGQUEUE_KIND"] == "rabbitmq"
            assert given["SERVER_MSGQUEUE_RABBITMQ_URL"] == rabbitmq.url
        run_task(it)
        consumed = rabbitmq.consumed()
        assert consumed
        task.stop()
        rabbitmq.start()
        # Until then what the engine hands out goes nowhere, though it counts as ready: the queue of what it has for its
        # workers is exclusive to a connection, and so is gone. Such a task ends by its execution timeout.
        until = time.monotonic() + RETURN_SECONDS
        while (back := rabbitmq.consumed()) != consumed:
            assert time.monotonic() < until, f"{back} is not {consumed}"
        run_task(it)
