"""What the tests of deployments share: a dozen environments, applied and destroyed once for all of them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from main import PARTS, synthesize
from ops.terraform import TerraformError
from tests.deployments.deployed import Data, Deployed, environment_of
from tests.deployments.dozen import dozen
from tests.deployments.once import once

REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-1")


@dataclass
class Run:
    """What became of an environment that was applied, planned again and destroyed.

    Attributes:
        name: the environment's.
        folder: what holds its output folder.
        actions: what the second plan of each stack would do.
        error: what Terraform said when it failed.
    """

    name: str
    folder: str
    actions: dict[str, dict[str, str]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    error: str = ""

    def template(self, part: str) -> Path:
        return Path(self.folder, "cdktf.out", "stacks", f"{self.name}-{part}", "cdk.tf.json")

    def plan_file(self, part: str) -> Path:
        return self.template(part).with_name("plan.json")

    def plan(self, part: str) -> Data:
        """The JSON of the plan that was made once all was there: every value in it is known."""
        assert not self.error, self.error
        plan: Data = json.loads(self.plan_file(part).read_text())
        return plan


@dataclass
class Runs:
    """All runs by their environment's name, and what they left behind."""

    runs: dict[str, Run]
    leftovers: list[str]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Runs:
    """The dozen, whichever of pytest's processes asks first: the others wait for its results."""
    found = once(tmp_path_factory, worker_id, _run_dozen)
    return Runs({name: Run(**run) for name, run in found["runs"].items()}, found["leftovers"])


def _run_dozen(folder: Path) -> dict[str, Any]:
    with LocalAws.start(log=folder / "local-aws.log") as aws:
        environments = dozen(aws)
        before = aws.leftovers(*REGIONS)
        loaded = [environment_of(data, folder / "environments") for data in environments]
        synthesize(loaded, folder / "cdktf.out")
        # They wait for the provider's polls most of the time.
        with ThreadPoolExecutor(6) as pool:
            runs = list(pool.map(lambda data: _run(aws, folder, data["name"]), environments))
        left = sorted(set(aws.leftovers(*REGIONS)) - set(before))
    return asdict(Runs({run.name: run for run in runs}, left))


def _run(aws: LocalAws, folder: Path, name: str) -> Run:
    run = Run(name, str(folder))
    deployed = Deployed(aws, folder, name)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: deployed.apply([part]), PARTS[:2]))
        deployed.apply(PARTS[2:])
        for part in PARTS:
            plan = deployed.plan(part)
            run.actions[part] = dict(plan.actions)
            run.changed += [part] * plan.has_changes
            deployed.plan_json(part)
        deployed.destroy()
    except TerraformError as error:
        run.error = str(error)
    return run
