"""One play: experiments, fleets, and what scales them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.cloudwatch import AlarmRule, CloudWatch
from benchmarks.autoscaling.fargate import Conditions, Launches, Service
from benchmarks.autoscaling.scaling import Target, TargetTracking
from benchmarks.autoscaling.synthesized import Scaled
from benchmarks.autoscaling.work import Experiment, Queue, Run
from scythe_worker.backlog import OFFSET, PERIOD

LINGER = 3600
"""Seconds after the end for which a play goes on."""


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
        deployments: from when until when services are deployed anew.
    """

    silent: Sequence[tuple[float, float]] = ()
    late: float = 0
    lost: float = 0
    deployments: Sequence[tuple[float, float]] = ()


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

    @property
    def demand(self) -> int:
        """The tasks that its work fills."""
        return math.ceil((self.queue.queued + self.queue.running) / self.size.slots)

    @property
    def tasks(self) -> int:
        """All of its tasks that are paid for."""
        return len(self.service.tasks) + (len(self.extra[0].tasks) if self.extra else 0)

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

    def set_desired(self, desired: int, now: float) -> None:
        """Take a new desired count, and note what it reaches."""
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
    """

    def __init__(
        self, experiments: Sequence[Experiment], sizes: Mapping[str, FleetSize], *,
        conditions: Conditions | None = None, trouble: Trouble | None = None, seed: int = 1, every: float = 1,
    ) -> None:  # fmt: skip
        self.clock, self.random = Clock(), Random(seed)
        self.conditions, self.trouble, self._every = conditions or Conditions(), trouble or Trouble(), every
        self.experiments = list(experiments)
        self._left = len(self.experiments)
        self.ended: float | None = None
        queues = {role: Queue(self.clock) for role in ("fan", "leaf")}
        self._spot, self._on_demand = Launches(self.clock), Launches(self.clock)
        self.fleets = {name: self._fleet(name, size, queues[size.role]) for name, size in sizes.items()}
        for experiment in self.experiments:
            Run(experiment, self.clock, self.random, queues["fan"], queues["leaf"], self._done)

    def _fleet(self, name: str, size: FleetSize, queue: Queue) -> Fleet:
        # A scatter_gather that Spot interrupts begins anew; its simulations stay: not what is looked at here.
        conditions = self.conditions if size.role == "leaf" else replace(self.conditions, interruptions=0)
        service = Service(self.clock, self.random, conditions, self._spot, queue, size.slots)
        target = Target(size.least, size.most, service.running)
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
        target = Target(0, most, service.running, service.set_desired)
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
                fleet.observe(self.clock.now)

        self.clock.every(self._every, 0, sample)
        for begin, end in self.trouble.deployments:
            self.clock.at(begin, lambda: self._deploy(True))
            self.clock.at(end, lambda: self._deploy(False))
        self.clock.run(self._is_over)
        sample()

    def _peak(self, size: FleetSize) -> int:
        most = max(
            item.simulations if size.role == "leaf" else 1 + min(item.branches, item.simulations)
            for item in self.experiments
        )
        return min(size.most, math.ceil(most / size.slots))

    def _deploy(self, is_deploying: bool) -> None:
        for fleet in self.fleets.values():
            fleet.target.is_deploying = is_deploying
            if is_deploying:
                fleet.service.roll()

    def _is_over(self) -> bool:
        if self.ended is None:
            return False
        is_quiet = all(not fleet.tasks for fleet in self.fleets.values())
        return self.clock.now > self.ended + (60 if is_quiet else LINGER)


class Synthesized:
    """Scales a simulation as AWS would with the synthesized alarms and policies."""

    def __init__(self, simulation: Simulation, scaled: Mapping[str, Scaled]) -> None:
        self._simulation, self._targets = simulation, dict[str, Target]()
        self._policies = {key: policy for item in scaled.values() for key, policy in item.policies.items()}
        self._of: dict[str, Target] = {}
        self._cloudwatch = CloudWatch(simulation.clock, simulation.random, self._act)
        for name, item in scaled.items():
            fleet = simulation.fleets.get(name.removesuffix("-on-demand"))
            if fleet is None:
                continue
            is_own = name in simulation.fleets
            target = fleet.target if is_own else simulation.add_fallback(fleet, item.most)
            target.least, target.most = item.least, item.most
            for alarm in item.alarms:
                self._of[alarm.name] = target
                self._cloudwatch.watch(alarm)
        metrics = [
            metric for item in scaled.values() for rule in item.alarms for metric in rule.metrics.values()
        ]
        self._demands = {
            dict(metric.dimensions)["Fleet"]: metric.key for metric in metrics if metric.name == "Demand"
        }
        self._counted = {
            dict(metric.dimensions)["ServiceName"]: metric.key
            for metric in metrics
            if metric.namespace == "AWS/ECS"
        }
        simulation.clock.every(PERIOD, OFFSET, self._publish)
        simulation.clock.every(60, 59, self._count_tasks)

    def _publish(self) -> None:
        """What the backlog service does."""
        trouble, now = self._simulation.trouble, self._simulation.clock.now
        if any(begin <= now < end for begin, end in trouble.silent):
            return
        if self._simulation.random.random() < trouble.lost:
            return
        delay = self._simulation.random.uniform(0.5, 2.5) + trouble.late
        for name, fleet in self._simulation.fleets.items():
            self._cloudwatch.put(self._demands[name], fleet.demand, delay=delay)

    def _count_tasks(self) -> None:
        """ECS's own metric, of which each task that runs is a sample; it comes a minute or two later."""
        for name, key in self._counted.items():
            delay = self._simulation.random.uniform(30, 90)
            for _ in range(self._simulation.fleets[name].service.up):
                self._cloudwatch.put(key, 1.0, delay=delay)

    def _act(self, rule: AlarmRule, action: str, value: float) -> None:
        self._of[rule.name].apply(self._policies[action], value, rule.threshold, self._simulation.clock.now)


Scaler = Callable[[Simulation], object]


def fixed(simulation: Simulation) -> None:
    """The guide's fleet, which has bounds but nothing that scales it.

    Somebody sets it to its maximum, and to nothing an hour after the end.
    """
    for fleet in simulation.fleets.values():
        fleet.target.set(fleet.size.most)


def ideal(simulation: Simulation) -> None:
    """Knows the demand at each second, and stops an idle task at once; Fargate takes its time all the same."""

    def follow() -> None:
        for fleet in simulation.fleets.values():
            fleet.target.set(fleet.demand)

    simulation.clock.every(1, 0, follow)


def cpu_tracking(simulation: Simulation) -> None:
    """Target tracking of 50 % of the CPU; since no task has no CPU, at least one runs always."""
    for fleet in simulation.fleets.values():
        fleet.target.least = 1
        fleet.target.set(1)
    _track(simulation, 50, _cpu)


def backlog_tracking(simulation: Simulation) -> None:
    """Target tracking of the backlog for each task: nine tenths of its slots, since it never leaves a full fleet of one."""
    _track(simulation, 0.9, lambda fleet: fleet.demand / max(1, fleet.service.up))


def _cpu(fleet: Fleet) -> float | None:
    if not fleet.service.up:
        return None
    return 100 * min(1.0, fleet.queue.running / fleet.size.slots / fleet.service.up)


def _track(simulation: Simulation, target: float, metric: Callable[[Fleet], float | None]) -> None:
    policies = {name: TargetTracking(target) for name in simulation.fleets}

    def minute() -> None:
        for name, fleet in simulation.fleets.items():
            wanted = policies[name].wanted(metric(fleet), fleet.service.running())
            if wanted is not None and not (wanted < fleet.target.desired and fleet.target.is_deploying):
                fleet.target.set(wanted)

    # The minute's metric comes up to a minute later.
    simulation.clock.every(60, 90, minute)
