"""What scales the guide's fleets, planned once."""

from __future__ import annotations

import pytest

from benchmarks.autoscaling.scenarios import Scenario, shaped
from benchmarks.autoscaling.synthesized import Scaled, of_environment
from environments.loading import load
from tests.support.project import ROOT


@pytest.fixture(scope="session")
def scaled() -> dict[str, Scaled]:
    return of_environment(shaped(load(ROOT / "environments" / "docs.yaml"), Scenario("", [], fallback=80)))
