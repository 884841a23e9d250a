"""One play: experiments, fleets, and what scales them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.fargate import Conditions, Launches, Service
from benchmarks.autoscaling.scaling import Target
from benchmarks.autoscaling.work import Experiment, Queue, Run

LINGER = 3600
"""Seconds after the end for which a play goes on."""

LONGEST = 10 * 24 * 3600

IDLE = 600
"""Seconds, at least, for which nothing waits before a play begins: alarms have a history then, and repeat their actions."""

PHASE = 120
"""Seconds of which a part, drawn, comes on top, so that a play begins anywhere in the alarms' periods."""


@dataclass(frozen=True)
class FleetSize:
    """A fleet as it is deployed.

    Attributes:
        role: ``leaf`` or ``fan``.
        slots: of each task.
        vcpu: of each task.
        gib: memory of each task.
        least: the fewest tasks.
        most: the most.
    """

    role: str
    slots: int
    vcpu: float
    gib: float
    least: int
    most: int


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, in seconds from the beginning.

    Attributes:
        silent: from when until when no metrics are published.
        late: seconds by which metrics are late.
        lost: the share of publications that get lost.
        deployments: when the services are deployed anew.
        bounds: when the leaf fleets' maximums change, and to what, as by a schedule.
    """

    silent: Sequence[tuple[float, float]] = ()
    late: float = 0
    lost: float = 0
    deployments: Sequence[float] = ()
    bounds: Sequence[tuple[float, int]] = ()


@dataclass
class Sample:
    """A fleet at one time: its work and its tasks."""

    time: float
    queued: int
    running: int
    demand: int
    desired: int
    tasks: int
    up: int


@dataclass
class Fleet:
    """A fleet in a play.

    Attributes:
        name: its name.
        size: how it is deployed.
        queue: its role's.
        service: its own tasks.
        target: what sets their number.
        extra: the on-demand tasks that stand in, with their target; None without.
        peak: the most tasks that it ever needs.
        samples: its course.
        decided: when it was first given a task.
        filled: when it was first given as many tasks as its demand, or its maximum.
        full: when as many tasks first took work.
        set_back: when, and to how many tasks, it was scaled in below a demand that it had all along.
        asked: the least demand since it was scaled out.
        fallback_until: when the last on-demand task that stood in was there, from the beginning; None for never.
        billed_before: task-seconds of its services before the play begins.
    """

    name: str
    size: FleetSize
    queue: Queue
    service: Service
    target: Target
    peak: int
    extra: tuple[Service, Target] | None = None
    samples: list[Sample] = field(default_factory=list)
    decided: float | None = None
    filled: float | None = None
    full: float | None = None
    set_back: list[tuple[float, int]] = field(default_factory=list)
    asked: float = float("inf")
    fallback_until: float | None = None
    billed_before: list[float] = field(default_factory=list)
    _given: int = 0

    @property
    def demand(self) -> int:
        """The tasks that its work fills, no fewer than are busy, beside those that are paused (`scythe_worker.busy`)."""
        work, slots = self.queue.queued + self.queue.running, self.size.slots
        if slots == 1:
            return work
        paused = [
            len(task.work)
            for service in self.services
            for task in service.tasks
            if task.is_paused and task.work
        ]
        busy = sum(service.busy() for service in self.services)
        return max(busy, len(paused) + math.ceil((work - sum(paused)) / slots))

    @property
    def services(self) -> list[Service]:
        """Its own, and the one that stands in."""
        return [self.service, *([self.extra[0]] if self.extra else [])]

    @property
    def tasks(self) -> int:
        """All of its tasks that are paid for."""
        return len(self.service.tasks) + (len(self.extra[0].tasks) if self.extra else 0)

    def note_demand(self) -> None:
        """Remember the least demand since the fleet was scaled out."""
        self.asked = min(self.asked, self.demand)

    def observe(self, now: float) -> None:
        """Take a sample."""
        up = self.service.up + (self.extra[0].up if self.extra else 0)
        self.samples.append(
            Sample(
                now, self.queue.queued, self.queue.running, self.demand, self.target.desired, self.tasks, up
            )
        )
        if self.full is None and up >= self.peak:
            self.full = now
        if self.extra and self.extra[0].tasks:
            self.fallback_until = now
        self.note_demand()

    def set_desired(self, desired: int, now: float) -> None:
        """Take a new desired count, and note what it reaches, and whether it falls while there is demand."""
        self.note_demand()
        if desired < self._given:
            if desired < min(self.asked, self.target.most):
                self.set_back.append((now, desired))
        else:
            self.asked = self.demand
        self._given = desired
        self.service.set_desired(desired)
        if self.decided is None and desired:
            self.decided = now
        if self.filled is None and desired >= self.peak:
            self.filled = now


class Simulation:
    """Experiments played on an environment's fleets.

    Args:
        experiments: what is allocated.
        sizes: the fleets, by name.
        conditions: Fargate's.
        trouble: what goes wrong.
        seed: of all that is drawn.
        every: seconds between two samples.

    Attributes:
        begin: when, on the clock, the play begins: after idle minutes. The times of experiments, of trouble and of
            samples count from here.
    """

    def __init__(
        self, experiments: Sequence[Experiment], sizes: Mapping[str, FleetSize], *,
        conditions: Conditions | None = None, trouble: Trouble | None = None, seed: int = 1, every: float = 1,
    ) -> None:  # fmt: skip
        self.clock, self.random = Clock(), Random(seed)
        self.begin = begin = IDLE + self.random.uniform(0, PHASE)
        given, trouble = conditions or Conditions(), trouble or Trouble()
        self.conditions = replace(given, spot_capacity=lambda now: given.spot_capacity(now - begin))
        self.trouble = replace(
            trouble,
            silent=[(start + begin, end + begin) for start, end in trouble.silent],
            deployments=[start + begin for start in trouble.deployments],
            bounds=[(moment + begin, most) for moment, most in trouble.bounds],
        )
        self._every = every
        self.experiments = [replace(item, at=item.at + begin) for item in experiments]
        self._left = len(self.experiments)
        self.ended: float | None = None
        queues = {role: Queue(self.clock) for role in ("fan", "leaf")}
        self._spot, self._on_demand = Launches(self.clock), Launches(self.clock)
        self.fleets = {name: self._fleet(name, size, queues[size.role]) for name, size in sizes.items()}
        for experiment in self.experiments:
            Run(experiment, self.clock, self.random, queues["fan"], queues["leaf"], self._done)

    def _fleet(self, name: str, size: FleetSize, queue: Queue) -> Fleet:
        # A scatter_gather that Spot interrupts begins anew; its simulations stay: not what is looked at here.
        of_fan = replace(self.conditions, interruptions=0, limit=math.inf)
        conditions = self.conditions if size.role == "leaf" else of_fan
        service = Service(self.clock, self.random, conditions, self._spot, queue, size.slots)
        target = Target(size.least, size.most, service.running, deploying=lambda: service.is_deploying)
        fleet = Fleet(name, size, queue, service, target, self._peak(size))
        target.changed = lambda desired: fleet.set_desired(desired, self.clock.now)
        target.set(size.least)
        return fleet

    def add_fallback(self, fleet: Fleet, most: int) -> Target:
        """Give a fleet a second service of on-demand tasks."""
        service = Service(
            self.clock,
            self.random,
            replace(self.conditions, interruptions=0),
            self._on_demand,
            fleet.queue,
            fleet.size.slots,
            is_spot=False,
        )
        target = Target(0, most, service.running, service.set_desired, deploying=lambda: service.is_deploying)
        fleet.extra = (service, target)
        return target

    def _done(self) -> None:
        self._left -= 1
        if not self._left:
            self.ended = self.clock.now

    def play(self) -> None:
        """Play until an hour after the end, or until nothing runs then."""

        def sample() -> None:
            for fleet in self.fleets.values():
                fleet.observe(self.clock.now - self.begin)

        def begin() -> None:
            for fleet in self.fleets.values():
                fleet.billed_before = [service.task_seconds() for service in fleet.services]

        self.clock.at(self.begin, begin)
        self.clock.every(self._every, self.begin, sample)
        for moment in self.trouble.deployments:
            self.clock.at(moment, self._deploy)
        for moment, most in self.trouble.bounds:
            self.clock.at(moment, partial(self._bound, most))
        self.clock.run(self._is_over)
        sample()

    def _peak(self, size: FleetSize) -> int:
        most = max(
            item.simulations if size.role == "leaf" else 1 + min(item.branches, item.simulations)
            for item in self.experiments
        )
        return min(size.most, math.ceil(most / size.slots))

    def _deploy(self) -> None:
        for fleet in self.fleets.values():
            for service in fleet.services:
                service.roll()

    def _bound(self, most: int) -> None:
        """Change the bounds, and move a desired count that is outside of them (Application Auto Scaling User Guide)."""
        for fleet in self.fleets.values():
            if fleet.size.role == "leaf":
                fleet.target.most = most
                fleet.target.set(fleet.target.desired)

    def _is_over(self) -> bool:
        if self.ended is None:
            if self.clock.now > LONGEST:
                raise RuntimeError("the work never ends: no fleet takes what is queued")
            return False
        is_quiet = all(not fleet.tasks for fleet in self.fleets.values())
        return self.clock.now > self.ended + (60 if is_quiet else LINGER)
