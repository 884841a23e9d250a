"""The database's certificate is checked: what connects to it goes to no other server."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from tests.engine.conftest import Install
from tests.engine.installation import AUTHORITY, SECONDS
from tests.engine.marks import ENGINE
from tests.support.certificates import authority
from tests.support.fargate import binaries
from tests.support.fargate.postgres import Postgres

pytestmark = ENGINE

UNKNOWN = "certificate signed by unknown authority"


def test_hatchets_own_programs_take_no_other_servers_certificate(server: Postgres, tmp_path: Path) -> None:
    password, database = uuid.uuid4().hex, f"hatchet_{uuid.uuid4().hex[:12]}"
    server.set_password("hatchet", password)
    server.query(f'CREATE DATABASE "{database}" OWNER hatchet')
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    right.write_text(server.certificate.read_text())
    wrong.write_text(authority())
    folder = binaries.hatchet_binaries()
    assert folder

    def run(file: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        url = f"postgresql://hatchet@{server.place}/{database}?sslmode=verify-full&sslrootcert={file}"
        environment = {**os.environ, "DATABASE_URL": url, "PGPASSWORD": password}
        return subprocess.run(
            [folder / program, *arguments], env=environment, capture_output=True, text=True, timeout=120
        )

    for words in (["hatchet-migrate"], ["hatchet-admin", "seed"]):
        assert run(wrong, *words).returncode, words
        taken = run(right, *words)
        assert not taken.returncode, taken.stderr
    assert (
        "unknown ca" in server.log.read_text(errors="replace") or "bad certificate" in server.log.read_text()
    )


def test_the_set_up_takes_no_other_servers_certificate(prepared: Install) -> None:
    it = prepared(places={AUTHORITY: authority()})
    task = it.begin_set_up()
    assert task.wait_stopped(SECONDS)["database"] == 1
    log = task.log("database")
    assert "certificate verify failed" in log
    assert "The database cannot be reached." in log


@pytest.mark.parametrize("name", ["engine", "api"])
def test_a_server_takes_no_other_servers_certificate(prepared: Install, name: str) -> None:
    task = prepared(places={AUTHORITY: authority()}).run(name)
    until = time.monotonic() + 60
    while UNKNOWN not in task.log(name):
        assert time.monotonic() < until, task.log(name)
        time.sleep(0.2)
    task.stop()
