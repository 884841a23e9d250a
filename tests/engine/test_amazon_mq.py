"""RabbitMQ on Amazon MQ as the engine's broker: the set-up replaces its password before the engine uses it.

The broker is RabbitMQ 3.10 or what this machine has, where Amazon MQ has 3.13, with TLS and the management API; the
certificate's authority is made known to curl and to the engine, as Amazon's is in their images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modules.hatchet.amazon_mq import AMQPS, FIRST_PASSWORD, MANAGEMENT
from modules.hatchet.credentials import USER
from tests.engine.brokered import Brokered, brokered
from tests.engine.clients import run_task
from tests.engine.deployment import Deployment
from tests.engine.installation import SECONDS, Installation, installation
from tests.engine.managed import Managed, managed
from tests.engine.marks import ENGINE
from tests.engine.test_from_nothing import STEPS
from tests.support.fargate.binaries import missing_rabbitmq
from tests.support.fargate.postgres import Postgres
from tests.support.fargate.rabbitmq import HOST

pytestmark = [*ENGINE, pytest.mark.skipif(bool(missing_rabbitmq()), reason=missing_rabbitmq())]

BROKER = "mockmq"
"""Its host, as the local AWS has it."""

With = Callable[[int], Installation]


@pytest.fixture(scope="module")
def deployed(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Brokered:
    return brokered(deployment, tmp_path_factory.mktemp("amazon-mq"), "amazon_mq")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Managed]:
    with managed(tmp_path / "broker", USER, FIRST_PASSWORD) as made:
        yield made


@pytest.fixture
def install(deployed: Brokered, server: Postgres, broker: Managed, tmp_path: Path) -> Iterator[With]:
    """Makes an installation with the broker, whose management API it finds at a port."""
    with ExitStack() as stack:

        def made(management: int) -> Installation:
            it = stack.enter_context(
                installation(
                    deployed,
                    server,
                    tmp_path,
                    places={
                        f"{BROKER}:{AMQPS}": broker.image.place,
                        f"{BROKER}:{MANAGEMENT}": f"{HOST}:{management}",
                    },
                    variables=dict.fromkeys(("CURL_CA_BUNDLE", "SSL_CERT_FILE"), str(broker.authority)),
                )
            )
            it.hidden.add(deployed.secret["password"])
            return it

        yield made


def test_an_engine_works_with_it_once_the_set_up_has_replaced_its_password(
    install: With, broker: Managed, deployed: Brokered
) -> None:
    stored = deployed.secret["password"]
    assert not broker.accepts(stored)
    it = install(broker.management)
    task = it.set_up()
    assert task.exit_codes == dict.fromkeys(STEPS, 0)
    assert task.log("keep") == "The broker has its password.\n"
    assert broker.accepts(stored)
    assert not broker.accepts(FIRST_PASSWORD)

    again = it.set_up()
    assert (again.exit_codes, again.log("keep")) == (dict.fromkeys(STEPS, 0), "")

    engine, _ = it.start("engine"), it.start("api")
    given = engine.containers["engine"].definition.environment
    assert given["SERVER_MSGQUEUE_KIND"] == "rabbitmq"
    assert given["SERVER_MSGQUEUE_RABBITMQ_URL"] == f"amqps://{USER}:{stored}@{broker.image.place}/"
    run_task(it)
    assert broker.consumed(stored)


def test_a_broker_that_takes_neither_password_is_said_so(install: With, broker: Managed) -> None:
    broker.give(FIRST_PASSWORD, "of-somebody-else")
    task = install(broker.management).begin_set_up()
    assert task.wait_stopped(SECONDS)["keep"] == 1
    assert task.log("keep") == "The broker takes neither the stored password nor its first one.\n"
    assert broker.accepts("of-somebody-else")


def test_a_broker_that_cannot_be_reached_is_said_so(install: With) -> None:
    task = install(1).begin_set_up()
    assert task.wait_stopped(SECONDS)["keep"] == 1
    assert task.log("keep").endswith("The broker cannot be reached.\n")
