"""`scythe-aws connect` where the engine is one's own: what its token does not say."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import create_server

import pytest

from local_aws import LocalAws
from modules.hatchet.client import GRPC, HTTP
from ops.commands.forward import is_reached
from tests.support.command import client_token, scythe_aws

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
BYTES = str(32 * 1024 * 1024)
HINT = "lab has no domain: Hatchet is reached while scythe-aws forward {file} runs in another terminal, which is not so yet\n"


@pytest.fixture(scope="module")
def aws(aws: LocalAws) -> LocalAws:
    """A local AWS with what `-storage` makes for `lab`, and a token that an engine without a domain issued."""
    for name in ("lab", "new"):
        aws.client("s3").create_bucket(Bucket=f"{name}-scythe-{aws.account_id}-us-east-1")
        aws.client("secretsmanager").create_secret(Name=f"{name}/hatchet-client-token")
    token = client_token(server_url="http://localhost:8080", grpc_broadcast_address="localhost:7070")
    aws.client("secretsmanager").put_secret_value(SecretId="lab/hatchet-client-token", SecretString=token)
    return aws


def connect(
    aws: LocalAws, folder: Path, program: str, *, name: str = "lab", more: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    file = folder / f"{name}.yaml"
    file.write_text(
        f"name: {name}\nhatchet: {{mode: self_hosted{more}}}\nworkers: {{sims: {{role: leaf}}}}\n"
    )
    return scythe_aws(
        "connect",
        file,
        "--",
        sys.executable,
        "-c",
        program,
        cwd=folder,
        environment=aws.environment | variables,
    )


def test_without_a_domain_it_speaks_plainly_with_a_forwarded_port(aws: LocalAws, tmp_path: Path) -> None:
    result = connect(
        aws, tmp_path, SHOW, HATCHET_CLIENT_TLS_STRATEGY="tls", HATCHET_CLIENT_TLS_SERVER_NAME="x"
    )
    assert result.returncode == 0, result.stderr
    given = json.loads(result.stdout)
    assert given["HATCHET_CLIENT_TLS_STRATEGY"] == "none"
    assert given["HATCHET_CLIENT_TLS_SERVER_NAME"] == "localhost"
    assert given["HATCHET_CLIENT_GRPC_MAX_RECV_MESSAGE_LENGTH"] == BYTES
    assert given["HATCHET_CLIENT_GRPC_MAX_SEND_MESSAGE_LENGTH"] == BYTES


@pytest.mark.slow
def test_the_sdk_reads_it(aws: LocalAws, tmp_path: Path) -> None:
    program = (
        "from hatchet_sdk import ClientConfig as C; c = C(); print(c.host_port, c.server_url, c.tls_config.strategy, "
        "c.grpc_max_recv_message_length, c.grpc_max_send_message_length)"
    )
    result = connect(aws, tmp_path, program)
    assert result.stdout.split() == ["localhost:7070", "http://localhost:8080", "none", BYTES, BYTES], (
        result.stderr
    )


def test_with_a_domain_it_speaks_tls(aws: LocalAws, tmp_path: Path) -> None:
    domain = ", domain: hatchet.example.org, zone_id: Z0123456789ABC"
    result = connect(aws, tmp_path, SHOW, more=domain, HATCHET_CLIENT_TLS_STRATEGY="none")
    assert (result.returncode, result.stderr) == (0, "")
    given = json.loads(result.stdout)
    assert given["HATCHET_CLIENT_TLS_STRATEGY"] == "tls"
    assert given["HATCHET_CLIENT_GRPC_MAX_RECV_MESSAGE_LENGTH"] == BYTES


def test_it_says_how_ports_are_forwarded_where_they_are_not(aws: LocalAws, tmp_path: Path) -> None:
    if not is_reached():
        assert connect(aws, tmp_path, "").stderr == HINT.format(file=tmp_path / "lab.yaml")
    with ExitStack() as listening:
        for port in (GRPC, HTTP):
            with suppress(OSError):  # whoever has it will do
                listening.enter_context(create_server(("127.0.0.1", port)))
        assert connect(aws, tmp_path, "").stderr == ""


def test_a_token_that_is_not_made_yet_is_told(aws: LocalAws, tmp_path: Path) -> None:
    result = connect(aws, tmp_path, "", name="new")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "no token is stored in new/hatchet-client-token yet: Hatchet's set-up makes it when new-hatchet is deployed (its "
        "steps: log group /scythe/new/hatchet)\n"
    )
