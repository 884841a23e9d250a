"""Rollouts, scale-in and the fallback's end under load: workers are paused, and no simulation is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchmarks.autoscaling.fargate import RECONCILE, Conditions
from benchmarks.autoscaling.scenarios import SCENARIOS, Scenario, sizes
from benchmarks.autoscaling.simulation import Simulation, Trouble
from benchmarks.autoscaling.strategies import Synthesized
from benchmarks.autoscaling.synthesized import Scaled
from benchmarks.autoscaling.work import Experiment
from scythe_worker.protection import IDLE_SECONDS
from scythe_worker.rollout import LOOK_SECONDS
from tests.benchmarks.autoscaling.test_strategies import GUIDE, played, without_fallback


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_fallback_leaves_within_15_minutes_of_spots_return(scaled: Mapping[str, Scaled]) -> None:
    """With work that outlasts it, in each of 20 seeds."""
    for seed in range(20):
        found, simulation = played(SCENARIOS["fallback"], lambda it: Synthesized(it, scaled), seed)
        assert found.fallback_until is not None and found.fallback_until - 3600 <= 900, seed
        assert found.makespan > found.fallback_until
        assert sum(service.killed for service in simulation.fleets["simulations"].services) == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("pauses", [True, False])
def test_a_rollout_under_load_lasts_as_long_as_a_simulation(
    scaled: Mapping[str, Scaled], pauses: bool
) -> None:
    """The longest one, the look, the idle time until the release, and ECS's own."""
    conditions = Conditions(interruptions=0, pauses=pauses)
    scenario = Scenario("", [Experiment(2000, 300)], conditions, Trouble(deployments=[1800]))
    for seed in range(5 if pauses else 1):
        found, simulation = played(scenario, lambda it: Synthesized(it, without_fallback(scaled)), seed)
        longest = 450 + LOOK_SECONDS + IDLE_SECONDS + RECONCILE
        assert found.rollout is not None and (found.rollout <= longest) == pauses, seed
        assert ran_once(simulation)


def ran_once(simulation: Simulation) -> bool:
    """Whether each piece of work was begun once, and none was stopped or lost."""
    return all(
        (fleet.queue.begun, fleet.queue.queued, fleet.queue.running) == (fleet.queue.finished, 0, 0)
        and not any(service.killed for service in fleet.services)
        for fleet in simulation.fleets.values()
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_long_simulations_on_four_slots_outlast_scale_in_a_schedules_end_and_a_rollout(
    scaled: Mapping[str, Scaled],
) -> None:
    """Simulations of 20 minutes; none is interrupted by ECS or by its worker, and each runs once."""
    trouble = Trouble(bounds=[(0, 60), (3000, 20), (6000, 60), (9000, 5)], deployments=[4500, 7500])
    most = 0
    for seed in range(20):
        simulation = Simulation(
            [Experiment(1500, 1200), Experiment(200, 1200, at=2000)],
            {name: replace(size, slots=4 if size.role == "leaf" else size.slots) for name, size in sizes(GUIDE).items()},
            conditions=Conditions(interruptions=0, limit=1800), trouble=trouble, seed=seed, every=30,
        )  # fmt: skip
        Synthesized(simulation, scaled)
        simulation.play()
        assert ran_once(simulation), seed
        leaf = simulation.fleets["simulations"]
        assert leaf.service.rolled and not leaf.service.is_deploying
        most = max(most, *(sample.tasks - sample.desired for sample in leaf.samples))
    # ECS waits for tasks beyond the desired count.
    assert most >= 20
