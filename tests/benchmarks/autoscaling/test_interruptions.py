"""The backlog service's task is lost: the fleets stay as they are, wake late, and somebody is told."""

from __future__ import annotations

from statistics import median

import pytest

from benchmarks.autoscaling.interruptions import LOOKS, LOSSES, STARTS, Outcome, play, table
from benchmarks.autoscaling.synthesized import Scaled, of_environment
from environments.loading import load
from tests.support.project import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GUIDE = load(ROOT / "environments" / "docs.yaml")
SEEDS = range(1, 7)
LONGEST = LOOKS[1] + STARTS[1]


@pytest.fixture(scope="module")
def scaled() -> dict[str, Scaled]:
    return of_environment(GUIDE)


def played(scaled: dict[str, Scaled], name: str, seeds: range = SEEDS) -> list[Outcome]:
    found = [play(GUIDE, scaled, LOSSES[name], seed) for seed in seeds]
    for outcome in found:
        assert outcome.fleet.set_back == 0
        assert outcome.fleet.lost_to_scale_in == 0
        assert outcome.moved == 0
        assert outcome.fleet.asleep is not None and outcome.fleet.asleep <= 240
    return found


def from_allocation(found: list[Outcome]) -> list[float]:
    return [outcome.fleet.full_from_allocation or float("inf") for outcome in found]


def test_a_zero_a_minute_makes_no_wake_slower(scaled: dict[str, Scaled]) -> None:
    sparse, dense = played(scaled, "sparse"), played(scaled, "dense")
    for outcome in (*sparse, *dense):
        assert outcome.fleet.full_decided is not None and outcome.fleet.full_decided <= 30
        assert outcome.told is None
    assert median(from_allocation(sparse)) <= median(from_allocation(dense)) + 20


def test_an_interruption_delays_a_wake_by_the_gap(scaled: dict[str, Scaled]) -> None:
    without, interrupted = played(scaled, "sparse"), played(scaled, "asleep")
    assert all(STARTS[0] <= outcome.gap <= LONGEST for outcome in interrupted)
    assert max(from_allocation(interrupted)) <= max(from_allocation(without)) + LONGEST + 20
    assert all(outcome.told is None for outcome in interrupted)


def test_fleets_that_are_awake_stay_as_they_are(scaled: dict[str, Scaled]) -> None:
    for outcome in played(scaled, "busy"):
        assert outcome.fleet.over < 0.1
        assert outcome.told is None


def test_a_drought_is_told_within_eight_minutes(scaled: dict[str, Scaled]) -> None:
    drought = played(scaled, "drought", range(1, 4))
    for outcome in drought:
        assert outcome.told is not None and 240 <= outcome.told <= 510
        assert outcome.fleet.full_from_allocation is not None
        assert outcome.fleet.full_from_allocation >= 1800
    assert "no Spot capacity for 30 minutes | 3" in table({"drought": drought})
