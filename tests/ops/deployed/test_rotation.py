"""`scythe-aws token --rotate`: the set-up of a self-hosted engine, run once more."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError

from environments.loading import load
from local_aws import LocalAws
from main import synthesize
from ops import cli
from ops.deployed import rotation
from tests.ops.deployed.lab import STEPS, Lab
from tests.support.command import COMMAND, scythe_aws
from tests.support.fargate.tasks import Fargate, fargate


def stores(lab: Lab) -> str:
    """A script for the set-up's last step."""
    return f"aws secretsmanager put-secret-value --secret-id {lab.secret} --secret-string 'made anew'"


@pytest.fixture
def lab(aws: LocalAws, tmp_path: Path) -> Lab:
    return Lab(aws, tmp_path)


@pytest.fixture
def agent(lab: Lab, tmp_path: Path) -> Iterator[Fargate]:
    with fargate(lab.aws, tmp_path / "tasks") as agent:
        yield agent


# --- who makes a token


def test_no_token_is_read_for_an_engine_whose_set_up_makes_it(lab: Lab) -> None:
    reading, writing = os.pipe()
    try:
        result = subprocess.run(
            [COMMAND, "token", lab.file], env=lab.aws.environment, stdin=reading, timeout=60, capture_output=True,
            text=True,
        )  # fmt: skip
    finally:
        os.close(reading)
        os.close(writing)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"{lab.name} hosts Hatchet itself (hatchet.mode: self_hosted), and its set-up makes and stores the token: for another "
        f"one run scythe-aws token {lab.name} --rotate\n"
    )


def test_hatchet_cloud_makes_its_tokens_itself(tmp_path: Path) -> None:
    result = scythe_aws("token", "docs", "--rotate", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "docs is with Hatchet Cloud (hatchet.mode: cloud), whose dashboard makes tokens: make one there, and give it "
        "to scythe-aws token docs\n"
    )


@pytest.mark.parametrize("there", ["cluster", "nothing"])
def test_what_is_not_deployed_is_told(lab: Lab, there: str) -> None:
    if there == "cluster":
        lab.aws.client("ecs").create_cluster(clusterName=lab.cluster)
    result = lab.rotate()
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        result.stderr
        == f"the set-up of {lab.name} is not deployed yet: run cdktf deploy {lab.cluster} first\n"
    )


# --- the task


def test_a_new_token_is_made_by_the_set_up_with_its_own_network(lab: Lab, agent: Fargate) -> None:
    lab.deploy(database="test -n $ROTATE; echo $ROTATE", token=stores(lab))
    with agent.follow_run_task(lab.cluster) as tasks:
        result = lab.rotate()
    assert result.returncode == 0, result.stderr
    ((arn, task),) = tasks.items()
    assert task.exit_codes == dict.fromkeys([*STEPS, "ready"], 0)
    assert task.log("database") == "yes\n"
    assert lab.token == "made anew"
    (described,) = lab.aws.client("ecs").describe_tasks(cluster=lab.cluster, tasks=[arn])["tasks"]
    assert (described["startedBy"], described["launchType"]) == ("scythe-aws-token-rotate", "FARGATE")
    details = {item["name"]: item["value"] for item in described["attachments"][0]["details"]}
    assert details["subnetId"] == lab._network["awsvpcConfiguration"]["subnets"][0]
    assert result.stdout.splitlines() == [
        f"A new token is stored in {lab.secret}.",
        "Started anew with it, each as its tasks end: backlog, simulations.",
        "The token before stays valid until all of them have; a later set-up (one runs each day) then revokes it. "
        "Shells of scythe-aws connect still have it: leave them and connect again.",
        f"simulations: waits for an image (named by environments/{lab.name}.image or the key image) and the deployment "
        f"of {lab.name}-workers.",
        f"Then run: cdktf deploy {lab.name}-workers",
    ]
    id_ = arn.split("/")[-1]
    assert result.stderr.splitlines()[-1] == f"setup task {id_}: stopped"


@pytest.mark.slow
def test_what_it_overrides_is_in_the_set_up(lab: Lab, tmp_path: Path) -> None:
    synthesize([load(lab.file)], tmp_path / "out")
    template = json.loads((tmp_path / "out" / "stacks" / lab.cluster / "cdk.tf.json").read_text())
    (service,) = (
        item for item in template["resource"]["aws_ecs_service"].values() if item["name"] == rotation.SERVICE
    )
    assert "aws_ecs_cluster.hatchet.arn" in service["cluster"]
    definition = template["resource"]["aws_ecs_task_definition"]["setup"]["container_definitions"]
    defined = re.split(r"{ name = \"([a-z]+)\", image = ", definition)[1:]
    texts = dict(zip(defined[::2], defined[1::2], strict=True))
    assert list(texts) == [*STEPS, "workers", "ready"]
    assert list(texts) == list(rotation.STEPS)
    assert 'ROTATE = ""' in texts["database"]
    assert "$ROTATE" in texts["database"]
    assert 'entryPoint = ["sleep"], command = ["86400"]' in texts["ready"]


@pytest.mark.slow
def test_workers_need_not_be_deployed(lab: Lab, agent: Fargate) -> None:
    lab.deploy(workers=False, token=stores(lab))
    with agent.follow_run_task(lab.cluster):
        result = lab.rotate()
    assert result.returncode == 0, result.stderr
    assert "Started anew" not in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scripts", "container", "fault"),
    [
        ({"database": "exit 3"}, "database", "ended with exit code 3 ({reason}); its log: {log}, stream "
         "database/database/{id}"),
        ({"keep": "kill -9 $$"}, "keep", "ended with exit code 137 ({reason}); its log: {log}, stream keep/keep/{id}"),
    ],
)  # fmt: skip
def test_a_step_that_fails_is_named_with_its_log(
    lab: Lab, agent: Fargate, scripts: dict[str, str], container: str, fault: str
) -> None:
    lab.deploy(**scripts)
    with agent.follow_run_task(lab.cluster) as tasks:
        result = lab.rotate()
    assert (result.returncode, result.stdout) == (1, "")
    (arn,) = tasks
    fault = fault.format(reason="Task failed to start", log=lab.log, id=arn.split("/")[-1])
    assert result.stderr.splitlines()[-1] == (
        f"the set-up's container {container} {fault}; the token before stays valid, as long as it was"
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ({"reason": "CannotPullContainerError: no such image"}, "CannotPullContainerError: no such image"),
        ({}, "Task failed to start"),
    ],
)
def test_a_container_that_never_ran_is_named(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    reason: dict[str, str], said: str,
) -> None:  # fmt: skip
    lab.deploy()
    states = [{"name": name, **(reason if name == "keys" else {})} for name in STEPS]
    described = {"lastStatus": "STOPPED", "stoppedReason": "Task failed to start", "containers": states}
    answer(
        monkeypatch,
        "DescribeTasks",
        lambda parameters: {"tasks": [{"taskArn": parameters["tasks"][0], **described}]},
    )
    assert in_process(lab, monkeypatch) == 1
    named = "keys" if reason else "migrations"
    assert (
        f"the set-up's container {named} never ran to an end ({said}); logs: log group"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("states", "named", "fault"),
    [
        # The one that failed, and those that never started, which ECS has stopped.
        ({"keep": 1, "database": 143, "token": 143, "ready": 143}, "keep", "ended with exit code 1"),
        (
            {"keep": "CannotPullContainerError", "database": 143, "token": 143},
            "keep",
            "never ran to an end (Cannot",
        ),
        # Beside it another was at work, and was stopped.
        ({"migrations": 143, "keys": 2, "keep": 143}, "keys", "ended with exit code 2"),
        # Stopped from outside, in the midst of it.
        ({"database": 143, "token": 143, "ready": None}, "database", "ended with exit code 143"),
        ({"keep": 137, "database": 143}, "keep", "ended with exit code 137"),
    ],
)
def test_what_was_only_stopped_is_not_named(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    states: dict[str, int | str | None], named: str, fault: str,
) -> None:  # fmt: skip
    lab.deploy()
    described: list[dict[str, Any]] = []
    for name in ("ready", *reversed(STEPS)):
        state = states.get(name, 0)
        seen = {"exitCode": state} if isinstance(state, int) else {"reason": state} if state else {}
        described.append({"name": name, **seen})
    answer(
        monkeypatch, "DescribeTasks",
        lambda parameters: {"tasks": [{
            "taskArn": parameters["tasks"][0], "lastStatus": "STOPPED", "stoppedReason": "a step failed",
            "containers": described,
        }]},
    )  # fmt: skip
    assert in_process(lab, monkeypatch) == 1
    assert f"the set-up's container {named} {fault}" in capsys.readouterr().err


# --- what stands in the way


def answer(monkeypatch: pytest.MonkeyPatch, operation: str, how: Any) -> None:
    """Answer an operation of AWS's in its place."""
    call = botocore.client.BaseClient._make_api_call

    def answered(self: Any, name: str, parameters: dict[str, Any]) -> Any:
        return how(parameters) if name == operation else call(self, name, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answered)


def refuse(operation: str) -> Any:
    def refused(_: dict[str, Any]) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no, and why"}}, operation)

    return refused


def in_process(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command in this process; gives its exit status."""
    for name, value in lab.aws.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["scythe-aws", "token", str(lab.file), "--rotate"])
    monkeypatch.setattr(rotation, "POLL_SECONDS", 0.05)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(str(ended.value.code))


@pytest.mark.parametrize(
    ("operation", "goes_on"),
    [("DescribeServices", False), ("ListServices", False), ("RunTask", False), ("DescribeTasks", True)],
)
def test_a_caller_without_rights_is_told_which(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    goes_on: bool,
) -> None:
    lab.deploy()
    answer(monkeypatch, operation, refuse(operation))
    assert in_process(lab, monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"AWS refuses {operation} to these credentials: no, and why")
    assert (f"goes on; {lab.log} says how it ends" in line) is goes_on
    assert bool(lab.aws.client("ecs").list_tasks(cluster=lab.cluster)["taskArns"]) is goes_on


def test_a_task_that_ecs_does_not_start_is_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.deploy()
    failures = [{"reason": "RESOURCE:CPU"}]
    answer(monkeypatch, "RunTask", lambda _: {"tasks": [], "failures": failures})
    assert in_process(lab, monkeypatch) == 1
    assert capsys.readouterr().err == "ECS starts no task of the set-up: RESOURCE:CPU\n"


def test_it_does_not_wait_for_ever(
    lab: Lab, agent: Fargate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.deploy()
    monkeypatch.setattr(rotation, "LIMIT_SECONDS", 0.2)
    assert in_process(lab, monkeypatch) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("it takes more than 0 minutes: task ")
    assert last.endswith(f" in {lab.cluster} goes on; {lab.log} says how it ends")


def test_interrupted_it_says_that_the_task_goes_on(lab: Lab, agent: Fargate) -> None:
    lab.deploy()
    with subprocess.Popen(
        [COMMAND, "token", lab.file, "--rotate"], env=lab.aws.environment, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stderr
        first = command.stderr.readline()
        command.send_signal(signal.SIGINT)
        rest = command.stderr.read()
    assert command.returncode == 130
    (arn,) = lab.aws.client("ecs").list_tasks(cluster=lab.cluster)["taskArns"]
    id_ = arn.split("/")[-1]
    assert first == f"setup task {id_}: running\n"
    assert rest == (f"Interrupted: task {id_} in {lab.cluster} goes on; {lab.log} says how it ends\n")
