"""RabbitMQ's official image on this machine: what stands for its programs and settings, and a client."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.fargate.binaries import missing_rabbitmq, rabbitmq_binaries

HOST = "127.0.0.1"
SECONDS = 60

# A container has its own epmd, which ends with it; the one that Erlang starts by itself leaves the group and stays.
ENTRY = """#!/bin/sh
epmd &
until epmd -names >/dev/null 2>&1; do sleep 0.1; done
exec "$@"
"""

CLIENT = Path(__file__).with_name("amqp.escript")


class RabbitMqError(Exception):
    """What the client says."""


@dataclass
class Image:
    """The image, for an agent that runs nothing else.

    Attributes:
        folder: gets its programs, and its files outside of the data.
        data: stands for ``/var/lib/rabbitmq``.
        port: where it listens.
        distribution: where its tools find it.
        epmd: where they ask for that.
    """

    folder: Path
    data: Path
    port: int
    distribution: int
    epmd: int

    @property
    def place(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def programs(self) -> dict[str, str]:
        """What stands for the image's programs."""
        entry = self.folder / "docker-entrypoint.sh"
        entry.write_text(ENTRY)
        entry.chmod(0o755)
        return {"docker-entrypoint.sh": str(entry)}

    def variables(self) -> dict[str, str]:
        """What the image sets itself, and what keeps this broker apart from this machine's others."""
        binaries = rabbitmq_binaries()
        assert binaries, missing_rabbitmq()
        absent = str(self.folder / "absent")
        return {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            # The image's own: what it keeps is in its data, and it writes its log to its standard output.
            "HOME": str(self.data),
            "LANG": "C.UTF-8",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": str(self.data / "mnesia"),
            # Neither settings nor plugins of this machine.
            "RABBITMQ_CONF_ENV_FILE": absent,
            "RABBITMQ_CONFIG_FILES": absent,
            "RABBITMQ_ENABLED_PLUGINS_FILE": absent,
            "RABBITMQ_LOG_BASE": str(self.folder),
            # Its container's network, which it has for itself.
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self.epmd),
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
        }


def publish(url: str, queue: str, message: str) -> None:
    """Make a durable queue, and put a persistent message there that the broker confirms."""
    _client(url, "publish", queue, {"BODY": message})


def take(url: str, queue: str) -> str:
    """Take the first message of a queue."""
    return _client(url, "take", queue, {})


def _client(url: str, action: str, queue: str, variables: Mapping[str, str]) -> str:
    """Run the client, whose library comes with RabbitMQ.

    Raises:
        RabbitMqError: the broker refuses, or has no message.
    """
    binaries = rabbitmq_binaries()
    assert binaries, missing_rabbitmq()
    plugins = (binaries / "rabbitmq-server").resolve().parents[1] / "plugins"
    result = subprocess.run(
        ["escript", CLIENT, action, queue],
        env={"PATH": os.environ["PATH"], "ERL_LIBS": str(plugins), "URL": url, **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if result.returncode:
        raise RabbitMqError(result.stderr + result.stdout)
    return result.stdout
