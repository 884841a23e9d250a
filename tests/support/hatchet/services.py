"""ECS services of real workers: as many as are desired, none stopped that has protected itself."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.support.hatchet.ecs import Ecs, EcsTask, now
from tests.support.hatchet.workers import Workers


@dataclass
class Task(EcsTask):
    """A task with its worker."""

    process: subprocess.Popen[bytes] = field(kw_only=True)


class Service:
    """Starts and stops workers, without Fargate's time for it.

    While a deployment is in progress ECS ends an old task once it is unprotected, and starts a new one in its place
    (Amazon ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks", with a maximum of 100 % and a minimum of
    0 %).

    Args:
        name: the fleet's.
        workers: starts them.
        ecs: knows their protection.
        given: environment variables of its workers.
        environment: the environment's name.

    Attributes:
        desired: the tasks that it is to have.
        revision: of the newest deployment.
        tasks: those that run, the oldest first.
        stopped: those that it has told to stop.
    """

    def __init__(
        self, name: str, workers: Workers, ecs: Ecs, given: Mapping[str, str], environment: str
    ) -> None:
        self.name, self.desired, self.revision = name, 0, 1
        self._named = f"{environment}-{name}"
        self._created = {1: now()}
        self.tasks: list[Task] = []
        self.stopped: list[Task] = []
        self._starting: EcsTask | None = None
        self._workers, self._ecs, self._given = workers, ecs, given
        ecs.add(self)

    def running(self) -> list[EcsTask]:
        """The tasks that run."""
        return [*self.tasks, *([self._starting] if self._starting else [])]

    def created(self, revision: int) -> datetime:
        """When a deployment began."""
        return self._created[revision]

    def set_desired(self, desired: int) -> None:
        """Take a new desired count."""
        self.desired = desired

    def roll(self) -> None:
        """Deploy anew."""
        self.revision += 1
        self._created[self.revision] = now()

    def is_protected(self, task: Task) -> bool:
        """Whether ECS leaves a task alone."""
        return task.is_protected

    def reconcile(self) -> None:
        """Start what is missing; stop what is too much or superseded, and not protected, the newest first."""
        for task in self.tasks:
            assert task.process.poll() is None, f"{task.id} ended by itself: {task.process.returncode}"
        over = len(self.tasks) - self.desired
        idle = [task for task in reversed(self.tasks) if not task.is_protected]
        superseded = [task for task in idle if task.revision != self.revision]
        for task in {task.id: task for task in [*idle[: max(over, 0)], *superseded]}.values():
            self.tasks.remove(task)
            self.stopped.append(task)
            task.process.send_signal(signal.SIGTERM)
        for _ in range(self.desired - len(self.tasks)):
            self._start()

    def _start(self) -> None:
        starting = EcsTask(uuid.uuid4().hex, self.revision)
        self._starting = starting
        process = self._workers.start(
            SCYTHE_WORKER_NAME=self._named, **self._ecs.variables(starting.id), **self._given
        )
        self.tasks.append(Task(starting.id, starting.revision, process=process))
        self._starting = None
