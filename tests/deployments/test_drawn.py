"""Environments drawn from all valid settings are synthesized and hold before the provider's own schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from environments.loading import load
from environments.schema import Environment
from local_aws import LocalAws
from main import parts, synthesize
from ops.terraform import Terraform, TerraformError
from tests.support.deployed import Data, environment_of
from tests.support.project import ROOT
from tests.support.strategies import environments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DRAWN = 24


def draw() -> list[Data]:
    """Environments of the strategy, always the same ones, each with a name of its own."""
    found: list[Data] = []

    @settings(
        max_examples=DRAWN, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(environments())
    def keep(data: Data) -> None:
        found.append({**data, "name": f"{data['name']}-{len(found)}"})

    keep()
    return found


def validate_together(out: Path, synthesized: list[Environment], environment: dict[str, str]) -> None:
    """Validate all stacks in one run of Terraform, as modules of one configuration.

    A module inherits its provider and has no backend; everything else is as in the stack.
    """
    modules: dict[str, Any] = {}
    for stack in (f"{one.name}-{part}" for one in synthesized for part in parts(one)):
        template = out / "stacks" / stack / "cdk.tf.json"
        content = json.loads(template.read_text())
        assert content.pop("provider")["aws"], "inherited from here on"
        del content["terraform"]["backend"]
        template.write_text(json.dumps(content))
        modules[stack] = {"source": f"./stacks/{stack}"}
    root = {"provider": {"aws": {"region": "us-east-1"}}, "module": modules}
    (out / "main.tf.json").write_text(json.dumps(root))
    terraform = Terraform(out, environment)
    terraform.init()
    terraform.validate()


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Terraform's environment; nothing answers at the address, for validating calls nobody."""
    return {**LocalAws("http://127.0.0.1:9", "us-east-1", Path("none")).environment, "GOGC": "400"}


def test_drawn_environments_and_the_contract_are_valid_for_terraform(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    drawn = [environment_of(data, tmp_path / "environments") for data in draw()]
    assert len(drawn) >= DRAWN
    contract = [load(ROOT / file) for file in ("environments/docs.yaml", "tests/support/self-hosted.yaml")]
    synthesize([*drawn, *contract], tmp_path / "out")
    validate_together(tmp_path / "out", [*drawn, *contract], environment)


def test_an_argument_that_the_provider_does_not_know_is_seen(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    dev = load(ROOT / "environments/dev.yaml")
    synthesize([dev], tmp_path)
    template = tmp_path / "stacks" / "dev-workers" / "cdk.tf.json"
    content = json.loads(template.read_text())
    content["resource"]["aws_ecs_service"]["simulations"]["desired_tasks"] = 1
    template.write_text(json.dumps(content))
    with pytest.raises(TerraformError, match="desired_tasks"):
        validate_together(tmp_path, [dev], environment)
