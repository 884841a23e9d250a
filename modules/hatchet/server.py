"""The containers of the engine and of the API, which are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.ecs_task_definition import EcsTaskDefinitionVolume

from modules.hatchet.amazon_mq import AmazonMq
from modules.hatchet.connections import pool_variables
from modules.hatchet.container import Container, HealthCheck
from modules.hatchet.database import HatchetDatabase
from modules.hatchet.environment import Addresses, server_environment
from modules.hatchet.rabbitmq import RabbitMq
from modules.hatchet.secrets import Secrets
from modules.hatchet.settings import HatchetSettings
from synthesis.expression import Expression

VOLUME, FOLDER = "tls", "/tls"
AUTHORITY = f"{FOLDER}/database.pem"
"""Where a server finds the authority of the database's certificate."""


@dataclass(frozen=True)
class Servers:
    """What the engine and the API have in common."""

    settings: HatchetSettings
    images: Mapping[str, Expression]
    addresses: Addresses
    database: HatchetDatabase
    secrets: Secrets
    brokers: tuple[RabbitMq, AmazonMq]

    @property
    def volumes(self) -> list[EcsTaskDefinitionVolume]:
        """The volumes of a task."""
        return [EcsTaskDefinitionVolume(name=VOLUME)]

    # Whether a container is killed is asked of the process alone: the engine's /live and the API's /api/live answer 503
    # and 500 while the broker or the database is away, as /ready does (Hatchet v0.104.7, internal/services/health and
    # api/v1/server/handlers/metadata), and a new process would not find them either.
    def containers(
        self, name: str, image: str, command: Sequence[str], health: str, port: int
    ) -> list[Container]:
        """A server's container, and the one that prepares it; the set-up reads the variables of the first.

        Args:
            name: the server's.
            image: its image's name.
            command: what it runs.
            health: an address that answers while the process is well.
            port: where it listens.
        """
        urls = [broker.credentials.value_from("url") for broker in self.brokers]
        server = Container(
            name=name,
            image=self.images[image],
            command=command,
            environment=server_environment(
                addresses=self.addresses,
                database_url=self.database.url(AUTHORITY),
                password_version=Expression(self.settings.database.password_version),
                broker=Expression(self.settings.broker),
                broker_address=self.brokers[1].address,
                pools=pool_variables(self.settings),
                sign_up=Expression(self.settings.sign_up),
            ),
            secrets={
                **self.secrets.of_server(),
                "PGPASSWORD": self.database.password_secret_arn,
                "SERVER_MSGQUEUE_RABBITMQ_URL": Expression(
                    f"try(coalesce({', '.join(map(str, urls))}), null)"
                ),
            },
            after=["certificate"],
            health_check=HealthCheck.get(health),
            # The engine takes 5 seconds to hand over, 10 for its streams, and what the tasks then take to report.
            stop_seconds=60,
            ports=[port],
            volumes={VOLUME: FOLDER},
        )
        return [server, self._certificate(image)]

    def _certificate(self, image: str) -> Container:
        """What gives a server the authority of the database's certificate as a file, without the Internet."""
        return Container(
            name="certificate",
            image=self.images[image],
            command=["sh", "-euc", f"""printf '%s\\n' "$DATABASE_CERTIFICATE" > {AUTHORITY}"""],
            environment={"DATABASE_CERTIFICATE": self.database.certificate},
            # The volume is root's.
            user="0:0",
            essential=False,
            volumes={VOLUME: FOLDER},
        )
