"""ECS services of real workers: as many as are desired, none stopped that has protected itself."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.hatchet.workers import Workers


@dataclass(frozen=True)
class Task:
    """A worker, and the name under which the ECS agent knows it."""

    name: str
    process: subprocess.Popen[bytes]


class Service:
    """Starts and stops workers, without Fargate's time for it.

    Args:
        name: the fleet's.
        workers: starts them.
        agent: the address of an ECS agent.
        asked: what the agent was asked: the method, path and body of each call.
        given: environment variables of its workers.
        environment: the environment's name.

    Attributes:
        desired: the tasks that it is to have.
        tasks: those that run, the oldest first.
        stopped: those that it has told to stop.
    """

    def __init__(
        self, name: str, workers: Workers, agent: str, asked: Sequence[tuple[str, str, Any]],
        given: Mapping[str, str], environment: str,
    ) -> None:  # fmt: skip
        self.name, self.desired = name, 0
        self._named = f"{environment}-{name}"
        self.tasks: list[Task] = []
        self.stopped: list[Task] = []
        self._workers, self._agent, self._asked, self._given = workers, agent, asked, given

    def set_desired(self, desired: int) -> None:
        """Take a new desired count."""
        self.desired = desired

    def is_protected(self, task: Task) -> bool:
        """Whether a worker's latest word to the agent was that it has work."""
        said = [body for _, path, body in list(self._asked) if path.startswith(f"/{task.name}/")]
        return bool(said) and bool(said[-1]["ProtectionEnabled"])

    def reconcile(self) -> None:
        """Start what is missing; stop what is too much and not protected, the newest first."""
        for task in self.tasks:
            assert task.process.poll() is None, f"{task.name} ended by itself: {task.process.returncode}"
        over = len(self.tasks) - self.desired
        idle = [task for task in reversed(self.tasks) if not self.is_protected(task)]
        for task in idle[: max(over, 0)]:
            task.process.send_signal(signal.SIGTERM)
            self.tasks.remove(task)
            self.stopped.append(task)
        for _ in range(-over):
            name = f"{self.name}-{len(self.tasks) + len(self.stopped)}"
            # As with ECS's metadata: the worker's name ends with the task's id.
            called = f"{self._named}-{uuid.uuid4().hex}"
            process = self._workers.start(
                ECS_AGENT_URI=f"{self._agent}/{name}", SCYTHE_WORKER_NAME=called, **self._given
            )
            self.tasks.append(Task(name, process))
