"""``scythe-aws token --rotate``: have a self-hosted engine's set-up make another client token, now."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.status import Status
from rich.text import Text

from environments.schema import Environment
from ops.deployed.aws import Caller, code, explain_refusal
from ops.deployed.services import active_services
from ops.errors import INTERRUPTED, CommandError

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ContainerTypeDef, ServiceTypeDef, TaskOverrideTypeDef, TaskTypeDef

SERVICE = "setup"
STARTED_BY = "scythe-aws-token-rotate"

STEPS = ("migrations", "keys", "keep", "database", "token", "workers", "ready")
"""The set-up's containers, each after those that it waits for; ECS gives them in no order."""

BESIDE = "workers"
"""The container that ECS stops at the end of the last step, which does not wait for it."""

STOPPED = 143
POLL_SECONDS = 2.0
LIMIT_SECONDS = 30 * 60.0
"""As long as a deployment of the set-up may take."""

OVERRIDES: TaskOverrideTypeDef = {
    "containerOverrides": [
        {"name": "database", "environment": [{"name": "ROTATE", "value": "yes"}]},
        # RunTask cannot change its entry point, which is sleep.
        {"name": "ready", "command": ["0"]},
    ]
}
"""The set-up as always, but that it makes a token whatever is stored, and does not stay for a day."""


def rotate(caller: Caller, environment: Environment) -> list[str]:
    """Run the set-up's task once more, with a new token wanted, and wait for its end.

    Returns:
        The names of the workers' services, all of which start anew with the token.

    Raises:
        CommandError: the set-up is not deployed; or, with status 1, the task failed or takes too long.
    """
    return _Rotation(caller, environment).run()


class _Rotation:
    def __init__(self, caller: Caller, environment: Environment) -> None:
        self._environment = environment
        self._cluster = f"{environment.name}-hatchet"
        self._ecs = caller.session.client("ecs")

    def run(self) -> list[str]:
        set_up = self._deployed()
        # Before anything begins: a caller who may not ask is refused in time.
        workers = self._workers()
        task = self._start(set_up)
        with self._goes_on(task):
            ended = self._wait(task)
        self._require_success(ended)
        return workers

    def _deployed(self) -> ServiceTypeDef:
        deployed = active_services(self._ecs, self._cluster, [SERVICE])
        if SERVICE in deployed:
            return deployed[SERVICE]
        name = self._environment.name
        raise CommandError(f"the set-up of {name} is not deployed yet: run cdktf deploy {name}-hatchet first")

    def _workers(self) -> list[str]:
        """The names of the services in the workers' cluster; none where it is not deployed."""
        pages = self._ecs.get_paginator("list_services").paginate(cluster=f"{self._environment.name}-workers")
        try:
            return sorted(arn.split("/")[-1] for page in pages for arn in page["serviceArns"])
        except ClientError as error:
            if code(error) == "ClusterNotFoundException":
                return []
            raise

    def _start(self, set_up: ServiceTypeDef) -> str:
        """Start the task that the service runs, where it runs it; gives its ARN."""
        answer = self._ecs.run_task(
            cluster=self._cluster,
            taskDefinition=set_up["taskDefinition"],
            launchType="FARGATE",
            networkConfiguration=set_up["networkConfiguration"],
            overrides=OVERRIDES,
            startedBy=STARTED_BY,
            enableECSManagedTags=True,
            propagateTags="TASK_DEFINITION",
        )
        if not answer["tasks"]:
            reasons = [failure.get("detail") or failure.get("reason", "") for failure in answer["failures"]]
            raise CommandError(
                f"ECS starts no task of the set-up: {'; '.join(reasons) or 'no reason given'}", 1
            )
        return answer["tasks"][0]["taskArn"]

    @contextmanager
    def _goes_on(self, task: str) -> Iterator[None]:
        """Say that the task goes on where this command ends before it."""
        where = f"task {_id(task)} in {self._cluster} goes on; {self._log_group} says how it ends"
        try:
            yield
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted: {where}", INTERRUPTED) from None
        except TimeoutError:
            raise CommandError(f"it takes more than {LIMIT_SECONDS / 60:.0f} minutes: {where}", 1) from None
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"{explain_refusal(error)} ({where})") from None

    def _wait(self, arn: str) -> TaskTypeDef:
        """The task, once it has stopped."""
        until = time.monotonic() + LIMIT_SECONDS
        with _Progress(f"{SERVICE} task {_id(arn)}") as progress:
            while time.monotonic() < until:
                # ECS may not know a task yet that it has just started (Amazon ECS API, RunTask).
                for task in self._ecs.describe_tasks(cluster=self._cluster, tasks=[arn])["tasks"]:
                    progress.show(_state(task))
                    if task["lastStatus"] == "STOPPED":
                        return task
                time.sleep(POLL_SECONDS)
        raise TimeoutError

    def _require_success(self, task: TaskTypeDef) -> None:
        failed = sorted(
            (
                container
                for container in task["containers"]
                if container["name"] != BESIDE and container.get("exitCode") != 0
            ),
            key=lambda container: (_rank(container), _place(container)),
        )
        if not failed and task["containers"]:
            return
        stopped = task.get("stoppedReason") or "no reason given"
        if not failed:
            raise CommandError(f"the set-up started no container: {stopped}", 1)
        container = failed[0]
        name, reason = container["name"], container.get("reason") or stopped
        if "exitCode" in container:
            fault = (
                f"ended with exit code {container['exitCode']} ({reason}); its log: {self._log_group}, stream "
                f"{name}/{name}/{_id(task['taskArn'])}"
            )
        else:
            fault = f"never ran to an end ({reason}); logs: {self._log_group}, streams {name}/"
        raise CommandError(
            f"the set-up's container {name} {fault}; the token before stays valid, as long as it was", 1
        )

    @property
    def _log_group(self) -> str:
        return f"log group /scythe/{self._environment.name}/hatchet"


class _Progress:
    """How far a task is: in place on a terminal, else a line for each change; on standard error."""

    def __init__(self, what: str) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._status = Status(Text(f"{what}: requested"), console=self._console)
        self._what = what
        self._shown = ""

    def __enter__(self) -> _Progress:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def show(self, state: str) -> None:
        if state == self._shown:
            return
        self._shown = state
        if self._console.is_terminal:
            self._status.update(Text(f"{self._what}: {state}"))
        else:
            print(f"{self._what}: {state}", file=sys.stderr, flush=True)


def _state(task: TaskTypeDef) -> str:
    """The task's status, and the steps that run."""
    running = [container["name"] for container in task["containers"] if _is_running(container)]
    return " ".join([task["lastStatus"].lower(), *([f"({', '.join(running)})"] if running else [])])


def _is_running(container: ContainerTypeDef) -> bool:
    return container.get("lastStatus") == "RUNNING"


def _rank(container: ContainerTypeDef) -> int:
    """First what failed itself, then what could not start, then what was stopped or waited for it.

    A container that ECS stops has exit code 143, for SIGTERM, also where it never started.
    """
    if container.get("exitCode", STOPPED) != STOPPED:
        return 0
    if "exitCode" not in container and container.get("reason"):
        return 1
    return 2


def _place(container: ContainerTypeDef) -> int:
    """The place of a step; what a later one lacks, an earlier one did not give it."""
    name = container["name"]
    return STEPS.index(name) if name in STEPS else len(STEPS)


def _id(arn: str) -> str:
    return arn.split("/")[-1]
