"""Which workers of a fleet are to be paused; the simulator (`benchmarks.autoscaling`) decides by it too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from scythe_worker.backlog_stats import Figures
from scythe_worker.deployments import Judged, Service
from scythe_worker.listed import Listed


def wanted(
    role: str, found: Sequence[Service], judgements: Sequence[Judged], ours: Collection[str],
    over: Collection[str], figures: Figures | None,
) -> set[Listed]:  # fmt: skip
    """The workers of a fleet that are to be paused, whether they are already or not.

    Args:
        role: the fleet's.
        found: its services.
        judgements: its workers.
        ours: ids of the workers that were paused by this rule; others that are paused are about to end.
        over: names of the services that had too many tasks at the look before.
        figures: the newest; None where there are none yet.
    """
    paused = {
        one.worker
        for one in judgements
        # What is not known yet stays as it is.
        if one.superseded or (one.worker.id in ours and is_unclear(one, found))
    }
    leaving = {one.worker for one in judgements if one.worker.is_paused and one.worker.id not in ours}
    paused |= _surplus(found, judgements, paused | leaving, ours, over, figures)
    return (
        _without_one(judgements, paused, leaving) if role == "fan" and figures and figures.queued else paused
    )


def is_unclear(one: Judged, found: Iterable[Service]) -> bool:
    """Whether more must be known of a worker to decide."""
    return one.superseded is None or (one.service is None and any(service.over for service in found))


def _surplus(
    found: Sequence[Service], judgements: Sequence[Judged], gone: set[Listed], ours: Collection[str],
    over: Collection[str], figures: Figures | None,
) -> set[Listed]:  # fmt: skip
    """Workers beyond the desired count, but never so many that the demand lacks one.

    Those that are paused already stay so: one that is unpaused takes another simulation.
    """
    there = [one for one in judgements if one.worker not in gone]
    needed = min(figures.demand if figures else len(there), sum(service.desired for service in found))
    surplus: set[Listed] = set()
    for service in found:
        # A count that has just been lowered may be raised again; one of 0 ends the service.
        if not service.over or (service.desired and service.name not in over):
            continue
        of_service = sum(bool(one.service and one.service.name == service.name) for one in judgements)
        rest = [one.worker for one in there if one.service and one.service.name == service.name]
        rest.sort(key=lambda worker: (worker.id not in ours, worker.busy, worker.id))
        too_many = rest[: max(0, service.over - (of_service - len(rest)))]
        kept = [worker for worker in too_many if worker.id in ours]
        new = too_many[len(kept) :]
        left = sum(one.worker.id not in ours and one.worker not in surplus for one in there)
        surplus |= {*kept, *new[: max(0, left - needed)]}
    return surplus


def _without_one(judgements: Sequence[Judged], paused: set[Listed], leaving: set[Listed]) -> set[Listed]:
    """All of them, or all but one where no other worker would be left for what is queued.

    A scatter_gather waits for others of the same fleet: with all workers paused it would wait for a new one, which ECS
    starts only when an old one ends.
    """
    if not paused or any(one.worker not in paused and one.worker not in leaving for one in judgements):
        return paused
    spared = min(paused - leaving or paused, key=lambda worker: (worker.is_paused, worker.busy, worker.id))
    return paused - {spared}
