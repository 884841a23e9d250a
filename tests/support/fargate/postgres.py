"""A PostgreSQL cluster of its own, as RDS has them: TLS only, passwords by SCRAM, UTC."""

from __future__ import annotations

import csv
import datetime
import io
import ipaddress
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.fargate.binaries import missing_postgres, postgres_binaries
from tests.support.fargate.guard import Guard

POLL = 0.05
START_SECONDS = 60
STOP_SECONDS = 20

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "log_timezone": "UTC",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "ssl": "on",
    "synchronous_commit": "off",
    "timezone": "UTC",
}

ACCESS = """
local   all all     trust
hostssl all all all scram-sha-256
"""
"""The socket is in a folder that only the server's user enters; RDS, too, refuses all without TLS (rds.force_ssl)."""


class PostgresError(Exception):
    """What psql or the server says."""


class Postgres:
    """A cluster that listens on the loopback interface.

    Attributes:
        host: its address.
        port: its port.
        certificate: its own authority's and its own at once, for `sslmode=verify-full`.
        log: what the server writes.
    """

    host = "127.0.0.1"

    def __init__(self, binaries: Path, cluster: Path, log: Path, port: int) -> None:
        self.port = port
        self.certificate = cluster / "server.crt"
        self.log = log
        self._binaries = binaries
        self._cluster = cluster

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    def create_role(self, name: str, password: str, database: str) -> None:
        """Make a role that may log in, and a database that is its own."""
        self._psql(
            "postgres",
            f"CREATE ROLE {_identifier(name)} LOGIN PASSWORD {_literal(password)}",
            f"CREATE DATABASE {_identifier(database)} OWNER {_identifier(name)}",
        )

    def set_password(self, name: str, password: str) -> None:
        """Change a role's password, as a rotation does; sessions stay."""
        self._psql("postgres", f"ALTER ROLE {_identifier(name)} PASSWORD {_literal(password)}")

    def query(self, sql: str, database: str = "postgres") -> list[tuple[str, ...]]:
        """The rows of a statement, carried out as superuser; NULL is empty."""
        return [tuple(row) for row in csv.reader(io.StringIO(self._psql(database, sql)))]

    def _psql(self, database: str, *statements: str) -> str:
        """Carry out statements, each in a transaction of its own.

        Raises:
            PostgresError: one fails.
        """
        commands = [word for statement in statements for word in ("-c", statement)]
        result: subprocess.CompletedProcess[str] = subprocess.run(
            [
                *(self._binaries / "psql", "--no-psqlrc", "--quiet", "--csv", "--tuples-only"),
                *("--set=ON_ERROR_STOP=1", f"--host={self._cluster}", f"--port={self.port}"),
                *("--username=postgres", f"--dbname={database}", *commands),
            ],
            cwd=self._cluster,
            env=_environment(),
            capture_output=True,
            text=True,
            **_user(),
        )
        if result.returncode:
            raise PostgresError(result.stderr.strip())
        return result.stdout


@contextmanager
def postgres(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """Run a new, empty cluster on a free port while the block lasts, and never longer than this process.

    Args:
        folder: gets the server's log.
        settings: the server's, beside those above.

    Raises:
        PostgresError: it does not start.
    """
    binaries = postgres_binaries()
    assert binaries, missing_postgres()
    # pytest's folders are closed to the user that the server runs as, and too long for a socket's name.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as own, Guard() as guard:
        cluster = Path(own)
        _certificate(cluster)
        _give_away(cluster)
        data = cluster / "data"
        initdb = [str(binaries / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust"]
        log = folder / "postgres.log"
        with log.open("ab") as output:
            made = subprocess.run(
                [*initdb, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"],
                **_process(cluster, output),
            )
            if made.returncode:
                raise PostgresError(log.read_text(errors="replace"))
            (data / "pg_hba.conf").write_text(ACCESS)
            server = Postgres(binaries, cluster, log, _free_port())
            options = SETTINGS | {
                "listen_addresses": server.host,
                "port": str(server.port),
                "ssl_cert_file": str(server.certificate),
                "ssl_key_file": str(cluster / "server.key"),
                "unix_socket_directories": own,
                **(settings or {}),
            }
            process = subprocess.Popen(
                [
                    binaries / "postgres",
                    "-D",
                    data,
                    *(f"--{name}={value}" for name, value in options.items()),
                ],
                **_process(cluster, output),
                process_group=0,
            )
        guard.watch(
            process.pid, signal.SIGQUIT
        )  # at which the server ends at once and leaves no shared memory
        try:
            _await(server, process)
            yield server
        finally:
            _end(process)
            guard.forget(process.pid)


def _await(server: Postgres, process: subprocess.Popen[bytes]) -> None:
    """Wait until it takes statements."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            server.query("SELECT 1")
        except PostgresError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise PostgresError(f"{error}\n{server.log.read_text(errors='replace')}") from error
            time.sleep(POLL)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """The fast shutdown, which does not wait for clients; or else the immediate one."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def _certificate(folder: Path) -> None:
    """A certificate of its own authority, for its address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(Postgres.host))]
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = folder / "server.key"
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _user() -> dict[str, Any]:
    """Whom the server's programs run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _give_away(folder: Path) -> None:
    if user := _user():
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user["user"], user["group"])


def _process(cwd: Path, output: Any) -> dict[str, Any]:
    return {
        "cwd": cwd,
        "env": _environment(),
        "stdin": subprocess.DEVNULL,
        "stdout": output,
        "stderr": subprocess.STDOUT,
        **_user(),
    }


def _environment() -> dict[str, str]:
    """This process's environment without settings of PostgreSQL's clients."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((Postgres.host, 0))
        port: int = listener.getsockname()[1]
        return port


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
