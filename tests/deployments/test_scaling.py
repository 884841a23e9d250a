"""What the simulator plays is what is deployed."""

from __future__ import annotations

import pytest

from benchmarks.autoscaling.synthesized import Scaled, of_environment, read
from environments.loading import load
from tests.deployments.conftest import Runs
from tests.support.project import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_simulator_reads_what_a_deployment_has(runs: Runs) -> None:
    deployed = read(runs.runs["docs"].plan("workers"))
    played = of_environment(load(ROOT / "environments" / "docs.yaml"))
    assert deployed.keys() == played.keys()
    for name, scaled in played.items():
        assert _comparable(deployed[name]) == _comparable(scaled)


def _comparable(scaled: Scaled) -> object:
    """All but the bounds, which are 0 while there is no image."""
    return scaled.policies, sorted(scaled.alarms, key=lambda alarm: alarm.name)
