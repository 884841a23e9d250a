"""A task: when its containers start and stop, and how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from tests.support.fargate.containers import Container

POLL = 0.02
TAIL = 4000
"""Characters of a log that a failure shows."""

ESSENTIAL = "Essential container in task exited"
NOT_STARTED = "Task failed to start"
STOPPED_BY_USER = "Task stopped by user"
SPOT = "Your Spot Task was interrupted."


class Task:
    """A task.

    Attributes:
        name: its family, revision and number.
        status: PENDING, RUNNING, STOPPING or STOPPED, as ECS's lastStatus.
        stopped_reason: why it stops; empty until then.
        containers: by name.
    """

    def __init__(self, name: str, containers: Mapping[str, Container], stopped_reason: str = "") -> None:
        """Run containers; a task with a reason to be stopped already never starts any."""
        self.name = name
        self.containers = containers
        self.status = "PENDING"
        self.stopped_reason = stopped_reason
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def exit_codes(self) -> dict[str, int]:
        """Of the containers that ran and ended."""
        with self._changed:
            return {
                name: container.exit_code
                for name, container in self.containers.items()
                if container.exit_code is not None
            }

    @property
    def reasons(self) -> dict[str, str]:
        """Why containers did not start, as ECS says it."""
        return {name: container.reason for name, container in self.containers.items() if container.reason}

    @property
    def health(self) -> dict[str, str]:
        """UNKNOWN, HEALTHY or UNHEALTHY, of the containers that have a health check."""
        return {
            name: container.health_status
            for name, container in self.containers.items()
            if container.definition.health_check
        }

    def log(self, container: str) -> str:
        """What a container has written so far."""
        return self.containers[container].log.read_text(errors="replace")

    def wait_running(self, timeout: float) -> None:
        """Wait for RUNNING: all containers run, or have run, as those have that others wait to COMPLETE."""
        self._wait(lambda: self.status == "RUNNING", "not RUNNING", timeout)

    def wait_healthy(self, timeout: float) -> None:
        """Wait for all health checks."""
        self._wait(
            lambda: self.status == "RUNNING" and {*self.health.values()} <= {"HEALTHY"},
            "not HEALTHY",
            timeout,
        )

    def wait_stopped(self, timeout: float) -> dict[str, int]:
        """Wait for its end; gives the exit codes."""
        self._wait(lambda: self.status == "STOPPED", "not STOPPED", timeout)
        return self.exit_codes

    def stop(self, reason: str = STOPPED_BY_USER) -> dict[str, float]:
        """Stop it as StopTask does, and wait; gives the seconds that each running container took."""
        running = self.ask_to_stop(reason)
        self.wait_stopped(
            sum(container.definition.stop_timeout for container in self.containers.values()) + 10
        )
        return {name: self.containers[name].stop_seconds for name in running}

    def ask_to_stop(self, reason: str = STOPPED_BY_USER) -> list[str]:
        """Begin to stop it; gives the containers that run."""
        with self._changed:
            self.stopped_reason = self.stopped_reason or reason
            return [name for name, container in self.containers.items() if container.status == "RUNNING"]

    def kill(self, reason: str = SPOT) -> None:
        """End all at once, as when its host is lost, and wait."""
        with self._changed:
            self.stopped_reason = self.stopped_reason or reason
            for container in self.containers.values():
                container.kill()
        self._thread.join()

    def _wait(self, condition: Callable[[], bool], otherwise: str, timeout: float) -> None:
        """Wait, but not for what cannot come any more.

        Raises:
            AssertionError: with the ends of the logs.
        """
        with self._changed:
            self._changed.wait_for(lambda: condition() or self.status == "STOPPED", timeout)
            assert condition(), f"{otherwise} within {timeout} s: {self}"

    def __str__(self) -> str:
        lines = [f"task {self.name} is {self.status}; {self.stopped_reason}".rstrip("; ")]
        for name, container in self.containers.items():
            state = [container.status, container.reason]
            state += [] if container.exit_code is None else [f"exit code {container.exit_code}"]
            state += [container.health_status] if container.health else []
            lines.append(f"--- {name}: {', '.join(filter(None, state))}\n{self.log(name)[-TAIL:]}")
        return "\n".join(lines)

    def _run(self) -> None:
        try:
            while self.status != "STOPPED":
                with self._changed:
                    self._step()
                    self._changed.notify_all()
                    if self.status != "STOPPED":
                        self._changed.wait(POLL)
        except BaseException as error:
            with self._changed:
                for container in self.containers.values():
                    container.kill()
                    container.never(f"the agent failed: {error!r}")
                self.status = "STOPPED"
                self.stopped_reason = f"the agent failed: {error!r}"
                self._changed.notify_all()
            raise

    def _step(self) -> None:
        every = self.containers.values()
        for container in every:
            container.step()
        if not self.stopped_reason:
            self._start_what_may()
        ended = [each for each in every if each.status == "STOPPED" and each.definition.essential]
        if ended and not self.stopped_reason:
            self.stopped_reason = ESSENTIAL if all(container.started for container in ended) else NOT_STARTED
        if self.stopped_reason:
            self._stop_what_may()
        self.status = self._last_status()

    def _last_status(self) -> str:
        """ECS's rule: a task is as far as the container that is least far."""
        states = {container.status for container in self.containers.values()}
        if states <= {"STOPPED"}:
            return "STOPPED"
        if self.stopped_reason:
            return "STOPPING"
        return "PENDING" if "PENDING" in states else "RUNNING"

    def _start_what_may(self) -> None:
        for container in self.containers.values():
            if container.status != "PENDING":
                continue
            conditions = [
                _condition(self.containers[name], condition)
                for name, condition in container.definition.depends_on.items()
            ]
            if never := next((reason for reason in conditions if reason), ""):
                container.never(f"dependency graph: {never}")
            elif all(reason is not None for reason in conditions):
                container.start()

    def _stop_what_may(self) -> None:
        """Give up what has not started, and stop the rest: a container after those that depend on it.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
        """
        for container in self.containers.values():
            if container.status == "PENDING":
                container.never()
        for name, container in self.containers.items():
            needed = any(
                name in other.definition.depends_on and other.status == "RUNNING"
                for other in self.containers.values()
            )
            if container.status == "RUNNING" and not container.asked and not needed:
                container.stop()


def _condition(dependency: Container, condition: str) -> str | None:
    """Whether a condition is met ("") or not yet (None); or else why it never will be."""
    name, ended = dependency.name, dependency.status == "STOPPED"
    if ended and not dependency.started:
        return f"{name} will never start"
    met = {
        "START": dependency.started,
        "COMPLETE": ended,
        "SUCCESS": ended and dependency.exit_code == 0,
        "HEALTHY": not ended and dependency.health_status == "HEALTHY",
    }[condition]
    if met:
        return ""
    if ended:
        return f"{name} did not exit successfully" if condition == "SUCCESS" else f"{name} ended"
    return f"{name} has timed out" if dependency.too_slow else None
