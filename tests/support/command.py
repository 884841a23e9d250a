"""The command `scythe-aws` as people type it, in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

COMMAND = Path(sys.executable).with_name("scythe-aws")


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
    result = subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment or nowhere(),
        input=given,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result


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
