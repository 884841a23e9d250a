"""`python -m benchmarks.autoscaling.interruptions`: Spot takes the backlog service's task back, or has no room for it.

Fargate Spot sends SIGTERM, on which the task ends at once. ECS starts another one when its scheduler looks next, and a
start takes 30 to 90 seconds, image and imports included (`benchmarks.autoscaling.fargate`). Nothing is published
meanwhile. Every play begins asleep, with one zero a minute (`scythe_worker.pace`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import synthesis  # noqa: F401  # before CDKTF
from benchmarks.autoscaling.cloudwatch import AlarmRule, Metric
from benchmarks.autoscaling.figures import Figures as FleetFigures
from benchmarks.autoscaling.figures import figures
from benchmarks.autoscaling.report import duration
from benchmarks.autoscaling.scenarios import sizes
from benchmarks.autoscaling.seeds import middle, percentile
from benchmarks.autoscaling.simulation import Simulation
from benchmarks.autoscaling.strategies import Synthesized
from benchmarks.autoscaling.synthesized import Scaled, of_environment
from benchmarks.autoscaling.work import Experiment
from environments.loading import load
from environments.schema import Environment
from modules.backlog.silence import MINUTES
from scythe_worker.backlog_stats import Figures
from scythe_worker.pace import AWAKE_SECONDS, Pace

LOOKS, STARTS = (0.0, 15.0), (30.0, 90.0)
"""Seconds until ECS's scheduler looks, and that a start takes, as for the fleets' tasks."""

SILENT = "silent"


@dataclass(frozen=True)
class Loss:
    """What becomes of the backlog service's task.

    Attributes:
        what: it is, in a few words.
        at: when Spot takes the task back, in seconds from the first allocation; None for never.
        drought: seconds for which Spot has no room for another one.
        is_dense: whether everything is published every ten seconds, asleep too, as before `scythe_worker.pace`.
    """

    what: str
    at: float | None = None
    drought: float = 0
    is_dense: bool = False


LOSSES: Mapping[str, Loss] = {
    "dense": Loss("no interruption; a figure every ten seconds, asleep too", is_dense=True),
    "sparse": Loss("no interruption; one zero a minute while asleep"),
    "asleep": Loss("interrupted as the work is allocated", 0),
    "busy": Loss("interrupted five minutes later, all fleets awake", 300),
    "drought": Loss("interrupted as the work is allocated; no Spot capacity for 30 minutes", 0, 1800),
}


class Interrupted(Synthesized):
    """The synthesized policies, with a backlog service whose task is lost.

    Attributes:
        away: from when until when there is no task; None for never.
        told: when the alarm on the service's silence began; None for never.
        moved: the desired counts that changed while there was no task.
    """

    def __init__(self, simulation: Simulation, scaled: Mapping[str, Scaled], loss: Loss) -> None:
        random, begin = simulation.random, simulation.begin
        self._pace = Pace(-AWAKE_SECONDS)
        self._is_dense = loss.is_dense
        self.away: tuple[float, float] | None = None
        if loss.at is not None:
            start = loss.at + begin
            self.away = (start, start + loss.drought + random.uniform(*LOOKS) + random.uniform(*STARTS))
        self.told: float | None = None
        self.moved: list[tuple[float, str]] = []
        self._desired: dict[str, int] = {}
        super().__init__(simulation, scaled)
        (first, *_) = self._demands.values()
        self._cloudwatch.watch(_silence(first))
        simulation.clock.every(1, begin, self._look)

    def _publish(self) -> None:
        now, fleets = self._simulation.clock.now, self._simulation.fleets
        for fleet in fleets.values():
            fleet.note_demand()
        if self.away is not None and self.away[0] <= now:
            if now < self.away[1]:
                return
            if now - self.away[1] < 10:
                self._pace = Pace(self.away[1])
        found = [
            Figures(fleet.queue.queued, fleet.queue.running, 0, fleet.demand) for fleet in fleets.values()
        ]
        if not (self._pace.due(found, now) or self._is_dense):
            return
        self._pace.published(now)
        delay = self._simulation.random.uniform(0.5, 2.5)
        for name, fleet in fleets.items():
            self._cloudwatch.put(self._demands[name], fleet.demand, delay=delay)

    def _look(self) -> None:
        now = self._simulation.clock.now
        if self.told is None and self._cloudwatch.states[SILENT] == "ALARM":
            self.told = now
        desired = {name: fleet.target.desired for name, fleet in self._simulation.fleets.items()}
        # An alarm may act for half a minute on what was published before.
        if self.away is not None and self.away[0] + 30 <= now < self.away[1] and desired != self._desired:
            self.moved += [(now, name) for name in desired if desired[name] != self._desired[name]]
        self._desired = desired


def _silence(demand: tuple[str, str, tuple[tuple[str, str], ...]]) -> AlarmRule:
    """The alarm `<name>-backlog-silent` (`modules.backlog.silence`)."""
    metric = Metric(*demand, "SampleCount", 60)
    return AlarmRule(
        SILENT, {"metric": metric}, "metric", "LessThanThreshold", 1, MINUTES, MINUTES, "breaching", ()
    )


@dataclass(frozen=True)
class Outcome:
    """What a loss came to.

    Attributes:
        fleet: the leaf fleet's figures.
        gap: seconds without a task.
        told: seconds from the loss until the alarm on silence began; None for never.
        moved: how many desired counts changed meanwhile.
    """

    fleet: FleetFigures
    gap: float
    told: float | None
    moved: int


def play(environment: Environment, scaled: Mapping[str, Scaled], loss: Loss, seed: int) -> Outcome:
    """Play 1,000 simulations of five minutes with a loss."""
    simulation = Simulation([Experiment(1000, 300)], sizes(environment), seed=seed, every=5)
    interrupted = Interrupted(simulation, scaled, loss)
    simulation.play()
    leaf = next(fleet for fleet in simulation.fleets.values() if fleet.size.role == "leaf")
    start, end = interrupted.away or (simulation.begin, simulation.begin)
    return Outcome(
        figures(simulation, leaf),
        end - start,
        None if interrupted.told is None else interrupted.told - start,
        len(interrupted.moved),
    )


_COLUMNS: Mapping[str, Callable[[Outcome], float | None]] = {
    "without the service": lambda it: it.gap,
    "full fleet decided": lambda it: it.fleet.full_decided,
    "from the allocation": lambda it: it.fleet.full_from_allocation,
    "asleep after": lambda it: it.fleet.asleep,
    "`-backlog-silent` tells after": lambda it: it.told,
}


def table(played: Mapping[str, Sequence[Outcome]]) -> str:
    """Return a Markdown table of medians and 90th percentiles."""
    lines = [f"| the backlog service | {' | '.join(_COLUMNS)} |", "|" + "---|" * (len(_COLUMNS) + 1)]
    for name, outcomes in played.items():
        cells = []
        for value in _COLUMNS.values():
            values = [value(outcome) for outcome in outcomes]
            low, high = duration(middle(values)), duration(percentile(values, 0.9))
            cells.append(low if low == high else f"{low} / {high}")
        lines.append(f"| {LOSSES[name].what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Play all losses, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.autoscaling.interruptions", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    options = parser.parse_args(arguments)
    environment = load(Path(__file__).parents[2] / "environments" / "docs.yaml")
    scaled = of_environment(environment)
    played = {
        name: [play(environment, scaled, loss, seed) for seed in range(1, options.seeds + 1)]
        for name, loss in LOSSES.items()
    }
    print(table(played))
    moved = sum(outcome.moved for outcomes in played.values() for outcome in outcomes)
    print(f"\nDesired counts that changed without the service: {moved}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
