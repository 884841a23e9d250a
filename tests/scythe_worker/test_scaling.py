"""From no worker to the demand's and back: the real backlog metric, the synthesized policies, real workers.

A real engine has the work, ``python -m scythe_worker backlog`` publishes to the local AWS's CloudWatch each ten
seconds, and the simulator's CloudWatch and Application Auto Scaling (`benchmarks.autoscaling`), with the alarms and
policies as Terraform plans them, decide by what is read there. As many real workers run as they decide; as by ECS,
none is stopped that has protected itself at the ECS agent.

Compressed are Fargate's own start of a task, which is left out, and of the quiet time before sleep all but its first
seconds: once every worker has given up its protection, figures like the latest published ones, none queued and none
running, are repeated at once. All else takes its real time, the publisher's and the alarms' ten seconds too.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.autoscaling.synthesized import Scaled, of_environment
from environments.loading import load
from environments.schema import Environment
from local_aws import LocalAws
from modules.common.metrics import DEMAND
from scythe_worker.backlog import PERIOD
from scythe_worker.backlog_settings import FLEETS, NAMESPACE
from tests.support.hatchet.allocation import allocate, check_results, forget, register
from tests.support.hatchet.autoscaler import Autoscaler
from tests.support.hatchet.ecs import ecs
from tests.support.hatchet.engine import Hatchet, hatchet
from tests.support.hatchet.runs import Runs
from tests.support.hatchet.services import Service
from tests.support.hatchet.truth import Truth, truth
from tests.support.hatchet.workers import Workers, workers

MOST, SLOTS = 4, 4
ENVIRONMENT = f"""
name: wakes
storage: {{existing: true, bucket: results}}
workers:
  simulations: {{role: leaf, slots: {SLOTS}, scaling: {{min: 0, max: {MOST}}}}}
  fanouts: {{role: fan, slots: 8, scaling: {{min: 0, max: 1}}}}
"""
LEAF, FAN = "simulations", "fanouts"
TASKS = {LEAF: "scythe_experiment_long", FAN: "scythe_scatter_gather"}
GIVEN = {
    LEAF: {"SCYTHE_WORKER_DOES_FAN": "False", "SCYTHE_WORKER_SLOTS": str(SLOTS)},
    FAN: {"SCYTHE_WORKER_DOES_LEAF": "False", "SCYTHE_WORKER_SLOTS": "8"},
}
PREFIX = "scaling"

LONG, SHORT = 2, 400
"""Simulations: those that last until the test lets them end, and those of half a second."""

BRANCHES = 4
WHOLE_SECONDS = 600
QUIET_MINUTES = 2

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@dataclass
class World:
    """All that runs beside the fleets' workers."""

    engine: Hatchet
    aws: LocalAws
    workers: Workers
    services: Mapping[str, Service]
    autoscaler: Autoscaler
    truth: Truth

    def pass_until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until something holds."""
        until = time.monotonic() + WHOLE_SECONDS
        while not holds():
            assert time.monotonic() < until, self.workers.log.read_text()[-6000:]
            self.autoscaler.follow()
            for service in self.services.values():
                service.reconcile()
            time.sleep(0.2)

    def is_idle(self) -> bool:
        """Whether nothing to do has been published since the last worker gave up its protection."""
        return all(
            not any(map(service.is_protected, service.tasks)) and not self.autoscaler.latest(name).demand
            for name, service in self.services.items()
        )

    def changes(self, fleet: str) -> list[int]:
        """The counts that a fleet was given, in order."""
        return [change.desired for change in self.autoscaler.changes if change.fleet == fleet]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    file = tmp_path_factory.mktemp("environment") / "wakes.yaml"
    file.write_text(ENVIRONMENT)
    return load(file)


@pytest.fixture(scope="module")
def scaled(environment: Environment) -> dict[str, Scaled]:
    return of_environment(environment)


def publisher(environment: Environment, scaled: Mapping[str, Scaled]) -> dict[str, str]:
    """The backlog service's environment variables, as its construct gives them."""
    (namespace,) = {
        metric.namespace
        for item in scaled.values()
        for rule in item.alarms
        for metric in rule.metrics.values()
        if metric.name == DEMAND
    }
    described = {
        name: {"role": fleet.role, "slots": fleet.slots, "experiments": fleet.experiments}
        for name, fleet in environment.workers.items()
    }
    return {FLEETS: json.dumps(described), NAMESPACE: namespace}


@contextmanager
def world(scaled: Mapping[str, Scaled], folder: Path) -> Iterator[World]:
    with (
        LocalAws.start() as aws,
        hatchet(folder) as engine,
        workers(
            folder / "workers", engine, **aws.variables,
            SCYTHE_STORAGE_BUCKET_PREFIX=PREFIX, SCYTHE_TIMEOUT_SCATTER_GATHER_EXECUTION="1h",
        ) as them,
        ecs("wakes-workers") as control,
        truth(engine) as counted,
    ):  # fmt: skip
        aws.client("s3").create_bucket(Bucket="results")
        services = {name: Service(name, them, control, given, "wakes") for name, given in GIVEN.items()}
        yield World(engine, aws, them, services, Autoscaler(aws, scaled, services), counted)


def test_fleets_wake_grow_in_one_step_shrink_without_loss_and_sleep(
    environment: Environment, scaled: Mapping[str, Scaled], tmp_path: Path
) -> None:
    count = LONG + SHORT
    with world(scaled, tmp_path) as it:
        leaf, fan, scaling = it.services[LEAF], it.services[FAN], it.autoscaler
        register(it.workers)
        backlog = it.workers.start("backlog", **publisher(environment, scaled))
        it.pass_until(lambda: len(scaling.published) >= 2)
        assert [item.demand for item in scaling.published] == [0, 0]
        assert not scaling.changes and not leaf.tasks and not fan.tasks

        allocated = time.time()
        experiment, run = allocate(it.workers, [3600] * LONG + [0.5] * SHORT, BRANCHES)
        it.pass_until(lambda: len(it.workers.notes("end")) == SHORT)
        worked = time.time()
        # From none to all of them at once; so many simulations are for more than there may be.
        assert it.changes(LEAF)[0] == MOST == len(leaf.tasks) + len(leaf.stopped)
        assert it.changes(FAN) == [1]

        # Two simulations are left, a demand of their workers: who has none of them goes, who has one stays.
        ended = {note.spec for note in it.workers.notes("end")}
        busy = {note.pid for note in it.workers.notes("start") if note.spec not in ended}
        it.pass_until(lambda: len(leaf.tasks) <= len(busy))
        shrunk = time.time()
        assert {task.process.pid for task in leaf.tasks} == busy
        assert leaf.desired == len(busy)
        it.workers.let_end()
        it.pass_until(lambda: len(it.workers.notes("end")) == count)
        done = time.time()
        assert Runs(it.engine).ended(run).status == "COMPLETED"

        it.pass_until(it.is_idle)
        skipped = scaling.skip(lambda: leaf.desired == fan.desired == 0, (QUIET_MINUTES + 3) * 60)
        asleep = scaling.now() - done
        it.pass_until(lambda: not leaf.tasks and not fan.tasks)
        assert [task.process.wait(60) for task in (*leaf.stopped, *fan.stopped)] == [0] * (MOST + 1)
        it.pass_until(lambda: it.truth.has_after(scaling.published[-1].seen))
        backlog.send_signal(signal.SIGTERM)
        assert backlog.wait(10) == 0

        decided = {name: next(c.at for c in scaling.changes if c.fleet == name) for name in TASKS}
        queued = {
            name: next(p.at for p in scaling.published if p.fleet == name and p.demand) for name in TASKS
        }
        print(
            f"{count} simulations; decided {', '.join(f'{n} {decided[n] - queued[n]:.1f} s' for n in TASKS)} after they "
            f"were published; worked {worked - allocated:.0f} s after they were allocated, shrunk {shrunk - worked:.0f} s "
            f"later; asleep {asleep:.0f} s after the last, {skipped:.0f} s of them skipped; counts "
            f"{it.changes(LEAF)} and {it.changes(FAN)}"
        )
        # The last figures of work are up to a period older than its end.
        assert asleep > QUIET_MINUTES * 60 - PERIOD
        assert_nothing_is_lost(it, count)
        check_results(it.aws, it.workers, PREFIX, experiment, count)
        forget(experiment)
        assert_metrics_are_true(environment, it)


def assert_nothing_is_lost(it: World, count: int) -> None:
    """No attempt but each task's first, neither to the engine nor to the simulations."""
    rows = it.engine.query("SELECT step_readable_id, count(*), sum(retry_count) FROM v1_task GROUP BY 1")
    assert sorted(rows) == [(TASKS[LEAF], str(count), "0"), (TASKS[FAN], str(BRANCHES + 1), "0")]
    for what in ("start", "end"):
        assert Counter(note.spec for note in it.workers.notes(what)) == dict.fromkeys(range(count), 1)


def assert_metrics_are_true(environment: Environment, it: World) -> None:
    """Each figure that was published lies within what the engine's database had before and after."""
    widest = 0
    for figures in it.autoscaler.published:
        queued, running = it.truth.between(TASKS[figures.fleet], figures.at, figures.seen)
        assert figures.queued in queued, (figures, queued)
        assert figures.running in running, (figures, running)
        slots = environment.workers[figures.fleet].slots
        needed = math.ceil((figures.queued + figures.running) / slots)
        # More only where more workers than that were busy.
        assert needed <= figures.demand <= max(needed, figures.running)
        widest = max(widest, queued.most - queued.least, running.most - running.least)
    of_leaf = [item for item in it.autoscaler.published if item.fleet == LEAF]
    assert any(item.queued and item.running for item in of_leaf)
    print(f"{len(it.autoscaler.published)} figures lie within the engine's own, at most {widest} tasks wide")
