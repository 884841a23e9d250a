"""Finds the programs that tasks need on this machine: the Hatchet engine's, PostgreSQL's, RabbitMQ's and the AWS CLI.

``python -m tests.support.fargate.binaries`` prints why no engine can run here, with exit status 1; 0 where one can.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

HATCHET = ("hatchet-migrate", "hatchet-admin", "hatchet-engine", "hatchet-api")
"""What a Hatchet engine needs."""

DASHBOARD = "hatchet-staticfileserver"
"""What the engine's dashboard needs beside them."""

POSTGRES = ("initdb", "pg_ctl", "postgres", "psql")

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian has the versions of PostgreSQL, none of whose servers is on PATH."""

RABBITMQ = ("rabbitmq-server", "rabbitmq-diagnostics", "rabbitmqctl")

DEBIAN_RABBITMQ = Path("/usr/lib/rabbitmq/bin")
"""Where Debian has RabbitMQ's scripts as they are; those on PATH keep to Debian's own places and user."""

ERLANG = ("erl", "escript", "epmd")
"""What RabbitMQ's scripts run, and its image has on PATH."""


def hatchet_binaries() -> Path | None:
    """The folder with the Hatchet engine's binaries: `$HATCHET_BIN_DIR`, or else one on PATH."""
    given = os.environ.get("HATCHET_BIN_DIR")
    return _first([Path(given)] if given else _path(), HATCHET)


def postgres_binaries() -> Path | None:
    """The folder with PostgreSQL's: on PATH, beside Hatchet's, or Debian's newest."""
    beside = hatchet_binaries()
    versions = sorted(
        (version for version in DEBIAN.glob("*/bin") if version.parent.name.isdigit()),
        key=lambda version: int(version.parent.name),
        reverse=True,
    )
    return _first([*_path(), *([beside] if beside else []), *versions], POSTGRES)


def rabbitmq_binaries() -> Path | None:
    """The folder with RabbitMQ's: Debian's, or else one on PATH."""
    return _first([DEBIAN_RABBITMQ, *_path()], RABBITMQ)


def aws_cli() -> Path | None:
    """The AWS CLI: of this Python's environment, or else on PATH."""
    own = Path(sys.executable).with_name("aws")
    found = str(own) if own.exists() else shutil.which("aws")
    return Path(found) if found else None


def missing() -> str:
    """Why no Hatchet engine can run here, in one line; empty where one can."""
    lacking = []
    if hatchet_binaries() is None:
        place = "HATCHET_BIN_DIR" if os.environ.get("HATCHET_BIN_DIR") else "HATCHET_BIN_DIR nor on PATH"
        lacking.append(
            f"the Hatchet engine's binaries ({', '.join(HATCHET)}) are "
            f"{'not' if place == 'HATCHET_BIN_DIR' else 'neither'} in {place}"
        )
    if postgres_binaries() is None:
        lacking.append(missing_postgres())
    if aws_cli() is None:
        lacking.append("the AWS CLI is neither beside Python nor on PATH")
    return "; ".join(lacking)


def missing_dashboard() -> str:
    """Why no dashboard of an engine can run here, in one line; empty where one can."""
    folder = hatchet_binaries()
    if folder is None:
        return missing()
    return (
        ""
        if os.access(folder / DASHBOARD, os.X_OK)
        else f"{DASHBOARD} is not beside the Hatchet engine's binaries"
    )


def missing_postgres() -> str:
    """Why no PostgreSQL can run here, in one line; empty where one can."""
    if postgres_binaries():
        return ""
    return f"PostgreSQL's binaries ({', '.join(POSTGRES)}) are neither on PATH nor in {DEBIAN}"


def missing_rabbitmq() -> str:
    """Why no RabbitMQ can run here, in one line; empty where one can."""
    if not rabbitmq_binaries():
        return f"RabbitMQ's scripts ({', '.join(RABBITMQ)}) are neither in {DEBIAN_RABBITMQ} nor on PATH"
    erlang = _first(_path(), ERLANG)
    return "" if erlang else f"Erlang's programs ({', '.join(ERLANG)}) are not on PATH"


def _path() -> Iterator[Path]:
    return (Path(folder) for folder in os.get_exec_path())


def _first(folders: Iterable[Path], programs: Iterable[str]) -> Path | None:
    programs = tuple(programs)
    return next(
        (folder for folder in folders if all(os.access(folder / program, os.X_OK) for program in programs)),
        None,
    )


if __name__ == "__main__":
    print(missing())
    sys.exit(bool(missing()))
