"""`scythe-aws connect`: what it gives to a command, and with which rights."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.client
import botocore.exceptions
import pytest

from environments.loading import load
from local_aws import LocalAws
from ops.commands.connect import variables_of
from ops.errors import CommandError
from tests.ops.commands.test_token import lab
from tests.support.command import client_token, scythe_aws
from tests.support.deployed import Deployed
from tests.support.tools.iam import Simulation

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@dataclass
class Place:
    """An environment whose storage is deployed.

    Attributes:
        aws: where.
        folder: holds `lab.yaml` in `environments`, `cdktf.out`, `state`, and what commands write.
        policy: the researchers'.
        secret_arn: the token's secret.
    """

    aws: LocalAws
    folder: Path
    policy: str
    secret_arn: str

    @property
    def file(self) -> Path:
        return self.folder / "environments" / "lab.yaml"

    def run(self, *arguments: str | Path, given: str = "", **variables: str) -> Any:
        return scythe_aws(
            *arguments, cwd=self.folder, environment=self.aws.environment | variables, given=given
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("connect")
    with LocalAws.start(log=folder / "local-aws.log") as aws:
        deployed = Deployed.synthesized(aws, folder, lab(aws))
        deployed.apply(["network", "storage"])
        outputs = deployed.terraform("storage").outputs()
        yield Place(aws, folder, outputs["researcher_policy"], outputs["token_secret_arn"])


# --- what is missing (before a token is stored)


@pytest.mark.slow
def test_what_is_not_deployed_is_told(place: Place) -> None:
    result = place.run("connect", "docs", "--", "true")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"the bucket docs-scythe-{place.aws.account_id}-us-east-1 does not exist: "
        "run cdktf deploy docs-storage first\n"
    )


@pytest.mark.slow
def test_a_missing_token_is_told(place: Place) -> None:
    result = place.run("connect", place.file, "--", "true")
    assert result.returncode == 2
    assert result.stderr == (
        "no token is stored in lab/hatchet-client-token yet: run scythe-aws token lab first\n"
    )


# --- what a command gets


@pytest.fixture
def token(place: Place) -> str:
    """A stored token."""
    value = client_token(canary="in-no-file")
    place.aws.client("secretsmanager").put_secret_value(SecretId=place.secret_arn, SecretString=value)
    return value


@pytest.mark.slow
def test_the_command_has_what_the_allocator_reads(place: Place, token: str) -> None:
    result = place.run(
        "connect", place.file, "--", sys.executable, "-c", SHOW,
        OTHER="kept", HATCHET_CLIENT_HOST_PORT="engine.of.another:443", AWS_DEFAULT_REGION="eu-west-1",
        hatchet_client_server_url="https://engine.of.another", Scythe_Storage_Bucket="of-another",
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    given = json.loads(result.stdout)
    assert given["SCYTHE_STORAGE_BUCKET"] == "results-of-the-lab"
    assert given["SCYTHE_STORAGE_BUCKET_PREFIX"] == "scythe"
    assert given["AWS_DEFAULT_REGION"] == "us-east-1"
    assert given["HATCHET_CLIENT_TOKEN"] == token
    assert given["OTHER"] == "kept"
    assert given["HATCHET_CLIENT_HOST_PORT"] == "engine.cloud.onhatchet.run:443"
    assert not {"hatchet_client_server_url", "Scythe_Storage_Bucket"} & given.keys()


@pytest.mark.slow
def test_scythe_engine_and_the_sdk_read_it(place: Place, token: str) -> None:
    program = (
        "from scythe.settings import ScytheStorageSettings as S; from hatchet_sdk import ClientConfig as C; "
        "c = C(); print(S().BUCKET, S().BUCKET_PREFIX, c.host_port, c.server_url, c.tenant_id, repr(c.namespace), "
        "c.tls_config.strategy, c.tls_config.server_name, repr(c.tls_config.root_ca_file))"
    )
    others = {
        "TOKEN": client_token(sub="other"), "HOST_PORT": "localhost:1", "SERVER_URL": "http://localhost:1", "TENANT_ID": "x",
        "NAMESPACE": "x", "TLS_STRATEGY": "none", "TLS_SERVER_NAME": "x", "TLS_ROOT_CA_FILE": "x",
    }  # fmt: skip
    lines = "".join(f"HATCHET_CLIENT_{name}={value}\n" for name, value in others.items())
    files = [place.folder / name for name in (".env", ".env.hatchet", ".env.dev", ".env.local")]
    for file in files:
        file.write_text(f"{lines}SCYTHE_STORAGE_BUCKET=x\n")
    result = place.run("connect", place.file, "--", sys.executable, "-c", program)
    for file in files:
        file.unlink()
    assert result.stdout.split() == [
        "results-of-the-lab", "scythe", "engine.cloud.onhatchet.run:443", "https://cloud.onhatchet.run",
        "707d0855-80ab-4e1f-a156-f1c4546cbf52", "''", "tls", "engine.cloud.onhatchet.run", "''",
    ], result.stderr  # fmt: skip


@pytest.mark.slow
def test_the_exit_status_is_the_commands(place: Place, token: str) -> None:
    assert place.run("connect", place.file, "--", "sh", "-c", "exit 7").returncode == 7
    assert place.run("connect", place.file, "--", "sh", "-c", "kill -TERM $$").returncode == -15
    missing = place.run("connect", place.file, "--", "no-such-command")
    assert (missing.returncode, missing.stderr) == (2, "no-such-command: there is no such command\n")


@pytest.mark.slow
def test_without_a_command_it_is_the_shell(place: Place, token: str) -> None:
    result = place.run("connect", place.file, given="echo $SCYTHE_STORAGE_BUCKET\n", SHELL="/bin/sh")
    assert (result.returncode, result.stdout) == (0, "results-of-the-lab\n")


# --- rights


def questions(
    calls: list[tuple[str, str, dict[str, Any]]], secret_arn: str
) -> Iterator[tuple[str, str, Any]]:
    """What IAM is asked at each call (Service Authorization Reference): action, resource, context."""
    for service, operation, parameters in calls:
        match service, operation:
            case "sts", "GetCallerIdentity":
                continue  # needs no permission (AWS STS API Reference, GetCallerIdentity)
            case "s3", "ListObjectsV2":
                resource = f"arn:aws:s3:::{parameters['Bucket']}"
                yield "s3:ListBucket", resource, {"s3:prefix": parameters["Prefix"]}
            case "secretsmanager", "GetSecretValue":
                assert parameters["SecretId"] == "lab/hatchet-client-token"
                yield "secretsmanager:GetSecretValue", secret_arn, {}
            case _:
                raise AssertionError(f"{service} {operation} is new here")


@pytest.mark.slow
def test_the_researchers_policy_is_enough_and_no_more(
    place: Place, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = []
    call = botocore.client.BaseClient._make_api_call

    def recorded(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        calls.append((self.meta.service_model.service_name, operation, parameters))
        return call(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)
    for name, value in place.aws.variables.items():
        monkeypatch.setenv(name, value)
    variables_of(load(place.file), {})

    asked = list(questions(calls, place.secret_arn))
    assert [action for action, _, _ in asked] == ["s3:ListBucket", "secretsmanager:GetSecretValue"]
    researcher = Simulation(identity_policies=[place.policy])
    for question in asked:
        assert researcher.allows(*question), question
    assert not researcher.allows("s3:ListBucket", "arn:aws:s3:::results-of-the-lab", {"s3:prefix": "other/"})
    assert not researcher.allows("secretsmanager:PutSecretValue", place.secret_arn)
    for lacking in range(len(json.loads(place.policy)["Statement"])):
        document = json.loads(place.policy)
        lost = document["Statement"].pop(lacking)
        poorer = Simulation(identity_policies=[document])
        refused = [action for action, *rest in asked if not poorer.allows(action, *rest)]
        assert refused == [action for action, _, _ in asked if action in lost["Action"]]


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("ListObjectsV2", "may not list results-of-the-lab/scythe (s3:ListBucket): attach the policy lab-researcher-us-east-1"),
        ("GetSecretValue", "(secretsmanager:GetSecretValue), or it is not there: attach the policy lab-researcher-us-east-1"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_caller_without_rights_is_told_which(
    place: Place, monkeypatch: pytest.MonkeyPatch, operation: str, said: str
) -> None:
    call = botocore.client.BaseClient._make_api_call

    def refusing(self: Any, name: str, parameters: dict[str, Any]) -> Any:
        if name != operation:
            return call(self, name, parameters)
        answer = {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}
        raise botocore.exceptions.ClientError(answer, name)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refusing)
    for name, value in place.aws.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError) as refused:
        variables_of(load(place.file), {})
    assert said in str(refused.value)


# --- the canary


@pytest.mark.slow
def test_the_token_is_in_no_file_and_no_output(place: Place) -> None:
    canary = client_token(canary="sings-nowhere")
    parts = [part.encode() for part in canary.split(".")[1:2]]
    stored = place.run("token", place.file, given=f"{canary}\n")
    assert stored.returncode == 0, stored.stderr
    secret = place.aws.client("secretsmanager").get_secret_value(SecretId=place.secret_arn)
    assert secret["SecretString"] == canary
    connected = place.run(
        "connect", place.file, "--", "sh", "-c", "test -n $HATCHET_CLIENT_TOKEN", HOME=str(place.folder)
    )
    assert connected.returncode == 0
    deployed = Deployed(place.aws, place.folder, load(place.file))
    assert place.run("synth", place.file).returncode == 0
    deployed.apply(["workers"])
    deployed.plan("workers")
    deployed.plan_json("workers")

    for said in (stored, connected):
        assert not any(part in (said.stdout + said.stderr).encode() for part in parts)
    files = [path for path in place.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"lab-workers.tfstate", "local-aws.log", "plan.json"} <= {path.name for path in files}
    holding = [path for path in files if any(part in path.read_bytes() for part in parts)]
    assert not holding
