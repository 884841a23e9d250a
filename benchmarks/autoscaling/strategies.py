"""What scales the fleets of a simulation: the synthesized policies, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.autoscaling.alarms import Alarms
from benchmarks.autoscaling.pauses import Pauses
from benchmarks.autoscaling.scaling import Target, TargetTracking
from benchmarks.autoscaling.simulation import Fleet, Simulation
from benchmarks.autoscaling.synthesized import Scaled
from scythe_worker.backlog import OFFSET, PERIOD
from scythe_worker.backlog_stats import Figures
from scythe_worker.rollout import LOOK_SECONDS


class Synthesized:
    """Scales a simulation as AWS would with the synthesized alarms and policies."""

    def __init__(self, simulation: Simulation, scaled: Mapping[str, Scaled]) -> None:
        self._simulation = simulation
        targets: dict[str, Target] = {}
        for name, item in scaled.items():
            fleet = simulation.fleets.get(name.removesuffix("-on-demand"))
            if fleet is not None:
                is_own = name in simulation.fleets
                targets[name] = fleet.target if is_own else simulation.add_fallback(fleet, item.most)
        alarms = Alarms(simulation.clock, simulation.random, scaled, targets)
        self._cloudwatch = alarms.cloudwatch
        self._demands = {
            dict(metric.dimensions)["Fleet"]: metric.key
            for metric in alarms.metrics
            if metric.name == "Demand"
        }
        self._counted = {
            dict(metric.dimensions)["ServiceName"]: metric.key
            for metric in alarms.metrics
            if metric.namespace == "AWS/ECS"
        }
        first = simulation.random.uniform(0, LOOK_SECONDS)
        self._pauses = {
            name: Pauses(simulation.clock, fleet, LOOK_SECONDS, first)
            for name, fleet in simulation.fleets.items()
            if simulation.conditions.pauses
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
            fleet.note_demand()
            if name in self._pauses:
                queue = fleet.queue
                self._pauses[name].note(Figures(queue.queued, queue.running, 0, fleet.demand))
            self._cloudwatch.put(self._demands[name], fleet.demand, delay=delay)

    def _count_tasks(self) -> None:
        """ECS's own metric, of which each task that runs is a sample; it comes a minute or two later."""
        for name, key in self._counted.items():
            delay = self._simulation.random.uniform(30, 90)
            for _ in range(self._simulation.fleets[name].service.up):
                self._cloudwatch.put(key, 1.0, delay=delay)


def fixed(simulation: Simulation) -> None:
    """The guide's fleet, which has bounds but nothing that scales it.

    Somebody sets it to its maximum as the play begins, and to nothing an hour after the end.
    """

    def start() -> None:
        for fleet in simulation.fleets.values():
            fleet.target.set(fleet.size.most)

    simulation.clock.at(simulation.begin + 1, start)


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
            if wanted is not None and not (wanted < fleet.target.desired and fleet.target.deploying()):
                fleet.target.set(wanted)

    # The minute's metric comes up to a minute later.
    simulation.clock.every(60, 90, minute)
