"""What a play comes to."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.autoscaling.simulation import Fleet, FleetSize, Simulation
from ops.cost.prices import task_usd_per_hour


@dataclass(frozen=True)
class Figures:
    """The figures of one fleet in one play; times in seconds, None where it never came to that.

    Attributes:
        first_decided: from the first queued task until the fleet was given a task.
        first_started: until the first one ran.
        full_decided: until the fleet was given as many tasks as its work fills, or its maximum.
        full_started: until so many took work.
        over: the share of the task-seconds for which there was no demand.
        cost: US dollars.
        lost_to_scale_in: seconds of work that scale-in made to be done again.
        lost_to_spot: the same, for Spot.
        asleep: from the end of the work until no task was left.
        makespan: from the first queued task until the end of the work.
        most: the most tasks at a time.
        full_from_allocation: from the first allocation until the full fleet was decided.
        set_back: how often it was scaled in below a demand that it had all along.
        rollout: seconds that the longest deployment took.
        fallback_until: from the beginning until the last on-demand task that stood in ended.
    """

    first_decided: float | None
    first_started: float | None
    full_decided: float | None
    full_started: float | None
    over: float
    cost: float
    lost_to_scale_in: float
    lost_to_spot: float
    asleep: float | None
    makespan: float
    most: int
    full_from_allocation: float | None
    set_back: int
    rollout: float | None
    fallback_until: float | None


def figures(simulation: Simulation, fleet: Fleet) -> Figures:
    """The figures of a fleet once all is played."""
    queue = fleet.queue
    begin = queue.first_queued
    end = queue.last_finished or 0
    if begin is None or simulation.ended is None:
        raise ValueError(f"{fleet.name}: nothing was played")
    step = fleet.samples[1].time - fleet.samples[0].time
    demanded = [min(sample.tasks, sample.demand) for sample in fleet.samples]
    tasks = sum(sample.tasks for sample in fleet.samples)
    ended = end - simulation.begin
    left = [sample.time for sample in fleet.samples if sample.time > ended and not sample.tasks]

    def since(moment: float | None) -> float | None:
        return None if moment is None else max(0.0, moment - (begin or 0))

    services = fleet.services
    spot, *standing_in = (
        service.task_seconds() - before for service, before in zip(services, fleet.billed_before, strict=True)
    )
    rolled = [seconds for service in services for seconds in service.rolled]
    return Figures(
        since(fleet.decided),
        since(queue.first_started),
        since(fleet.filled),
        since(None if fleet.full is None else fleet.full + simulation.begin),
        1 - sum(demanded) / tasks if tasks else 0.0,
        _cost(fleet.size, spot, spot=True) + sum(_cost(fleet.size, it, spot=False) for it in standing_in),
        sum(service.lost_to_scale_in for service in services),
        sum(service.lost_to_spot for service in services),
        left[0] - ended if left and step else None,
        end - begin,
        max(sample.tasks for sample in fleet.samples),
        None if fleet.filled is None else fleet.filled - simulation.experiments[0].at,
        len(fleet.set_back),
        max(rolled, default=None),
        fleet.fallback_until,
    )


def _cost(size: FleetSize, seconds: float, *, spot: bool) -> float:
    """The price of tasks on x86_64 (`ops.cost.prices`)."""
    return seconds / 3600 * task_usd_per_hour(size.vcpu, size.gib, "x86_64", spot=spot)
