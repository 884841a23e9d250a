"""A container as a process group of this machine."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.fargate.definitions import ContainerDefinition, Data
from tests.support.fargate.guard import Guard, end

Process = subprocess.Popen[bytes]


class HealthCheck:
    """Docker's health check: its first run is an interval after the start, each other one after the last's end.

    https://docs.docker.com/reference/dockerfile/#healthcheck

    Attributes:
        status: UNKNOWN, HEALTHY or UNHEALTHY.
    """

    def __init__(
        self,
        says: Data,
        hurry: float,
        spawn: Callable[[Sequence[str]], Process],
        gone: Callable[[Process], None],
    ) -> None:
        kind, *words = says["command"]
        assert kind in ("CMD", "CMD-SHELL"), f"a health check is CMD or CMD-SHELL: {says['command']}"
        self.status = "UNKNOWN"
        self._command = words if kind == "CMD" else ["/bin/sh", "-c", *words]
        self._spawn = spawn
        self._gone = gone
        self._interval = says.get("interval", 30) / hurry
        self._timeout = says.get("timeout", 5)
        self._retries = says.get("retries", 3)
        self._failures = 0
        started = time.monotonic()
        self._counts_from = started + says.get("startPeriod", 0) / hurry
        self._due = started + self._interval
        self._process: Process | None = None

    def step(self) -> None:
        """Start the check when it is due, judge it when it has ended."""
        now = time.monotonic()
        if self._process is None:
            if now < self._due:
                return
            try:
                self._process = self._spawn(self._command)
            except OSError:
                self._judge(False)
            self._until = now + self._timeout
            return
        code = self._process.poll()
        if code is None and now < self._until:
            return
        self.end()
        self._judge(code == 0)

    def end(self) -> None:
        """End the check that runs."""
        if self._process:
            self._gone(self._process)
            self._process = None

    def _judge(self, passed: bool) -> None:
        now = time.monotonic()
        self._due = now + self._interval
        if passed:
            self._failures = 0
            self.status = "HEALTHY"
        elif self.status != "UNKNOWN" or now >= self._counts_from:
            self._failures += 1
            if self._failures >= self._retries:
                self.status = "UNHEALTHY"


class Container:
    """One container of a task; its task asks it again and again to `step`.

    Attributes:
        definition: what it is.
        log: the file with its standard output and error.
        status: PENDING, RUNNING or STOPPED.
        started: whether it ever was RUNNING.
        exit_code: its own, or 128 and the signal's number; None unless it ran and ended.
        reason: why it never started.
        health: its health check, once it runs.
    """

    def __init__(self, definition: ContainerDefinition, folder: Path, guard: Guard, hurry: float) -> None:
        self.definition = definition
        self.log = folder / f"{definition.name}.log"
        self.log.touch()
        self.status = "PENDING"
        self.started = False
        self.exit_code: int | None = None
        self.reason = ""
        self.health: HealthCheck | None = None
        self._cwd = folder / "cwd" / definition.name
        self._cwd.mkdir(parents=True)
        self._guard = guard
        self._hurry = hurry
        self._process: Process | None = None
        self._started_at = self._asked_at = self._ended_at = 0.0

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def asked(self) -> bool:
        """Whether it was asked to end."""
        return bool(self._asked_at)

    @property
    def health_status(self) -> str:
        return self.health.status if self.health else "UNKNOWN"

    @property
    def stop_seconds(self) -> float:
        """How long it took to end from being asked; 0 if it ended by itself."""
        return max(0.0, self._ended_at - self._asked_at) if self._asked_at else 0.0

    @property
    def too_slow(self) -> bool:
        """Whether what waits for it is to give up, by its startTimeout."""
        timeout = self.definition.start_timeout
        return (
            self.status == "RUNNING"
            and bool(timeout)
            and time.monotonic() > self._started_at + (timeout or 0)
        )

    def start(self) -> None:
        """Run it; what cannot be run is STOPPED at once, with a reason."""
        try:
            self._process = self._spawn(self.definition.command, self.log)
        except OSError as error:
            self.never(f"CannotStartContainerError: {error}")
            return
        self._started_at = time.monotonic()
        self.status = "RUNNING"
        self.started = True
        if self.definition.health_check:
            log = self.log.with_suffix(".health.log")
            self.health = HealthCheck(
                self.definition.health_check,
                self._hurry,
                spawn=lambda command: self._spawn(command, log),
                gone=self._gone,
            )

    def never(self, reason: str = "") -> None:
        """Give up what was not started."""
        self.status = "STOPPED"
        self.reason = reason

    def step(self) -> None:
        """Note its end, see to its health, and kill it when its time to stop is over."""
        if self._process is None or self.status != "RUNNING":
            return
        code = self._process.poll()
        if code is None:
            if self.asked and time.monotonic() > self._asked_at + self.definition.stop_timeout:
                end(self._process.pid)
            elif self.health and not self.asked:
                self.health.step()
            return
        self._ended_at = time.monotonic()
        self._gone(self._process)  # with a container's first process, all of its others end
        if self.health:
            self.health.end()
        self.exit_code = code if code >= 0 else 128 - code
        self.status = "STOPPED"

    def stop(self) -> None:
        """Ask it to end with SIGTERM."""
        assert self._process is not None
        self._asked_at = time.monotonic()
        if self._takes_sigterm():
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None and self.status == "RUNNING":
            self._asked_at = self._asked_at or time.monotonic()
            end(self._process.pid)

    def _takes_sigterm(self) -> bool:
        """Whether SIGTERM reaches it: the kernel keeps it from a PID 1 that does not handle it.

        https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
        """
        assert self._process is not None
        file = Path(f"/proc/{self._process.pid}/status")
        if self.definition.init or not file.exists():
            return True
        caught = [line.split()[1] for line in file.read_text().splitlines() if line.startswith("SigCgt:")]
        return not caught or bool(int(caught[0], 16) >> (signal.SIGTERM - 1) & 1)

    def _spawn(self, command: Sequence[str], log: Path) -> Process:
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self._cwd,
                env=dict(self.definition.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._guard.watch(process.pid)
        return process

    def _gone(self, process: Process) -> None:
        end(process.pid)
        process.wait()
        self._guard.forget(process.pid)
