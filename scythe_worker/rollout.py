"""Pauses the workers that ECS would end if they were idle, so that they end at all while there is work.

ECS ends no protected task, and a worker with a queue is never idle. So a rollout under load would wait until the queue
is empty, and so would scale-in. The backlog service therefore looks at the services every 20 s, and has the
engine send nothing new to

- the workers of a superseded deployment. ECS replaces each once it is unprotected; a task that ends by itself would be
  replaced by one of the same old revision (AWS, November 2025, "Amazon ECS improves Service Availability during Rolling
  deployments");
- workers beyond the desired count of their service, as at a schedule's end, or of a fallback that has ended.

A paused worker finishes what it runs, releases its protection, and is stopped by ECS. It is unpaused when its deployment
is the newest again, or when its service wants it back.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from urllib.parse import quote

from scythe_worker import listed as engine
from scythe_worker import pausing
from scythe_worker.backlog_settings import BacklogSettings
from scythe_worker.backlog_stats import AwayError, Figures, request
from scythe_worker.deployments import TASKS, Ecs, Judged, Owner, Service, judged, owners, services
from scythe_worker.listed import Listed

LOOK_SECONDS = 20.0
CALLS = 4
"""ECS calls, at most, for tasks in one look, and for services in each of its `LOOK_SECONDS`."""

AT_A_TIME = 8
"""Requests to the engine: a fleet of 5,000 is paused within a minute."""


class Say(Protocol):
    """Writes a line of the log."""

    def __call__(self, level: str, message: str, **more: object) -> None:
        """Write it."""


class Rollout:
    """Looks at the services, and pauses and unpauses workers, in a thread of its own.

    Attributes:
        pausing: the fleets with paused workers.
    """

    def __init__(self, settings: BacklogSettings, client: Ecs, say: Say) -> None:
        """Begin without knowing anything: workers that are paused already are looked at first.

        Args:
            settings: the cluster, its fleets, and the engine.
            client: boto3's for ECS.
            say: writes the log.
        """
        self._settings, self._client, self._say = settings, client, say
        self._fleet_of = {
            name: fleet.name for fleet in settings.fleets for name in fleet.services or (fleet.name,)
        }
        self.pausing: frozenset[str] = frozenset()
        self._figures: Mapping[str, Figures] = {}
        self._known: dict[str, Owner] = {}
        # Ids of the workers that were paused here.
        self._ours: set[str] | None = None
        self._over: frozenset[str] = frozenset()
        self._trouble = ""

    def note(self, figures: Mapping[str, Figures]) -> None:
        """Take the newest figures."""
        self._figures = figures

    def start(self, wait: Callable[[float], None] = time.sleep) -> None:
        """Look again and again."""

        def run() -> None:
            while True:
                self.look()
                calls = -(-len(self._fleet_of) // 10)
                wait(LOOK_SECONDS * max(1, -(-calls // CALLS)))

        threading.Thread(target=run, name="rollout", daemon=True).start()

    def look(self) -> None:
        """Look once. What fails is logged, and tried again at the next look."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._look()
        except AwayError as error:
            self._failed(str(error))
        except ClientError as error:
            self._failed(f"ECS: {error.response.get('Error', {}).get('Code', 'an error')}")
        except BotoCoreError as error:
            self._failed(f"ECS: {type(error).__name__}")
        except Exception as error:  # The metrics are published all the same.
            self._failed(f"{type(error).__name__}: {error}")
        else:
            self._trouble = ""

    def _failed(self, what: str) -> None:
        if what != self._trouble:
            self._trouble = what
            self._say("warning", what, consequence="no worker is paused until it is over")

    def _look(self) -> None:
        found = services(self._client, self._settings.cluster, self._fleet_of)
        if self._ours is not None and not self._ours and not any(_concerns(service) for service in found):
            self._over = self.pausing = frozenset()
            return
        listed = engine.workers(self._settings)
        ids = {worker.id for worker in listed}
        # After a start nobody knows who paused them.
        before = {worker.id for worker in listed if worker.is_paused} if self._ours is None else self._ours
        ours = before & ids
        alive = {worker.task for worker in listed}
        self._known = {task: owner for task, owner in self._known.items() if task in alive}
        judgements = self._judge(found, listed)
        wanted: set[Listed] = set()
        for fleet in self._settings.fleets:
            of_fleet = [one for one in judgements if one.worker.fleet == fleet.name]
            figures = self._figures.get(fleet.name)
            its = [service for service in found if service.fleet == fleet.name]
            wanted |= pausing.wanted(fleet.role, its, of_fleet, ours, self._over, figures)
        self._over = frozenset(service.name for service in found if service.over)
        self.pausing = frozenset(worker.fleet for worker in wanted)
        self._ours = ours
        self._put([worker for worker in wanted if not worker.is_paused], paused=True)
        self._undo([worker for worker in listed if worker.id in ours and worker not in wanted])

    def _judge(self, found: Sequence[Service], listed: Sequence[Listed]) -> list[Judged]:
        """Judge all workers, asking ECS about those of which nothing else tells enough."""
        of_fleet: defaultdict[str, list[Service]] = defaultdict(list)
        for service in found:
            of_fleet[service.fleet].append(service)

        def judge(worker: Listed) -> Judged:
            return judged(worker, of_fleet[worker.fleet], self._known)

        judgements = [judge(worker) for worker in listed]
        unclear = [
            one.worker.task for one in judgements if pausing.is_unclear(one, of_fleet[one.worker.fleet])
        ]
        if not unclear:
            return judgements
        for task, owner, _ in owners(self._client, self._settings.cluster, unclear[: TASKS * CALLS]):
            self._known[task] = owner
        return [judge(worker) for worker in listed]

    def _undo(self, workers: Sequence[Listed]) -> None:
        """Unpause workers, but none that ECS has told to end: they have paused themselves."""
        if not workers or self._ours is None:
            return
        asked = workers[: TASKS * CALLS]
        run_on = {
            task: runs
            for task, _, runs in owners(
                self._client, self._settings.cluster, [worker.task for worker in asked]
            )
        }
        back = [worker for worker in asked if run_on.get(worker.task)]
        self._ours -= {worker.id for worker in asked} - {worker.id for worker in back}
        self._put(back, paused=False)

    def _put(self, workers: Sequence[Listed], *, paused: bool) -> None:
        """Pause or unpause workers, several at a time; the first fault is raised at the end."""
        if not workers or self._ours is None:
            return

        def put(worker: Listed) -> AwayError | None:
            try:
                request(self._settings, "PATCH", f"workers/{quote(worker.id, safe='')}", {"isPaused": paused})
            except AwayError as error:
                return error
            return None

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            faults = dict(zip(workers, pool.map(put, workers), strict=True))
        done = {worker.id for worker, fault in faults.items() if fault is None}
        # Not before: what was not paused here is not unpaused here.
        self._ours = self._ours | done if paused else self._ours - done
        if done:
            fleets = {name: sum(worker.fleet == name for worker in workers) for name in _fleets(workers)}
            self._say("info", "workers paused" if paused else "workers unpaused", **fleets)
        for fault in filter(None, faults.values()):
            raise fault


def _concerns(service: Service) -> bool:
    return bool(service.superseded or service.over)


def _fleets(workers: Iterable[Listed]) -> list[str]:
    return sorted({worker.fleet for worker in workers})
