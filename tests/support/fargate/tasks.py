"""Runs tasks as ECS and Fargate do, for what a test leans on.

Images, users, read-only file systems, limits, networks and roles are not: a container is a process of this machine,
and what it reaches is said by text replaced in its definition.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from local_aws import LocalAws
from tests.support.fargate.containers import Container
from tests.support.fargate.definitions import (
    Data,
    ResourceInitializationError,
    containers,
    refusals,
    secret_value,
    volume_folders,
)
from tests.support.fargate.guard import Guard
from tests.support.fargate.run_task import Requests
from tests.support.fargate.task import Task


class Fargate:
    """Runs the tasks of a local AWS; `fargate` is what makes one."""

    def __init__(
        self,
        aws: LocalAws,
        folder: Path,
        guard: Guard,
        *,
        programs: Mapping[str, str],
        places: Mapping[str, str],
        variables: Mapping[str, str],
        files: Mapping[str, Path],
        hurry: float,
    ) -> None:
        self.tasks: list[Task] = []
        self._aws = aws
        self._ecs = aws.client("ecs")
        self._folder = folder
        self._guard = guard
        self._programs = programs
        self._places = places
        self._variables = variables
        self._files = files
        self._hurry = hurry
        self._lock = threading.Lock()
        self._requests = Requests(aws, self.run)

    def run(self, cluster: str, task_definition: str, overrides: Data | None = None) -> Task:
        """Start a task.

        Args:
            cluster: its cluster, which exists.
            task_definition: a family, a family and revision, or an ARN.
            overrides: as RunTask takes them.
        """
        assert self._ecs.describe_clusters(clusters=[cluster])["clusters"], f"no cluster {cluster}"
        definition = self._ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        refused = refusals(definition, self._files)
        assert not refused, f"{definition['family']}: {'; '.join(refused)}"
        with self._lock:
            name = f"{definition['family']}-{definition['revision']}-{len(self.tasks) + 1}"
            folder = self._folder / name
            folder.mkdir(parents=True)
            reason = ""

            def secret(value_from: str) -> str:
                nonlocal reason
                try:
                    return secret_value(self._aws, value_from)
                except ResourceInitializationError as error:
                    reason = reason or str(error)
                    return ""

            read = containers(
                definition,
                overrides or {},
                secret=secret,
                replace=self._places,
                programs=self._programs,
                variables=self._variables,
                volumes=volume_folders(definition, folder / "volumes", self._files),
            )
            made = {one.name: Container(one, folder, self._guard, self._hurry) for one in read}
            self.tasks.append(Task(name, made, reason))
            return self.tasks[-1]

    def beside(self, places: Mapping[str, str], variables: Mapping[str, str]) -> Fargate:
        """One that runs its tasks among this one's, with other places and variables where these say so."""
        other = copy.copy(self)
        other._places = {**self._places, **places}
        other._variables = {**self._variables, **variables}
        return other

    def requested(self, cluster: str) -> list[Data]:
        """The tasks, as DescribeTasks shows them, that RunTask was called for and that are not started yet."""
        return self._requests.new(cluster)

    def follow_run_task(self, cluster: str) -> AbstractContextManager[Mapping[str, Task]]:
        """Start each task that RunTask is called for while the block lasts, and report its end to the local AWS.

        Gives the tasks by ARN.
        """
        return self._requests.followed(cluster)


@contextmanager
def fargate(
    aws: LocalAws,
    folder: Path,
    *,
    programs: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    files: Mapping[str, Path] | None = None,
    hurry: float = 1,
) -> Iterator[Fargate]:
    """An agent whose tasks end with the block, and also when this process is killed.

    Args:
        aws: where task definitions, clusters and secrets are.
        folder: gets a folder for each task, with its logs and volumes.
        programs: paths in images, and the programs that stand for them here.
        places: texts of commands, variables, secrets and their ARNs (where things are), and what stands for them here.
        variables: what every container has beside its own; default is PATH and the way to the local AWS.
        files: the directories that stand for EFS by the ids of access points; they outlive tasks.
        hurry: what intervals and start periods of health checks are divided by.
    """
    with Guard() as guard:
        agent = Fargate(
            aws,
            folder,
            guard,
            programs=programs or {},
            places=places or {},
            variables={"PATH": os.environ["PATH"], **aws.variables} if variables is None else variables,
            files=files or {},
            hurry=hurry,
        )
        try:
            yield agent
        finally:
            for task in agent.tasks:
                task.kill()
