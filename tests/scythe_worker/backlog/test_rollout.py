"""Workers that ECS would end if they were idle are paused, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scythe_worker.backlog_settings import BacklogSettings, Fleet
from scythe_worker.backlog_stats import Figures
from scythe_worker.rollout import CALLS, LOOK_SECONDS, Rollout
from tests.scythe_worker.backlog.conftest import Engine, engine

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = "ecs-svc/1111111111111111111", "ecs-svc/2222222222222222222"
LEAF = Fleet("simulations", "leaf", 1, None, ("simulations", "simulations-on-demand"))
FAN = Fleet("fanouts", "fan", 8)
LABELS = {OLD: "test-simulations:11", NEW: "test-simulations:12"}


@dataclass
class Worker:
    """A worker, and its ECS task."""

    number: int
    service: str = "simulations"
    deployment: str = OLD
    is_paused: bool = False
    busy: int = 1
    slots: int = 1
    minutes: float = 0
    labels: Sequence[str] = ()
    ends: bool = False

    @property
    def fleet(self) -> str:
        return self.service.removesuffix("-on-demand")

    @property
    def task(self) -> str:
        return f"{self.number:032x}"

    def row(self) -> dict[str, Any]:
        given = {"ecs_service": self.service, "ecs_task_definition": LABELS[self.deployment]}
        return {
            "metadata": {
                "id": f"worker-{self.number}",
                "createdAt": (T0 + timedelta(minutes=self.minutes)).isoformat(),
            },
            "name": f"test-{self.fleet}-{self.task}-eu-west-1a",
            "status": "PAUSED" if self.is_paused else "ACTIVE",
            "slotConfig": {"default": {"available": self.slots - self.busy, "limit": self.slots}},
            "labels": [{"key": key, "value": given[key]} for key in self.labels],
        }

    def described(self) -> dict[str, Any]:
        return {
            "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/test-workers/{self.task}",
            "startedBy": self.deployment,
            "group": f"service:{self.service}",
            "desiredStatus": "STOPPED" if self.ends else "RUNNING",
        }


@dataclass
class World:
    """The services, their tasks and workers, and what is asked."""

    engine: Engine
    workers: list[Worker] = field(default_factory=list)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def put(
        self,
        name: str,
        desired: int,
        running: int,
        *deployments: str,
        definitions: Mapping[str, str] = LABELS,
    ) -> None:
        """A service with its deployments, the newest first."""
        self.services[name] = {
            "serviceName": name,
            "desiredCount": desired,
            "runningCount": running,
            "deployments": [
                {
                    "id": each,
                    "status": "ACTIVE" if place else "PRIMARY",
                    "taskDefinition": f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{definitions[each]}",
                    "createdAt": T0 + timedelta(minutes=-60 if each == OLD else 10),
                }
                for place, each in enumerate(deployments)
            ],
        }

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        assert cluster == "test-workers" and len(services) <= 10
        self.calls.append(("services", len(services)))
        if self.fault:
            raise self.fault
        return {"services": [self.services[name] for name in services if name in self.services]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert cluster == "test-workers" and len(tasks) <= 100
        self.calls.append(("tasks", len(tasks)))
        return {"tasks": [worker.described() for worker in self.workers if worker.task in tasks]}

    def look(self, rollout: Rollout) -> dict[str, bool]:
        """What one look tells the engine, which does it: paused or not, by worker."""
        self.engine.body = json.dumps({"rows": [worker.row() for worker in self.workers]}).encode()
        self.engine.told.clear()
        rollout.look()
        told = {path.rpartition("/")[2]: body["isPaused"] for path, body in self.engine.told}
        assert all(path.startswith("/api/v1/workers/") for path, _ in self.engine.told)
        self.workers = [
            replace(worker, is_paused=told.get(f"worker-{worker.number}", worker.is_paused))
            for worker in self.workers
        ]
        return told

    def rollout(self, *fleets: Fleet) -> Rollout:
        settings = BacklogSettings(
            self.engine.url, "our-tenant", "a-token", "Scythe/test", fleets or (LEAF, FAN), "test-workers"
        )
        return Rollout(settings, self, lambda level, message, **more: self.log.append(message))


@pytest.fixture
def world() -> Iterator[World]:
    with engine() as it:
        yield World(it)


def ids(*numbers: int) -> list[str]:
    return [f"worker-{number}" for number in numbers]


def figures(**demands: int) -> dict[str, Figures]:
    return {name: Figures(demand, 0, 0, demand) for name, demand in demands.items()}


def test_without_anything_to_do_it_makes_three_calls_a_minute_and_asks_no_engine(world: World) -> None:
    world.put("simulations", 5, 5, OLD)
    rollout = world.rollout()
    world.look(rollout)
    world.engine.asked.clear()
    world.calls.clear()
    for _ in range(3):
        assert world.look(rollout) == {}
    assert world.calls == [("services", 3)] * 3
    assert not world.engine.asked
    assert LOOK_SECONDS == 20


@pytest.mark.parametrize("known_by", ["its definition", "its registration", "ECS"])
def test_the_workers_of_a_superseded_deployment_are_paused(world: World, known_by: str) -> None:
    definitions = LABELS if known_by == "its definition" else dict.fromkeys(LABELS, "test-simulations:12")
    world.put("simulations", 4, 4, NEW, OLD, definitions=definitions)
    if known_by != "its registration":
        world.put("simulations-on-demand", 0, 0, OLD, definitions=definitions)
    labels = ("ecs_service", "ecs_task_definition") if known_by == "its definition" else ()
    minutes = 20 if known_by == "ECS" else 0
    world.workers = [
        *(Worker(number, labels=labels, minutes=minutes) for number in range(3)),
        Worker(3, deployment=NEW, labels=labels, minutes=20),
    ]
    rollout = world.rollout()
    assert world.look(rollout) == dict.fromkeys(ids(0, 1, 2), True)
    assert rollout.pausing == {"simulations"}
    assert world.look(rollout) == {}
    assert ("tasks", 4) in world.calls or known_by != "ECS"
    # A lost old task is replaced by one of the old revision.
    world.workers.append(Worker(4, labels=labels, minutes=30))
    assert world.look(rollout) == {"worker-4": True}


def test_a_rollback_unpauses_them_but_none_that_ends(world: World) -> None:
    world.put("simulations", 4, 4, NEW, OLD)
    world.workers = [Worker(number) for number in range(3)]
    rollout = world.rollout()
    world.look(rollout)
    world.put("simulations", 4, 4, OLD, NEW)
    world.workers[1].ends = True
    world.workers.append(Worker(3, is_paused=True, ends=True))
    world.workers.append(Worker(4, deployment=NEW, minutes=20))
    assert world.look(rollout) == {"worker-0": False, "worker-2": False, "worker-4": True}
    world.put("simulations", 4, 3, OLD)
    world.workers = world.workers[:1]
    assert world.look(rollout) == {}
    assert rollout.pausing == frozenset()


def test_after_a_start_it_unpauses_what_another_has_paused(world: World) -> None:
    world.put("simulations", 4, 4, OLD)
    world.workers = [Worker(0, is_paused=True), Worker(1, is_paused=True, ends=True), Worker(2)]
    assert world.look(world.rollout()) == {"worker-0": False}


def test_a_fallback_that_has_ended_is_paused_as_far_as_spot_is_there(world: World) -> None:
    world.put("simulations", 10, 4, OLD)
    world.put("simulations-on-demand", 0, 8, OLD)
    spot = [Worker(number) for number in range(4)]
    world.workers = [*spot, *(Worker(number, "simulations-on-demand") for number in range(20, 28))]
    rollout = world.rollout()
    rollout.note(figures(simulations=10))
    # 10 are needed, 12 are there.
    assert sorted(world.look(rollout)) == ids(20, 21)
    assert world.look(rollout) == {}
    world.put("simulations", 10, 10, OLD)
    world.workers += [Worker(number) for number in range(4, 10)]
    assert sorted(world.look(rollout)) == ids(22, 23, 24, 25, 26, 27)
    # One Spot task is lost for a moment.
    world.put("simulations", 10, 9, OLD)
    lost = world.workers.pop()
    assert world.look(rollout) == {}
    world.workers.append(lost)
    # Spot is gone again.
    world.put("simulations-on-demand", 8, 8, OLD)
    assert world.look(rollout) == dict.fromkeys(ids(*range(20, 28)), False)


def test_a_lowered_count_pauses_what_is_too_much_the_idle_first_and_gives_it_back(world: World) -> None:
    world.put("fanouts", 2, 5, OLD)
    world.workers = [Worker(n, "fanouts", busy=n % 3, slots=8) for n in range(5)]
    rollout = world.rollout()
    rollout.note(figures(fanouts=5))
    assert world.look(rollout) == {}
    assert world.look(rollout) == dict.fromkeys(ids(0, 3, 1), True)
    world.put("fanouts", 4, 5, OLD)
    assert sorted(world.look(rollout).values()) == [False, False]
    world.put("fanouts", 5, 5, OLD)
    assert list(world.look(rollout).values()) == [False]


def test_a_scatter_gather_is_never_left_without_a_worker_for_what_it_waits_for(world: World) -> None:
    world.put("fanouts", 2, 2, NEW, OLD)
    world.workers = [Worker(0, "fanouts", busy=8, slots=8), Worker(1, "fanouts", busy=1, slots=8)]
    rollout = world.rollout()
    rollout.note({"fanouts": Figures(queued=4, running=9, demand=3)})
    assert world.look(rollout) == {"worker-0": True}
    # A new one is there.
    world.workers.append(Worker(2, "fanouts", deployment=NEW, slots=8, minutes=20))
    assert world.look(rollout) == {"worker-1": True}
    # It is lost, and something is queued.
    world.workers.pop()
    assert world.look(rollout) == {"worker-1": False}
    rollout.note({"fanouts": Figures(queued=0, running=9, demand=2)})
    assert world.look(rollout) == {"worker-1": True}


def test_five_thousand_workers_take_a_few_calls_a_look(world: World) -> None:
    world.put("simulations", 5000, 5000, NEW, OLD)
    world.workers = [Worker(number, labels=("ecs_service", "ecs_task_definition")) for number in range(600)]
    rollout = world.rollout()
    assert len(world.look(rollout)) == 600
    assert world.calls == [("services", 3)]
    # Nobody tells whose they are, and both services are deployed with one definition.
    world.calls.clear()
    same = dict.fromkeys(LABELS, "test-simulations:12")
    world.put("simulations", 5000, 5000, NEW, OLD, definitions=same)
    world.workers = [Worker(number, minutes=20) for number in range(1000, 1600)]
    assert len(world.look(rollout)) == 100 * CALLS
    assert len(world.look(rollout)) == 600 - 100 * CALLS
    assert len(world.calls) == 2 + 6


def test_what_fails_is_said_once_and_tried_again(world: World) -> None:
    world.put("simulations", 1, 1, NEW, OLD)
    world.workers = [Worker(0)]
    rollout = world.rollout()
    world.fault = ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeServices")
    assert world.look(rollout) == world.look(rollout) == {}
    assert world.log == ["ECS: AccessDeniedException"]
    world.fault = None
    world.engine.status = 503
    world.look(rollout)
    assert world.log[1:] == ["the engine answers 503"]
    world.engine.status = 200
    assert world.look(rollout) == {"worker-0": True}
    assert world.log[2:] == ["workers paused"]
