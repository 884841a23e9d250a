"""Carries out RunTask and StopTask, which the local AWS only notes."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_aws import LocalAws
from tests.support.fargate.definitions import Data
from tests.support.fargate.task import Task

POLL = 0.1


class Requests:
    """What is asked of ECS by its API."""

    def __init__(self, aws: LocalAws, run: Callable[[str, str, Data], Task]) -> None:
        self._ecs = aws.client("ecs")
        self._run = run
        self._started: dict[str, Task] = {}
        _keep_states(aws)

    def new(self, cluster: str) -> list[Data]:
        """The tasks that were asked for and not started."""
        return [task for task in self._described(cluster, "RUNNING") if task["taskArn"] not in self._started]

    @contextmanager
    def followed(self, cluster: str) -> Iterator[Mapping[str, Task]]:
        """Carry out what is asked for, in a thread of its own."""
        over = threading.Event()
        errors: list[BaseException] = []

        def follow() -> None:
            reported: set[str] = set()
            last = False
            try:
                while not last:
                    last = over.wait(POLL)
                    self._start(cluster)
                    self._stop(cluster)
                    self._report(cluster, reported)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=follow, name=f"RunTask in {cluster}", daemon=True)
        thread.start()
        try:
            yield self._started
        finally:
            over.set()
            thread.join()
            if errors:
                raise errors[0]

    def _start(self, cluster: str) -> None:
        for task in self.new(cluster):
            self._started[task["taskArn"]] = self._run(
                cluster, task["taskDefinitionArn"], task.get("overrides", {})
            )

    def _stop(self, cluster: str) -> None:
        for task in self._described(cluster, "STOPPED"):
            started = self._started.get(task["taskArn"])
            if started and not started.stopped_reason:
                started.ask_to_stop(task.get("stoppedReason") or "Task stopped by user")

    def _report(self, cluster: str, reported: set[str]) -> None:
        """Tell what has stopped as ECS's own agents do."""
        for arn, task in self._started.items():
            if task.status != "STOPPED" or arn in reported:
                continue
            containers: list[dict[str, Any]] = [
                {
                    "containerName": name,
                    "status": "STOPPED",
                    **({} if container.exit_code is None else {"exitCode": container.exit_code}),
                    **({"reason": container.reason} if container.reason else {}),
                }
                for name, container in task.containers.items()
            ]
            self._ecs.submit_task_state_change(
                cluster=cluster, task=arn, status="STOPPED", reason=task.stopped_reason, containers=containers
            )
            reported.add(arn)

    def _described(self, cluster: str, desired: str) -> list[Data]:
        arns = self._ecs.list_tasks(cluster=cluster, desiredStatus=desired)["taskArns"]
        if not arns:
            return []
        tasks = self._ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        # moto lists the tasks of `docs-workers` for `workers` too
        name = cluster.split("/")[-1]
        return [task for task in tasks if task["clusterArn"].split("/")[-1] == name]


def _keep_states(aws: LocalAws) -> None:
    """Have moto leave tasks in their state: by default each DescribeTasks is a step towards STOPPED.

    https://docs.getmoto.org/en/latest/docs/configuration/state_transition/index.html
    """
    never = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**9}}
    request = urllib.request.Request(
        f"{aws.endpoint_url}/moto-api/state-manager/set-transition",
        data=json.dumps(never).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    urllib.request.urlopen(request, timeout=10).close()
