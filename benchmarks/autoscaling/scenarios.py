"""What is played: an environment's fleets, experiments, and what goes wrong; and with what it is compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.autoscaling.fargate import Conditions
from benchmarks.autoscaling.figures import Figures, figures
from benchmarks.autoscaling.simulation import FleetSize, Sample, Simulation, Trouble
from benchmarks.autoscaling.strategies import backlog_tracking, cpu_tracking, fixed, ideal
from benchmarks.autoscaling.synthesized import Scaled
from benchmarks.autoscaling.work import Experiment
from environments.schema import Environment
from modules.worker_fleet.scaling import Fallback
from modules.worker_fleet.settings import FleetSettings


@dataclass(frozen=True)
class Scenario:
    """One trace under some conditions.

    Attributes:
        what: it is, in a few words.
        experiments: what is allocated.
        conditions: Fargate's.
        trouble: what goes wrong.
        most: the leaf fleet's maximum, where it is another than the environment's.
        fallback: the most on-demand tasks that stand in for its Spot tasks; None for none.
    """

    what: str
    experiments: Sequence[Experiment]
    conditions: Conditions = Conditions()
    trouble: Trouble = Trouble()
    most: int | None = None
    fallback: int | None = None


def no_spot_before(seconds: float) -> Callable[[float], float]:
    """Room for 20 Spot tasks until a time, and for all after."""
    return lambda now: 20 if now < seconds else float("inf")


SCENARIOS: Mapping[str, Scenario] = {
    "guide": Scenario("100,000 simulations of 5 minutes", [Experiment(100_000, 300)]),
    "ten": Scenario("10 simulations of 5 minutes", [Experiment(10, 300)]),
    "thousand": Scenario("1,000 simulations of 5 minutes", [Experiment(1000, 300)]),
    "hours": Scenario("500 simulations of 2 hours", [Experiment(500, 7200, 0.3)]),
    "short": Scenario("20,000 simulations of 20 seconds", [Experiment(20_000, 20)]),
    "slow-fan": Scenario("2,000 simulations, shared out two a second", [Experiment(2000, 300, branches=2, rate=1)]),
    "rounds": Scenario(
        "ten rounds of 150 simulations, one each ten minutes",
        [Experiment(150, 240, at=600.0 * number) for number in range(10)],
    ),
    "spot": Scenario(
        "1,000 simulations, each Spot task interrupted once an hour",
        [Experiment(1000, 300)],
        Conditions(interruptions=1),
    ),
    "no-spot": Scenario(
        "2,000 simulations, Spot capacity for 20 tasks in the first hour",
        [Experiment(2000, 300)],
        Conditions(spot_capacity=no_spot_before(3600)),
    ),
    "fallback": Scenario(
        "the same, with up to 80 on-demand tasks that stand in",
        [Experiment(2000, 300)],
        Conditions(spot_capacity=no_spot_before(3600)),
        fallback=80,
    ),
    "trouble": Scenario(
        "1,000 simulations; ten minutes of silence, metrics ten seconds late, a tenth lost, a rollout",
        [Experiment(1000, 300)],
        trouble=Trouble(silent=[(1200, 1800)], late=10, lost=0.1, deployments=[900]),
    ),
    "rollout": Scenario(
        "10,000 simulations of 5 minutes, and a new image after an hour",
        [Experiment(10_000, 300)],
        trouble=Trouble(deployments=[3600]),
    ),
    "million": Scenario("1,000,000 simulations of 5 minutes, up to 5,000 tasks", [Experiment(10**6, 300)], most=5000),
    "ten-million": Scenario(
        "10,000,000 simulations of 5 minutes, up to 5,000 tasks", [Experiment(10**7, 300, rate=1000)], most=5000
    ),
}  # fmt: skip
"""By name."""

OTHERS: Mapping[str, Callable[[Simulation], object]] = {
    "CPU target tracking": cpu_tracking,
    "backlog target tracking": backlog_tracking,
    "guide's fixed fleet": fixed,
    "ideal": ideal,
}


@dataclass(frozen=True)
class Played:
    """What became of one fleet in one play."""

    scenario: str
    scaled_by: str
    fleet: str
    figures: Figures
    samples: list[Sample]


def recorded(file: Path) -> Scenario:
    """A trace from a file: a JSON list of experiments, with the keys of `Experiment`."""
    experiments = [Experiment(**item) for item in json.loads(file.read_text(encoding="utf-8"))]
    return Scenario(f"recorded in {file.name}", experiments)


def sizes(environment: Environment, most: int | None = None) -> dict[str, FleetSize]:
    """The fleets of an environment."""
    return {
        name: FleetSize(
            fleet.role,
            fleet.slots,
            fleet.cpu,
            fleet.memory,
            fleet.scaling.min,
            fleet.scaling.max if most is None or fleet.role == "fan" else most,
        )
        for name, fleet in environment.workers.items()
    }


def shaped(environment: Environment, scenario: Scenario) -> Environment:
    """The environment with a scenario's maximum and fallback of its leaf fleets."""
    workers = {
        name: fleet if fleet.role == "fan" else _shaped(fleet, scenario)
        for name, fleet in environment.workers.items()
    }
    return environment.model_copy(update={"workers": workers})


def _shaped(fleet: FleetSettings, scenario: Scenario) -> FleetSettings:
    scaling, capacity = fleet.scaling, fleet.capacity
    if scenario.most is not None:
        scaling = scaling.model_copy(update={"max": scenario.most})
    if scenario.fallback is not None:
        capacity = capacity.model_copy(update={"fallback": Fallback(max=scenario.fallback)})
    return fleet.model_copy(update={"scaling": scaling, "capacity": capacity})


def play(
    name: str, scenario: Scenario, environment: Environment, scaled: Mapping[str, Scaled], others: Sequence[str],
    seed: int = 1,
) -> list[Played]:  # fmt: skip
    """Play a scenario under the synthesized policies, and under others."""
    from benchmarks.autoscaling.strategies import Synthesized

    strategies: dict[str, Callable[[Simulation], object]] = {
        "synthesized": lambda simulation: Synthesized(simulation, scaled)
    }
    strategies |= {other: OTHERS[other] for other in others}
    found: list[Played] = []
    seconds = sum(item.simulations * item.seconds for item in scenario.experiments)
    for strategy, scale in strategies.items():
        simulation = Simulation(
            scenario.experiments,
            sizes(environment, scenario.most),
            conditions=scenario.conditions,
            trouble=scenario.trouble,
            seed=seed,
            every=1 if seconds < 10**7 else 10,
        )
        scale(simulation)
        simulation.play()
        found += [
            Played(name, strategy, fleet.name, figures(simulation, fleet), fleet.samples)
            for fleet in simulation.fleets.values()
        ]
    return found
