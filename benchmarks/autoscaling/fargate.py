"""ECS services on Fargate: tasks that start, work, are taken back, and end.

AWS's rules: a bucket of 100 launches that 20 a second refill, for Spot and on-demand capacity each (Amazon ECS
Developer Guide, "AWS Fargate throttling quotas"); a task that is protected is not stopped to scale in, and a protection
that would leave more tasks protected than desired is refused as DEPLOYMENT_BLOCKED ("Protect your Amazon ECS tasks from
being terminated by scale-in events"); Spot takes tasks back with two minutes' notice ("Fargate Spot termination
notices"); a service whose capacity is not there goes on trying. Drawn: how long a task takes to start.

Rolling deployments run with a maximum of 100 % and a minimum of 0 % ("Deploy Amazon ECS services by replacing
tasks"): ECS stops an old task only when it is unprotected, and starts a new one in its place. While a deployment is in
progress, a lost old task is replaced by one of the old revision, and scale-out is for both revisions, here every other
task (AWS, November 2025, "Amazon ECS improves Service Availability during Rolling deployments").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.work import Piece, Queue
from scythe_worker.protection import (
    FIRST_SECONDS,
    IDLE_SECONDS,
    LONGEST_SECONDS,
    MARGIN_SECONDS,
    MOST_MINUTES,
    SPARE_SECONDS,
)

BURST, REFILL = 100.0, 20.0

RECONCILE = 15.0
"""Seconds between two looks of ECS's scheduler at a service. AWS does not document it."""


@dataclass(frozen=True)
class Conditions:
    """What the world is like.

    Attributes:
        start_seconds: a task takes from its launch until its worker takes work, half to one and a half times this:
            Fargate's own start, the image, and the worker's imports.
        interruptions: of a Spot task, an hour.
        spot_capacity: the Spot tasks that there is room for, by the time.
        is_protected: whether workers protect themselves while they have a task.
        limit: seconds of each piece's execution timeout, which protection covers; infinite without one.
        pauses: whether the backlog service pauses workers.
    """

    start_seconds: float = 60
    interruptions: float = 0.02
    spot_capacity: Callable[[float], float] = lambda _: float("inf")
    is_protected: bool = True
    limit: float = 3600
    pauses: bool = True


class Launches:
    """The bucket of launches that all services of one kind of capacity share."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._tokens, self._last = clock, BURST, 0.0

    def take(self) -> float:
        """Take one; the seconds to wait for it."""
        now = self._clock.now
        self._tokens = min(BURST, self._tokens + (now - self._last) * REFILL)
        self._last = now
        self._tokens -= 1
        return max(0.0, -self._tokens / REFILL)


@dataclass(eq=False)
class Task:
    """A task, and the work that it has, each piece with when it began; its protection ends at `in_force`."""

    number: int
    launched: float
    generation: int = 0
    is_up: bool = False
    is_gone: bool = False
    is_paused: bool = False
    idle_since: float = float("-inf")
    in_force: float = 0
    refused: int = 0
    work: dict[Piece, float] = field(default_factory=dict)


class Service:
    """A service with a number of slots in each task.

    Attributes:
        tasks: those that are paid for, whether up or not.
        up: how many of them take work.
        billed: task-seconds of those that ended.
        lost_to_scale_in: seconds of work that had to be begun again.
        lost_to_spot: the same, where Spot took a task back.
        killed: pieces of work that scale-in killed.
        interrupted: pieces of work that Spot interrupted.
        rolled: how long each deployment took.
        refusals: how many protections were refused.
        generation: the number of its newest deployment.
        desired: its desired count.
    """

    def __init__(
        self, clock: Clock, random: Random, conditions: Conditions, launches: Launches, queue: Queue, slots: int, *,
        is_spot: bool = True,
    ) -> None:  # fmt: skip
        self._clock, self._random, self._conditions, self._launches = clock, random, conditions, launches
        self._queue, self._slots, self._is_spot = queue, slots, is_spot
        self.tasks: set[Task] = set()
        self.up = 0
        self.billed = self.lost_to_scale_in = self.lost_to_spot = 0.0
        self.killed = self.interrupted = self.refusals = 0
        self.rolled: list[float] = []
        self.desired = self.generation = 0
        self._numbers = count()
        self._deployed: float | None = None
        # Tasks of scale-out during a deployment that are still to be started from the old revision.
        self._old = 0
        queue.serve(self)
        self._idle: list[Task] = []
        clock.every(RECONCILE, clock.now + random.uniform(0, RECONCILE), self._reconcile)

    @property
    def is_deploying(self) -> bool:
        """Whether a deployment is in progress."""
        return self._deployed is not None

    def set_desired(self, desired: int) -> None:
        """Take a new desired count."""
        if self.is_deploying:
            self._old += max(0, desired - self.desired) // 2
        self.desired = desired
        self._reconcile()

    def roll(self) -> None:
        """Deploy anew: replace each task once it is unprotected, never more than desired at a time."""
        self.generation += 1
        self._deployed, self._old = self._clock.now, 0
        self._reconcile()

    def pause(self, task: Task, *, paused: bool) -> None:
        """Give a task's worker nothing new, or again."""
        task.is_paused = paused
        if not paused:
            self._idle.append(task)

    def busy(self) -> int:
        """The tasks that have work."""
        return sum(bool(task.work) for task in self.tasks)

    def running(self) -> int:
        """The tasks that run."""
        return self.up

    def task_seconds(self) -> float:
        """Paid for so far; a minute at least for each task (AWS Fargate pricing)."""
        return self.billed + sum(max(60.0, self._clock.now - task.launched) for task in self.tasks)

    def idle_slot(self) -> Task | None:
        """A task with a slot to fill."""
        while self._idle:
            task = self._idle[-1]
            if not task.is_gone and not task.is_paused and len(task.work) < self._slots:
                return task
            self._idle.pop()
        return None

    def give(self, task: Task, piece: Piece) -> None:
        """Give a task a piece of work; its worker protects itself."""
        if not self._is_held(task):
            task.in_force = 0
        task.work[piece] = self._clock.now
        self._protect(task)

    def done(self, task: Task, piece: Piece) -> None:
        """Take a piece of work that is done from a task; ECS may stop it once it is unprotected."""
        del task.work[piece]
        if not task.work:
            task.idle_since = self._clock.now
        self._idle.append(task)

    def _protect(self, task: Task) -> None:
        """Cover the time limits of all that runs in one call, as `scythe_worker.protection` does."""
        if not self._conditions.is_protected or not task.work or task.is_gone:
            return
        now, longest = self._clock.now, MOST_MINUTES * 60.0
        until = max(task.work.values()) + self._conditions.limit
        wanted = min(2 * until - now + MARGIN_SECONDS, now + longest - SPARE_SECONDS)
        if wanted <= task.in_force:
            return
        if self._is_blocked(task):
            self.refusals += 1
            task.refused += 1
            wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** (task.refused - 1))
            self._clock.after(wait, lambda: self._protect(task))
            return
        task.refused = 0
        task.in_force = wanted + SPARE_SECONDS
        if task.in_force < until:
            self._clock.after(SPARE_SECONDS + 1, lambda: self._protect(task))

    def _is_blocked(self, task: Task) -> bool:
        """Whether more tasks would be protected than desired."""
        if len(self.tasks) <= self.desired:
            return False
        return 1 + sum(self._is_protected(other) for other in self.tasks if other is not task) > self.desired

    def _is_held(self, task: Task) -> bool:
        return bool(task.work) or self._clock.now - task.idle_since < IDLE_SECONDS

    def _is_protected(self, task: Task) -> bool:
        return self._clock.now < task.in_force and self._is_held(task)

    def _reconcile(self) -> None:
        if self._deployed is not None:
            for task in sorted(self.tasks, key=lambda task: task.launched):
                # One that has not started is left to start: the strictest reading of the replacement by the old revision.
                if task.generation != self.generation and task.is_up and not self._is_protected(task):
                    self._stop(task)
            if all(task.generation == self.generation for task in self.tasks):
                self.rolled.append(self._clock.now - self._deployed)
                self._deployed, self._old = None, 0
        over = len(self.tasks) - self.desired
        if over > 0:
            stoppable = [task for task in self.tasks if not self._is_protected(task)]
            for task in sorted(stoppable, key=lambda task: (task.launched, task.number), reverse=True)[:over]:
                self._stop(task)
        self._queue.dispatch()
        room = self._conditions.spot_capacity(self._clock.now) if self._is_spot else float("inf")
        for _ in range(int(min(self.desired, room)) - len(self.tasks)):
            is_old = self._old > 0
            self._old -= is_old
            self._launch(self.generation - is_old)

    def _stop(self, task: Task) -> None:
        """End a task whatever it has: ECS knows of protection alone."""
        self.killed += len(task.work)
        self.lost_to_scale_in += self._give_back(task)
        self._end(task)

    def _launch(self, generation: int) -> None:
        wait = self._launches.take()
        task = Task(next(self._numbers), self._clock.now + wait, generation)
        self.tasks.add(task)
        seconds = self._conditions.start_seconds * self._random.uniform(0.5, 1.5)
        self._clock.after(wait + seconds, lambda: self._start(task))
        if self._is_spot and self._conditions.interruptions:
            life = self._random.expovariate(self._conditions.interruptions / 3600)
            self._clock.after(wait + seconds + life, lambda: self._interrupt(task))

    def _start(self, task: Task) -> None:
        if task.is_gone:
            return
        task.is_up = True
        self.up += 1
        self._idle.append(task)
        self._queue.dispatch()

    def _interrupt(self, task: Task) -> None:
        """Spot's notice: the worker gives back at once what it has (`scythe_worker`), and the task ends."""
        if task.is_gone:
            return
        self.interrupted += len(task.work)
        self.lost_to_spot += self._give_back(task)
        self._end(task)
        if self._deployed is not None and len(self.tasks) < self.desired and self._has_room():
            self._launch(task.generation)
        self._reconcile()
        self._queue.dispatch()

    def _has_room(self) -> bool:
        return not self._is_spot or len(self.tasks) < self._conditions.spot_capacity(self._clock.now)

    def _give_back(self, task: Task) -> float:
        lost = sum(self._clock.now - began for began in task.work.values())
        self._queue.again(list(task.work))
        task.work.clear()
        return lost

    def _end(self, task: Task) -> None:
        task.is_gone = True
        self.tasks.discard(task)
        self.up -= task.is_up
        self.billed += max(60.0, self._clock.now - task.launched)
