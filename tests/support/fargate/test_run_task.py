"""RunTask and StopTask, carried out by the agent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from tests.support.fargate.tasks import Fargate, fargate

SECONDS = 20


@pytest.fixture(scope="module")
def aws(aws: LocalAws) -> LocalAws:
    for cluster in ("workers", "docs-workers"):
        aws.client("ecs").create_cluster(clusterName=cluster)
    return aws


@pytest.fixture
def agent(aws: LocalAws, tmp_path: Path) -> Iterator[Fargate]:
    with fargate(aws, tmp_path, hurry=50) as agent:
        yield agent


@pytest.fixture
def request_task(aws: LocalAws) -> Callable[..., str]:
    """RunTask on Fargate, in a subnet that exists, of a step and an essential container."""
    ec2 = aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]

    def container(name: str, script: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "image": "x",
            "entryPoint": ["/bin/sh", "-c"],
            "command": [script],
            **more,
        }

    def request(
        script: str,
        environment: dict[str, str] | None = None,
        cluster: str = "workers",
        restart: bool = False,
    ) -> str:
        aws.client("ecs").register_task_definition(
            family="token",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[
                container("step", "exit 0", essential=False),
                container(
                    "token",
                    script,
                    dependsOn=[{"containerName": "step", "condition": "SUCCESS"}],
                    stopTimeout=5,
                    restartPolicy={"enabled": restart},
                ),
            ],
        )
        variables = [{"name": name, "value": value} for name, value in (environment or {}).items()]
        network = {"subnets": [subnet], "securityGroups": []}
        arn: str = aws.client("ecs").run_task(
            cluster=cluster,
            taskDefinition="token",
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": "token", "environment": variables}]},
        )["tasks"][0]["taskArn"]
        return arn

    return request


def described(aws: LocalAws, arn: str, until: Callable[[Any], bool]) -> Any:
    limit = time.monotonic() + SECONDS
    while True:
        task = aws.client("ecs").describe_tasks(cluster="workers", tasks=[arn])["tasks"][0]
        if until(task):
            return task
        assert time.monotonic() < limit, task
        time.sleep(0.02)


def test_what_is_requested_is_started_once(
    agent: Fargate, aws: LocalAws, request_task: Callable[..., str]
) -> None:
    elsewhere = request_task("exit 0", cluster="docs-workers")
    arn = request_task("trap 'exit 0' TERM; while :; do sleep 0.02; done")
    assert [task["taskArn"] for task in agent.requested("workers")] == [arn]
    assert [task["taskArn"] for task in agent.requested("docs-workers")] == [elsewhere]
    for _ in range(6):  # moto by itself would have it STOPPED by now
        task = described(aws, arn, lambda task: True)
    assert task["lastStatus"] == "RUNNING"
    with agent.follow_run_task("workers") as tasks:
        described(aws, arn, lambda task: arn in tasks)
        tasks[arn].wait_running(SECONDS)
        assert agent.requested("workers") == []
        assert len(agent.tasks) == 1


def test_the_end_of_a_task_is_described(
    agent: Fargate, aws: LocalAws, request_task: Callable[..., str]
) -> None:
    with agent.follow_run_task("workers") as tasks:
        arn = request_task("echo $NAME; exit $CODE", {"NAME": "a name", "CODE": "3"})
        task = described(aws, arn, lambda task: task["lastStatus"] == "STOPPED")
    assert task["desiredStatus"] == "STOPPED"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert {container["name"]: container["exitCode"] for container in task["containers"]} == {
        "step": 0,
        "token": 3,
    }
    assert {container["lastStatus"] for container in task["containers"]} == {"STOPPED"}
    assert tasks[arn].log("token") == "a name\n"


def test_a_task_is_stopped_by_stop_task(
    agent: Fargate, aws: LocalAws, request_task: Callable[..., str]
) -> None:
    with agent.follow_run_task("workers") as tasks:
        arn = request_task("trap 'exit 5' TERM; echo up; while :; do sleep 0.02; done")
        described(aws, arn, lambda task: arn in tasks and "up" in tasks[arn].log("token"))
        aws.client("ecs").stop_task(cluster="workers", task=arn, reason="enough")
        task = described(
            aws, arn, lambda task: [each.get("exitCode") for each in task["containers"]] == [0, 5]
        )
    assert (task["lastStatus"], task["stoppedReason"]) == ("STOPPED", "enough")


def test_a_task_that_cannot_be_run_fails_the_test(
    agent: Fargate, aws: LocalAws, request_task: Callable[..., str]
) -> None:
    arn = request_task("exit 0", restart=True)
    with pytest.raises(AssertionError, match="restartPolicy"), agent.follow_run_task("workers"):
        pass
    aws.client("ecs").stop_task(cluster="workers", task=arn)
