"""The command `scythe-aws` as people type it, in a process of its own."""

from __future__ import annotations

import atexit
import base64
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMAND = Path(sys.executable).with_name("scythe-aws")


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "boto3",
        *(f"ops.commands.{name}" for name in ("connect", "download", "forward", "image", "logs", "mirror")),
        *(f"ops.commands.{name}" for name in ("status", "stop", "token", "validate")),
    ]
)
"""What commands load, loaded once: a second of processor time for each of some 300. None of it starts jsii."""


def scythe_aws(
    *arguments: str | Path, cwd: Path, environment: Mapping[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Args:
        arguments: what is typed after `scythe-aws`.
        cwd: where.
        environment: its whole environment; this process's own without any AWS settings by default.
        given: its standard input.
    """
    typed = [str(COMMAND), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(given)
        process = _FORKS.Process(target=_run, args=(typed, cwd, environment or nowhere(), streams))
        process.start()
        process.join()
        result = subprocess.CompletedProcess(
            typed, process.exitcode or 0, streams[1].read_text(), streams[2].read_text()
        )
    process.close()
    assert "Traceback" not in result.stderr, result.stderr
    return result


def _run(typed: list[str], cwd: Path, environment: Mapping[str, str], streams: Sequence[Path]) -> None:
    """Become the command: its streams, its folder, its environment."""
    sys.stdin, sys.stdout = (path.open(mode) for path, mode in zip(streams, "ra", strict=False))
    sys.stderr = streams[2].open(
        "a", buffering=1
    )  # as Python has it: a program that takes over loses no line
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        os.dup2(stream.fileno(), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = typed

    from ops.cli import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()


def nowhere() -> dict[str, str]:
    """This process's environment without credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def client_token(**claims: object) -> str:
    """A token as Hatchet makes them, signed by nobody."""
    body = {
        "sub": "707d0855-80ab-4e1f-a156-f1c4546cbf52",
        "server_url": "https://cloud.onhatchet.run",
        "grpc_broadcast_address": "engine.cloud.onhatchet.run:443",
        "exp": int(time.time()) + 3600,
        **claims,
    }
    parts = ({"alg": "ES256"}, {key: value for key, value in body.items() if value is not None})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])
