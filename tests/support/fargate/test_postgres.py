"""PostgreSQL as RDS has it, and how programs are found."""

from __future__ import annotations

import os
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fargate import binaries
from tests.support.fargate.postgres import Postgres, PostgresError, postgres

PASSWORD = "".join(character for character in map(chr, range(32, 127)))
"""Every printable character of ASCII."""

with_postgres = pytest.mark.skipif(bool(binaries.missing_postgres()), reason=binaries.missing_postgres())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        server.create_role("hatchet", PASSWORD, "hatchet")
        yield server


def login(server: Postgres, password: str, mode: str) -> subprocess.CompletedProcess[str]:
    folder = binaries.postgres_binaries()
    assert folder
    where = f"host={server.host} port={server.port} user=hatchet dbname=hatchet sslmode={mode}"
    sql = "SELECT current_user, ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    return subprocess.run(
        [folder / "psql", "-XAt", where, "-c", sql],
        env={**os.environ, "PGPASSWORD": password, "PGSSLROOTCERT": str(server.certificate)},
        capture_output=True,
        text=True,
    )


@with_postgres
@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_login_over_tls_with_any_password(server: Postgres, mode: str) -> None:
    assert set(PASSWORD) >= set(string.printable) - set(string.whitespace) | {" "}
    assert login(server, PASSWORD, mode).stdout == "hatchet|t|TLSv1.3\n"


@with_postgres
def test_what_is_refused(server: Postgres) -> None:
    assert "no encryption" in login(server, PASSWORD, "disable").stderr
    assert "password authentication failed" in login(server, PASSWORD[:-1], "require").stderr


@with_postgres
def test_a_password_is_changed(server: Postgres) -> None:
    server.set_password("hatchet", "new")
    assert login(server, PASSWORD, "require").returncode
    assert not login(server, "new", "require").returncode
    server.set_password("hatchet", PASSWORD)


@with_postgres
def test_queries(server: Postgres) -> None:
    assert server.query("SHOW timezone") == [("UTC",)]
    assert server.query(
        "SELECT rolname LIKE 'scram%', E'a,\n\"b' FROM pg_roles WHERE rolname = 'hatchet'"
    ) == [("f", 'a,\n"b')]
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert server.query(owner, "hatchet") == [("hatchet",)]
    assert server.query(
        "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'hatchet'"
    ) == [("t",)]
    with pytest.raises(PostgresError, match="syntax"):
        server.query("SELEC")


@with_postgres
def test_it_is_gone_after_its_block(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        cluster = server.certificate.parent
        process = int((cluster / "data" / "postmaster.pid").read_text().split()[0])
    assert not cluster.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_is_missing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path)
    monkeypatch.delenv("HATCHET_BIN_DIR", raising=False)
    reason = "the Hatchet engine's binaries (hatchet-migrate, hatchet-admin, hatchet-engine, hatchet-api)"
    assert binaries.missing().startswith(
        f"{reason} are neither in HATCHET_BIN_DIR nor on PATH; PostgreSQL's "
    )
    monkeypatch.setenv("HATCHET_BIN_DIR", str(tmp_path))
    assert binaries.missing().startswith(f"{reason} are not in HATCHET_BIN_DIR; ")
    for name in (*binaries.HATCHET, *binaries.POSTGRES):
        (tmp_path / name).touch(mode=0o755)
    assert binaries.hatchet_binaries() == binaries.postgres_binaries() == tmp_path
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert binaries.missing() == "the AWS CLI is neither beside Python nor on PATH"
    (tmp_path / "aws").touch(mode=0o755)
    assert (binaries.aws_cli(), binaries.missing()) == (tmp_path / "aws", "")


def test_what_rabbitmq_lacks_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "DEBIAN_RABBITMQ", tmp_path / "debian")
    assert binaries.missing_rabbitmq().startswith("RabbitMQ's scripts (rabbitmq-server, ")
    for name in binaries.RABBITMQ:
        (tmp_path / name).touch(mode=0o755)
    assert binaries.missing_rabbitmq() == "Erlang's programs (erl, escript, epmd) are not on PATH"
    for name in binaries.ERLANG:
        (tmp_path / name).touch(mode=0o755)
    assert (binaries.rabbitmq_binaries(), binaries.missing_rabbitmq()) == (tmp_path, "")


def test_the_newest_of_debians_versions_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9", "15", "16", "common"):
        folder = tmp_path / "versions" / version / "bin"
        folder.mkdir(parents=True)
        for name in binaries.POSTGRES if version != "16" else ("psql",):
            (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HATCHET_BIN_DIR", raising=False)
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path / "versions")
    assert binaries.postgres_binaries() == tmp_path / "versions" / "15" / "bin"
