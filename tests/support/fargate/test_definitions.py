"""What a task definition says, as its containers find it on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from tests.support.fargate.definitions import refusals
from tests.support.fargate.shells import SECONDS, after, mount, register, run, shell
from tests.support.fargate.tasks import Fargate, fargate


@pytest.fixture(scope="module")
def aws(aws: LocalAws) -> LocalAws:
    aws.client("ecs").create_cluster(clusterName="engine")
    return aws


@pytest.fixture
def agent(aws: LocalAws, tmp_path: Path) -> Iterator[Fargate]:
    places = {"db.internal": "127.0.0.1", "db.internal:5432": "127.0.0.1:6000"}
    with fargate(aws, tmp_path, programs={"/image/cat": "/bin/cat"}, places=places) as agent:
        yield agent


def test_secrets_are_read_at_the_start(agent: Fargate, aws: LocalAws) -> None:
    secrets = aws.client("secretsmanager")
    password = "a\"b'c$(d)`e` db.internal:5432/x"
    values = {"password": password, "port": 5432}
    arn = secrets.create_secret(Name="database", SecretString=json.dumps(values))["ARN"]
    stage = secrets.put_secret_value(
        SecretId=arn, SecretString='{"password": "new"}', VersionStages=["AWSPENDING"]
    )
    wanted = {
        "ALL": arn,
        "PASSWORD": f"{arn}:password::",
        "PORT": f"{arn}:port::",
        "STAGE": f"{arn}:password:AWSPENDING:",
        "VERSION": f"{arn}:password::{stage['VersionId']}",
    }
    task = run(
        agent,
        aws,
        shell(
            "engine",
            "; echo; ".join(f'printf %s "${name}"' for name in wanted),
            essential=True,
            secrets=[{"name": name, "valueFrom": value} for name, value in wanted.items()],
        ),
    )
    assert task.wait_stopped(SECONDS) == {"engine": 0}
    here = password.replace("db.internal:5432", "127.0.0.1:6000")
    assert task.log("engine").splitlines() == [
        json.dumps({**values, "password": here}),
        here,
        "5432",
        "new",
        "new",
    ]


def test_a_secret_without_a_value_stops_the_task_before_anything_starts(
    agent: Fargate, aws: LocalAws
) -> None:
    secrets = aws.client("secretsmanager")
    empty = secrets.create_secret(Name="empty")["ARN"]
    other = secrets.create_secret(Name="other", SecretString='{"a": "b"}')["ARN"]
    for value_from, reason in (
        (empty, "ResourceNotFoundException"),
        (f"{other}:password::", "json key password"),
    ):
        task = run(
            agent,
            aws,
            shell("migrate", "echo started"),
            shell("engine", "true", essential=True, secrets=[{"name": "PASSWORD", "valueFrom": value_from}]),
        )
        assert task.wait_stopped(SECONDS) == {}
        assert task.stopped_reason.startswith("ResourceInitializationError: unable to pull secrets")
        assert reason in task.stopped_reason
        assert task.log("migrate") == ""


def test_texts_of_this_machine_stand_for_hosts_programs_and_volumes(
    agent: Fargate, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_TESTS", "own")
    script = '/image/cat /config/a; echo "$URL" "$FILE" /image/catalogue ${OF_THE_TESTS-unset} $AWS_ENDPOINT_URL; ls'
    variables = {"URL": "db.internal:5432 db.internal:54321 my-db.internal", "FILE": "/config/a /my/config"}
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    task = run(
        agent,
        aws,
        shell("write", "echo content > /config/a", **mount("config")),
        shell(
            "engine",
            script,
            essential=True,
            dependsOn=after(write="SUCCESS"),
            environment=environment,
            **mount("config"),
        ),
        volumes=("config",),
    )
    assert task.wait_stopped(SECONDS) == {"write": 0, "engine": 0}, str(task)
    content, line = task.log("engine").splitlines()  # and `ls` shows nothing
    url, other_port, other_host, file, *rest = line.split()
    assert (content, url, other_port) == ("content", "127.0.0.1:6000", "127.0.0.1:54321")
    assert Path(file).read_text() == "content\n"
    assert [other_host, *rest] == [
        "my-db.internal",
        "/my/config",
        "/image/catalogue",
        "unset",
        aws.endpoint_url,
    ]


def efs(access_point: str, **more: str) -> dict[str, Any]:
    """The volume `data` on EFS."""
    access = {"accessPointId": access_point, "iam": "ENABLED"}
    said = {"fileSystemId": "fs-0", "authorizationConfig": access, "transitEncryption": "ENABLED", **more}
    return {"name": "data", "efsVolumeConfiguration": said}


def test_files_on_efs_outlive_tasks(aws: LocalAws, tmp_path: Path) -> None:
    container = shell("broker", "cat /data/a; echo kept > /data/a", essential=True, **mount("data"))
    files = {name: tmp_path / name for name in ("fsap-a", "fsap-b")}
    said = []
    with fargate(aws, tmp_path / "tasks", files=files) as agent:
        for access_point in ("fsap-a", "fsap-a", "fsap-b"):
            task = run(agent, aws, container, volumes=[efs(access_point)])
            assert task.wait_stopped(SECONDS) == {"broker": 0}
            said.append(task.log("broker"))
        assert [line == "kept\n" for line in said] == [False, True, False]
        with pytest.raises(AssertionError, match="no directory is here for the access point fsap-c"):
            run(agent, aws, container, volumes=[efs("fsap-c")])
    for volume, fault in (
        (efs("fsap-a", transitEncryption="DISABLED"), "takes transit encryption"),
        (efs("fsap-a", rootDirectory="/a"), "a root directory of its own"),
    ):
        (found,) = refused(container, volumes=[volume], files=files)
        assert fault in found


def test_overrides(agent: Fargate, aws: LocalAws) -> None:
    arn = register(
        aws,
        shell(
            "token",
            'echo "$NAME $KEPT"',
            essential=True,
            environment=[{"name": "NAME", "value": "a"}, {"name": "KEPT", "value": "b"}],
        ),
    )
    changed = {"name": "token", "environment": [{"name": "NAME", "value": "c"}]}
    other = {"name": "token", "command": ["echo other"]}
    for override, said in ((changed, "c b\n"), (other, "other\n")):
        task = agent.run("engine", arn, {"containerOverrides": [override]})
        task.wait_stopped(SECONDS)
        assert task.log("token") == said
    with pytest.raises(AssertionError, match="InvalidParameterException"):
        agent.run("engine", arn, {"containerOverrides": [{"name": "none"}]})


def refused(
    *containers: dict[str, Any], volumes: Sequence[Any] = (), files: Mapping[str, Path] | None = None
) -> list[str]:
    """What the agent says of a task definition that the local AWS refuses first."""
    described = [{"environment": [], **container} for container in containers]
    return refusals({"containerDefinitions": described, "volumes": volumes}, files or {})


def test_what_ecs_refuses() -> None:
    pair = [{"name": "A", "value": "a"}]
    found = refused(
        shell("a", "", dependsOn=after(b="SUCCESS", none="START"), environment=pair),
        shell("b", "", essential=True, stopTimeout=121, dependsOn=after(a="HEALTHY")),
    )
    for fault in (
        "SUCCESS of b, which is essential",
        "none, which is not in",
        "no health check",
        "120",
        "each other",
    ):
        assert fault in str(found)
