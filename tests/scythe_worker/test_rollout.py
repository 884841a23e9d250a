"""A full queue through a scale-in and a rollout, on a real engine and a strict ECS: each simulation runs once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scythe_worker.backlog import Publisher
from scythe_worker.backlog_settings import BacklogSettings, Fleet
from scythe_worker.protection import put_protection
from scythe_worker.rollout import Rollout
from tests.support.hatchet.ecs import EcsTask, ecs, now
from tests.support.hatchet.engine import TENANT, Hatchet, hatchet
from tests.support.hatchet.runs import Runs
from tests.support.hatchet.services import Service
from tests.support.hatchet.workers import Workers, workers

FLEET = "simulations"
LONG = "scythe_experiment_long"
SLOTS = 4
SECONDS = 6.0
QUEUED = 12
LOOK_SECONDS = 2.0
SENT_SECONDS = 3.0
"""The engine's scheduler hears of a pause about a second later."""

WHOLE_SECONDS = 600


@dataclass
class Tasks:
    """A service without workers."""

    name: str = FLEET
    desired: int = 1
    revision: int = 1
    tasks: list[EcsTask] = field(default_factory=list)

    def running(self) -> list[EcsTask]:
        return self.tasks

    def created(self, revision: int) -> Any:
        return now()


def test_the_strict_ecs_refuses_what_ecs_refuses_and_leaves_what_is_in_force() -> None:
    with ecs("rolls-workers", minute=0.01) as it:
        first, second = EcsTask("a" * 32, 1), EcsTask("b" * 32, 1)
        service = Tasks(tasks=[first, second])
        it.add(service)
        agents = [it.variables(task.id)["ECS_AGENT_URI"] for task in service.tasks]
        assert put_protection(agents[0], 2880) == ""
        until = first.until
        assert put_protection(agents[1], 5).startswith("DEPLOYMENT_BLOCKED: ")
        service.desired = 0
        assert put_protection(agents[0], 5).startswith("DEPLOYMENT_BLOCKED: ")
        for minutes in (0, 2881):
            assert put_protection(agents[0], minutes).startswith("InvalidParameterException: ")
        it.throttles = 1
        assert put_protection(agents[0], None).startswith("ThrottlingException: ")
        assert first.until == until
        assert put_protection(agents[0], None) == ""
        assert not first.is_protected
        service.tasks.clear()
        assert put_protection(agents[0], 5).startswith("TASK_NOT_VALID: ")
        service.tasks, service.desired = [second], 1
        assert put_protection(agents[1], 1) == ""
        time.sleep(0.05)
        assert not second.is_protected


@dataclass
class World:
    """An engine, a service, and the backlog service, whose demand is the desired count up to a maximum."""

    engine: Hatchet
    workers: Workers
    service: Service
    publisher: Publisher
    rollout: Rollout
    runs: Runs
    started: list[str] = field(default_factory=list)
    demand: int = 0
    most: int = 2
    feeds: bool = True

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        """CloudWatch."""
        self.demand = next(int(item["Value"]) for item in MetricData if item["MetricName"] == "Demand")

    def pass_until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until something holds."""
        until, look = time.monotonic() + WHOLE_SECONDS, 0.0
        while not holds():
            assert time.monotonic() < until, self.workers.log.read_text()[-6000:]
            self.feed()
            if time.monotonic() >= look:
                look = time.monotonic() + LOOK_SECONDS
                self.publisher.step()
                self.service.set_desired(min(self.most, self.demand))
                self.rollout.look()
            self.service.reconcile()
            time.sleep(0.2)

    def feed(self) -> None:
        """Keep the queue full."""
        while self.feeds and len(self.started) - len(self.workers.notes("start")) < QUEUED:
            self.started.append(self.runs.start(LONG, seconds=SECONDS, sort_index=len(self.started)))

    def busy(self) -> set[int]:
        """The processes that have begun a simulation and not ended it."""
        ended = {note.spec for note in self.workers.notes("end")}
        return {note.pid for note in self.workers.notes("start") if note.spec not in ended}


@contextmanager
def world(folder: Path, say: Callable[..., None]) -> Iterator[World]:
    with (
        hatchet(folder) as engine,
        workers(folder / "workers", engine) as them,
        ecs("rolls-workers") as control,
    ):
        settings = BacklogSettings(
            engine.url, TENANT, engine.token, "Scythe/rolls", (Fleet(FLEET, "leaf", SLOTS),), control.cluster
        )
        given = {"SCYTHE_WORKER_DOES_FAN": "False", "SCYTHE_WORKER_SLOTS": str(SLOTS)}
        service = Service(FLEET, them, control, given, "rolls")
        rollout = Rollout(settings, control, say)
        it: World
        publisher = Publisher(settings, _Later(lambda: it), folder / "published", log=lambda _: None)
        publisher.rollout = rollout
        it = World(engine, them, service, publisher, rollout, Runs(engine))
        yield it


@dataclass
class _Later:
    """CloudWatch, before there is a world."""

    world: Callable[[], World]

    def put_metric_data(self, **given: Any) -> None:
        self.world().put_metric_data(**given)


@pytest.mark.engine
@pytest.mark.timeout(900)
def test_nothing_is_interrupted_by_a_scale_in_or_a_rollout_under_load(tmp_path: Path) -> None:
    said: list[str] = []
    with world(tmp_path, lambda level, message, **more: said.append(message)) as it:
        # The first worker registers the task.
        it.service.set_desired(1)
        it.service.reconcile()
        it.workers.wait_until(lambda: _registered(it))
        it.pass_until(lambda: len(it.busy()) == 2)

        # A schedule ends.
        it.most = 1
        it.pass_until(lambda: len(it.service.tasks) == 1)
        (gone,) = it.service.stopped
        assert gone.process.pid not in it.busy()
        it.most = 2
        it.pass_until(lambda: len(it.busy()) == 2)

        it.service.roll()
        old = {task.process.pid for task in it.service.tasks}
        it.pass_until(lambda: "workers paused" in said[1:] and it.rollout.pausing == {FLEET})
        paused = time.time()
        it.pass_until(lambda: all(task.revision == 2 for task in it.service.tasks))
        assert not old & it.busy()
        late = [
            note for note in it.workers.notes("start") if note.pid in old and note.at > paused + SENT_SECONDS
        ]
        assert not late
        it.pass_until(lambda: bool(it.busy() - old))

        it.feeds = False
        count = len(it.started)
        it.pass_until(lambda: len(it.workers.notes("end")) == count)
        assert [it.runs.ended(run).status for run in it.started] == ["COMPLETED"] * count
        for what in ("start", "end"):
            assert Counter(note.spec for note in it.workers.notes(what)) == dict.fromkeys(range(count), 1)
        ((retried,),) = it.engine.query("SELECT sum(retry_count) FROM v1_task")
        assert retried == "0"
        it.most = 0
        it.pass_until(lambda: not it.service.tasks)
        assert {task.process.wait(60) for task in it.service.stopped} == {0}


def _registered(it: World) -> bool:
    ((count,),) = it.engine.query('SELECT count(*) FROM "Worker" WHERE "isActive"')
    return count == "1"
