"""The backlog service's pausing of workers (`scythe_worker.rollout`), by its own rules."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.fargate import Service, Task
from benchmarks.autoscaling.simulation import Fleet
from scythe_worker import deployments
from scythe_worker.backlog_stats import Figures
from scythe_worker.deployments import Deployment, Judged
from scythe_worker.listed import Listed
from scythe_worker.pausing import wanted

_EVER = datetime(2026, 1, 1, tzinfo=UTC)


class Pauses:
    """Looks at a fleet's services, and pauses and unpauses workers."""

    def __init__(self, clock: Clock, fleet: Fleet, every: float, first: float) -> None:
        """Look again and again.

        Args:
            clock: the play's.
            fleet: whose workers are paused.
            every: seconds between two looks.
            first: the first one.
        """
        self._fleet = fleet
        self._figures: Figures | None = None
        self._over: frozenset[str] = frozenset()
        self._paused: dict[str, tuple[Service, Task]] = {}
        clock.every(every, first, self._look)

    def note(self, figures: Figures) -> None:
        """Take the figures that are published."""
        self._figures = figures

    def _look(self) -> None:
        services = self._fleet.services
        found = [self._found(place, service) for place, service in enumerate(services)]
        self._paused = {id_: it for id_, it in self._paused.items() if not it[1].is_gone}
        if not self._paused and not any(service.superseded or service.over for service in found):
            self._over = frozenset()
            return
        there = {
            f"{place}-{task.number:08}": (service, task)
            for place, service in enumerate(services)
            for task in service.tasks
            if task.is_up
        }
        judgements = [
            Judged(
                Listed(id_, self._fleet.name, id_, task.is_paused, len(task.work)),
                found[int(id_.partition("-")[0])],
                task.generation != service.generation,
            )
            for id_, (service, task) in there.items()
        ]
        role = self._fleet.size.role
        chosen = {
            worker.id for worker in wanted(role, found, judgements, self._paused, self._over, self._figures)
        }
        self._over = frozenset(service.name for service in found if service.over)
        for id_ in sorted(chosen ^ set(self._paused)):
            service, task = there[id_]
            service.pause(task, paused=id_ in chosen)
        self._paused = {id_: there[id_] for id_ in chosen}
        self._fleet.queue.dispatch()

    def _found(self, place: int, service: Service) -> deployments.Service:
        """A service as ECS describes it."""
        primary = Deployment(str(service.generation), "", _EVER)
        older = {task.generation for task in service.tasks} - {service.generation}
        superseded = tuple(Deployment(str(number), "", _EVER) for number in sorted(older))
        return deployments.Service(
            f"{self._fleet.name}-{place}", self._fleet.name, service.desired, service.up, primary, superseded
        )
