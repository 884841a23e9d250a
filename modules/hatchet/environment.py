"""The plain environment of Hatchet's engine and API, in the names of its own configuration.

Both run from the environment alone, without a configuration directory
(https://docs.hatchet.run/self-hosting/configuration-options).
"""

from __future__ import annotations

from dataclasses import dataclass

from modules.hatchet.client import GRPC, HTTP, MESSAGE_BYTES
from synthesis.expression import Expression
from synthesis.literals import hcl

HEALTH = 8733
"""The port of the engine's health checks."""

INTERNAL_RETRIES = 100
"""How often a task may be given to another worker when the one that had it went silent. Hatchet's 10 would fail a
simulation whose Spot workers were taken ten times, a matter of hours for long ones; it does not count failures."""

RETENTION = "720h"
"""How long runs and their events are kept; results are in S3. Hatchet's own default, said so that it stays."""


@dataclass(frozen=True)
class Addresses:
    """Where an engine is found.

    Attributes:
        url: the dashboard's and the API's, from where people are. Tokens name it, so changing it voids them.
        grpc: the engine's host and port, from there.
        inside_url: the API's from within the VPC.
        inside_grpc: the engine's host and port from within the VPC.
        host: the host of `url`, for cookies.
        is_public: whether there is a domain, and so TLS.
    """

    url: Expression
    grpc: Expression
    inside_url: Expression
    inside_grpc: Expression
    host: Expression
    is_public: Expression

    def of_tokens(self) -> dict[str, Expression]:
        """What making a token takes, and checking it."""
        return {
            "SERVER_AUTH_COOKIE_DOMAIN": self.host,
            "SERVER_GRPC_BROADCAST_ADDRESS": self.grpc,
            "SERVER_URL": self.url,
        }


def server_environment(
    *,
    addresses: Addresses,
    database_url: Expression,
    password_version: Expression,
    broker: Expression,
    broker_address: Expression,
    pools: dict[str, Expression],
    sign_up: Expression,
) -> dict[str, Expression]:
    """The variables of the engine and of the API alike, each with the expression of its value.

    Args:
        addresses: where the engine is found.
        database_url: without a password, which is in ``PGPASSWORD``, and with the path of the database's authority.
        password_version: a new password makes a new task definition, since ECS reads it only at a start.
        broker: the setting.
        broker_address: of a broker of Amazon MQ, else null; another makes a new task definition likewise.
        pools: what bounds its connections to the database (`modules.hatchet.connections`).
        sign_up: the setting. With it off the API registers nobody, an invited person neither.
    """
    fixed = {
        "DATABASE_LOGGER_FORMAT": "json",
        "SERVER_ADDITIONAL_LOGGERS_PGXSTATS_FORMAT": "json",
        "SERVER_ADDITIONAL_LOGGERS_QUEUE_FORMAT": "json",
        "SERVER_ALLOW_CREATE_TENANT": "false",
        "SERVER_API_RATE_LIMIT": "10",
        "SERVER_API_RATE_LIMIT_WINDOW": "300s",
        "SERVER_AUTH_SET_EMAIL_VERIFIED": "true",
        "SERVER_ENABLE_DATA_RETENTION": "true",
        "SERVER_GRPC_BIND_ADDRESS": "0.0.0.0",  # noqa: S104  # the security group says who comes in
        "SERVER_GRPC_INSECURE": "true",
        "SERVER_GRPC_MAX_MSG_SIZE": str(MESSAGE_BYTES),
        "SERVER_GRPC_PORT": str(GRPC),
        "SERVER_GRPC_RATE_LIMIT": "1000",
        "SERVER_LIMITS_DEFAULT_TENANT_RETENTION_PERIOD": RETENTION,
        "SERVER_LOGGER_FORMAT": "json",
        "SERVER_LOGGER_LEVEL": "info",
        "SERVER_MAX_INTERNAL_RETRY_COUNT": str(INTERNAL_RETRIES),
        "SERVER_PORT": str(HTTP),
        "SERVER_SECURITY_CHECK_ENABLED": "false",
    }
    return {
        **{name: Expression(hcl(value)) for name, value in fixed.items()},
        **addresses.of_tokens(),
        **pools,
        "BROKER_ADDRESS": broker_address,
        "DATABASE_PASSWORD_VERSION": Expression(f"tostring({password_version})"),
        "DATABASE_URL": database_url,
        "SERVER_ALLOW_SIGNUP": Expression(f"tostring({sign_up})"),
        "SERVER_AUTH_COOKIE_INSECURE": Expression(f'{addresses.is_public} ? "false" : "true"'),
        "SERVER_INTERNAL_CLIENT_INTERNAL_GRPC_BROADCAST_ADDRESS": addresses.inside_grpc,
        "SERVER_MSGQUEUE_KIND": Expression(f'{broker} == "postgres" ? "postgres" : "rabbitmq"'),
    }
