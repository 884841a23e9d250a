"""Task definitions of small shell scripts, for the agent's own tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from local_aws import LocalAws
from tests.support.fargate.task import Task
from tests.support.fargate.tasks import Fargate

SECONDS = 20
"""The longest that anything here may take."""

FOREVER = "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done"


def shell(name: str, script: str, *, essential: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "image": "x",
        "entryPoint": ["/bin/sh", "-c"],
        "command": [script],
        "essential": essential,
        "stopTimeout": 5,
        **more,
    }


def after(**conditions: str) -> list[dict[str, str]]:
    return [{"containerName": name, "condition": condition} for name, condition in conditions.items()]


def register(aws: LocalAws, *containers: dict[str, Any], volumes: Sequence[str | dict[str, Any]] = ()) -> str:
    """Make a task definition; a volume is a name, or all that is said of it."""
    secrets = any("secrets" in container for container in containers)
    role = {"executionRoleArn": _execution_role(aws)} if secrets else {}
    arn: str = aws.client("ecs").register_task_definition(
        family="engine",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=list(containers),
        volumes=[{"name": each} if isinstance(each, str) else each for each in volumes],
        **role,
    )["taskDefinition"]["taskDefinitionArn"]
    return arn


def _execution_role(aws: LocalAws) -> str:
    """A role, without which ECS takes no secrets."""
    iam = aws.client("iam")
    roles = [role for role in iam.list_roles()["Roles"] if role["RoleName"] == "execution"]
    role = roles[0] if roles else iam.create_role(RoleName="execution", AssumeRolePolicyDocument="{}")["Role"]
    arn: str = role["Arn"]
    return arn


def run(
    agent: Fargate, aws: LocalAws, *containers: dict[str, Any], volumes: Sequence[str | dict[str, Any]] = ()
) -> Task:
    return agent.run("engine", register(aws, *containers, volumes=volumes))


def mount(volume: str) -> dict[str, Any]:
    return {"mountPoints": [{"sourceVolume": volume, "containerPath": f"/{volume}"}]}


def wait_for(task: Task, container: str, text: str) -> None:
    wait_until(task, lambda: text in task.log(container))


def wait_until(task: Task, condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, str(task)
        time.sleep(0.02)
