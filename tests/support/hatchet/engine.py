"""Runs the engine's own programs against a PostgreSQL of their own, with what a deployment gives them."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socket import socket

from tests.support.fargate.binaries import hatchet_binaries
from tests.support.fargate.guard import Guard, end
from tests.support.fargate.postgres import Postgres, postgres

TENANT = "707d0855-80ab-4e1f-a156-f1c4546cbf52"
ROLE, DATABASE = "hatchet", "hatchet"
START_SECONDS = 60
STOP_SECONDS = 30
KEYSETS = {
    "SERVER_ENCRYPTION_MASTER_KEYSET": "master.key",
    "SERVER_ENCRYPTION_JWT_PRIVATE_KEYSET": "private_ec256.key",
    "SERVER_ENCRYPTION_JWT_PUBLIC_KEYSET": "public_ec256.key",
}


class HatchetError(Exception):
    """One of the engine's programs fails."""


class Hatchet:
    """An engine and its API, on loopback and without TLS.

    Attributes:
        database: their PostgreSQL.
        url: the API's.
        grpc: the engine's host and port.
        token: an API token of the tenant.
        folder: has each program's log.
    """

    def __init__(self, folder: Path, database: Postgres, guard: Guard) -> None:
        self.folder = folder
        self.database = database
        self._guard = guard
        self._grpc, self._http, self._health = free_port(), free_port(), free_port()
        self.grpc = f"127.0.0.1:{self._grpc}"
        self.url = f"http://127.0.0.1:{self._http}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = self._set_up()
        self._once("hatchet-migrate")
        self._once("hatchet-admin", "seed")
        self.token = self._once(
            "hatchet-admin", "token", "create", "--tenant-id", TENANT, "--expiresIn", "24h"
        ).strip()

    def client_environment(self) -> dict[str, str]:
        """What leads a worker or a client to this engine."""
        return {"HATCHET_CLIENT_TOKEN": self.token, "HATCHET_CLIENT_TLS_STRATEGY": "none"}

    def start(self) -> None:
        """Start the engine and the API, and wait until both answer."""
        self.start_engine()
        self._start("hatchet-api")
        self._await("hatchet-api", self._http, "/api/ready")

    def start_engine(self) -> None:
        """Start the engine alone, and wait until it answers."""
        self._start("hatchet-engine")
        self._await("hatchet-engine", self._health, "/ready")

    def stop_engine(self, number: int = signal.SIGTERM) -> None:
        """Signal the engine, and wait until it is gone."""
        self._stop("hatchet-engine", number)

    def stop(self) -> None:
        """End both, at once."""
        for program in list(self._processes):
            self._stop(program, signal.SIGKILL)

    def query(self, sql: str) -> list[tuple[str, ...]]:
        """Ask the engine's own database."""
        return self.database.query(sql, DATABASE)

    def _set_up(self) -> dict[str, str]:
        password = secrets.token_hex(16)
        self.database.create_role(ROLE, password, DATABASE)
        keys = self.folder / "keys"
        keys.mkdir()
        self._environment = {"PATH": os.environ["PATH"]}
        self._once("hatchet-admin", "keyset", "create-local-keys", "--key-dir", str(keys))
        return self._environment | {
            **{name: (keys / file).read_text() for name, file in KEYSETS.items()},
            "ADMIN_EMAIL": "admin@example.com",
            "ADMIN_PASSWORD": f"Aa1!{password}",
            "DATABASE_MAX_CONNS": "20",
            "DATABASE_URL": f"postgresql://{ROLE}@{self.database.place}/{DATABASE}?sslmode=require",
            "DEFAULT_TENANT_ID": TENANT,
            "PGPASSWORD": password,
            "SERVER_AUTH_COOKIE_DOMAIN": "127.0.0.1",
            "SERVER_AUTH_COOKIE_INSECURE": "true",
            "SERVER_AUTH_COOKIE_SECRETS": f"{secrets.token_hex(8)} {secrets.token_hex(8)}",
            "SERVER_AUTH_SET_EMAIL_VERIFIED": "true",
            "SERVER_GRPC_BIND_ADDRESS": "127.0.0.1",
            "SERVER_GRPC_BROADCAST_ADDRESS": self.grpc,
            "SERVER_GRPC_INSECURE": "true",
            "SERVER_GRPC_MAX_MSG_SIZE": str(32 * 1024 * 1024),
            "SERVER_GRPC_PORT": str(self._grpc),
            "SERVER_GRPC_RATE_LIMIT": "1000",
            "SERVER_HEALTHCHECK_PORT": str(self._health),
            "SERVER_LOGGER_FORMAT": "json",
            "SERVER_MAX_INTERNAL_RETRY_COUNT": "100",
            "SERVER_MSGQUEUE_KIND": "postgres",
            "SERVER_PORT": str(self._http),
            "SERVER_SECURITY_CHECK_ENABLED": "false",
            "SERVER_URL": self.url,
        }

    def _once(self, program: str, *arguments: str) -> str:
        ran = subprocess.run(
            [_binary(program), *arguments],
            cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode:
            raise HatchetError(f"{program} {' '.join(arguments)}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def _start(self, program: str) -> None:
        with (self.folder / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(
                [_binary(program)],
                cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip
        self._guard.watch(process.pid)
        self._processes[program] = process

    def _await(self, program: str, port: int, path: str) -> None:
        until = time.monotonic() + START_SECONDS
        while not _answers(port, path):
            code = self._processes[program].poll()
            if code is not None or time.monotonic() > until:
                log = (self.folder / f"{program}.log").read_text(errors="replace")
                raise HatchetError(f"{program} ({code}) does not answer:\n{log[-3000:]}")
            time.sleep(0.1)

    def _stop(self, program: str, number: int) -> None:
        process = self._processes.pop(program, None)
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            end(process.pid)
            process.wait()
        self._guard.forget(process.pid)


@contextmanager
def hatchet(folder: Path) -> Iterator[Hatchet]:
    """A set-up engine that runs while the block lasts.

    Raises:
        HatchetError: it does not start.
    """
    with Guard() as guard, postgres(folder) as database:
        its = Hatchet(folder, database, guard)
        try:
            its.start()
            yield its
        finally:
            its.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binary(program: str) -> str:
    folder = hatchet_binaries()
    assert folder, "tests.support.fargate.binaries.missing() says why"
    return str(folder / program)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
