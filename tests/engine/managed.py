"""A broker of Amazon MQ on this machine: RabbitMQ with TLS alone, its management API, and one administrator."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import create_default_context
from typing import Any

from tests.engine.installation import SECONDS, free_ports
from tests.support.fargate.guard import Guard, end
from tests.support.fargate.rabbitmq import HOST, Image

CONFIGURATION = """\
listeners.tcp = none
listeners.ssl.default = {host}:{port}
ssl_options.certfile = {folder}/certificate.pem
ssl_options.keyfile = {folder}/key.pem
ssl_options.cacertfile = {folder}/certificate.pem
management.ssl.ip = {host}
management.ssl.port = {management}
management.ssl.certfile = {folder}/certificate.pem
management.ssl.keyfile = {folder}/key.pem
management.ssl.cacertfile = {folder}/certificate.pem
loopback_users = none
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
"""


@dataclass(frozen=True)
class Managed:
    """The broker.

    Attributes:
        image: what it runs from.
        management: the port of its management API.
        user: its administrator's name.
    """

    image: Image
    management: int
    user: str

    @property
    def authority(self) -> Path:
        """The certificate of who its own is from."""
        return self.image.folder / "certificate.pem"

    def accepts(self, password: str) -> bool:
        """Whether it takes a password."""
        return self._call("GET", "whoami", password)[0] == 200

    def consumed(self, password: str) -> list[str]:
        """The names of the queues that someone consumes."""
        status, consumers = self._call("GET", "consumers", password)
        assert status == 200
        return sorted(consumer["queue"]["name"] for consumer in consumers)

    def give(self, password: str, new: str) -> None:
        """Give its administrator another password."""
        status, _ = self._call(
            "PUT", f"users/{self.user}", password, {"password": new, "tags": "administrator"}
        )
        assert status in (201, 204)

    def _call(self, method: str, path: str, password: str, body: Any = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"https://{HOST}:{self.management}/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Basic " + b64encode(f"{self.user}:{password}".encode()).decode()},
            method=method,
        )
        trust = create_default_context(cafile=str(self.authority))
        try:
            with urllib.request.urlopen(request, timeout=SECONDS, context=trust) as answer:
                content = answer.read()
                return answer.status, json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            return error.code, None


@contextmanager
def managed(folder: Path, user: str, password: str) -> Iterator[Managed]:
    """Run one, with an administrator as Amazon MQ makes it."""
    ports = free_ports(4)
    image = Image(folder / "image", folder / "files", *ports[:3])
    for made in (image.folder, image.data):
        made.mkdir(parents=True)
    broker = Managed(image, ports[3], user)
    _certify(image.folder)
    configuration = image.folder / "rabbitmq.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=HOST, port=image.port, management=broker.management, folder=image.folder, user=user,
            password=password,
        )
    )  # fmt: skip
    plugins = image.folder / "plugins"
    plugins.write_text("[rabbitmq_management].\n")
    given = image.variables() | {
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_CONFIG_FILES": str(configuration),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_NODENAME": f"rabbit-{image.port}@localhost",
    }
    log = image.folder / "log"
    with Guard() as guard, log.open("wb") as written:
        process = subprocess.Popen(
            [image.programs["docker-entrypoint.sh"], "rabbitmq-server"],
            env=given,
            stdout=written,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        guard.watch(process.pid)
        try:
            _await(broker, password, process, log)
            yield broker
        finally:
            end(process.pid)
            process.wait()
            guard.forget(process.pid)


def _certify(folder: Path) -> None:
    """Make a certificate for this machine's own address, which is its own authority."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=broker", "-addext", f"subjectAltName=IP:{HOST}", "-keyout", folder / "key.pem",
         "-out", folder / "certificate.pem"],
        check=True,
        capture_output=True,
    )  # fmt: skip


def _await(broker: Managed, password: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            if broker.accepts(password):
                return
        except OSError:
            pass
        assert process.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(0.2)
