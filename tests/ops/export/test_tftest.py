"""What the exported repository says of itself with Terraform's own means: its tests pass, its examples plan."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import LocalAws
from ops.export.constructs import CONSTRUCTS
from ops.export.examples import EXAMPLES
from ops.terraform import Terraform
from tests.support.providers import Providers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

VALIDATED = re.compile(r'^variable "(\w+)" \{\n(?:(?!^\}).*\n)*?  validation', re.MULTILINE)


@pytest.fixture(scope="module")
def on_aws(aws: LocalAws) -> Iterator[Providers]:
    """Providers that ask the local AWS."""
    with Providers.of(aws.environment) as providers:
        yield providers


@pytest.fixture(scope="module")
def nowhere() -> Iterator[Providers]:
    """Providers that would fail if they asked AWS for anything."""
    with Providers.of(without_aws()) as providers:
        yield providers


@pytest.fixture(scope="module")
def repository(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, in which Terraform may leave what it leaves."""
    return shutil.copytree(exported, tmp_path_factory.mktemp("copy") / "terraform-aws-scythe")


@pytest.mark.parametrize("module", ["", *CONSTRUCTS])
def test_its_tests_pass(
    repository: Path, aws: LocalAws, on_aws: Providers, nowhere: Providers, module: str
) -> None:
    folder = repository / "modules" / module if module else repository
    # Only Hatchet's tests ask AWS for anything.
    own, providers = (aws.environment, on_aws) if module == "hatchet" else (without_aws(), nowhere)
    with providers.one(folder) as variables:
        environment = {**own, **variables, "CHECKPOINT_DISABLE": "1"}
        terraform = Terraform(folder, environment)
        terraform.init()
        terraform.validate()
        ran = subprocess.run(
            ["terraform", "test", "-no-color"], cwd=folder, env=environment, capture_output=True, text=True
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    runs = sum(path.read_text().count("\nrun ") for path in (folder / "tests").glob("*.tftest.hcl"))
    assert f"Success! {runs} passed, 0 failed." in ran.stdout


def without_aws() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@pytest.mark.parametrize("module", ["", *CONSTRUCTS])
def test_every_validated_variable_has_a_test(exported: Path, module: str) -> None:
    folder = exported / "modules" / module if module else exported
    tested = re.findall(
        r"expect_failures = \[var\.(\w+)\]", (folder / "tests/validation.tftest.hcl").read_text()
    )
    assert sorted(tested) == sorted(VALIDATED.findall((folder / "variables.tf").read_text()))


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_plan_as_they_are(
    repository: Path, aws: LocalAws, on_aws: Providers, example: str, tmp_path: Path
) -> None:
    folder = repository / "examples" / example
    with on_aws.one(folder) as variables:
        terraform = Terraform(folder, {**aws.environment, **variables})
        terraform.init()
        terraform.validate()
        actions = terraform.plan(tmp_path / "plan").actions
        shown = json.dumps(terraform.show_json(tmp_path / "plan")["planned_values"])
    assert set(actions.values()) <= {"create", "read"}
    assert '"aws_ecs_service"' in shown
