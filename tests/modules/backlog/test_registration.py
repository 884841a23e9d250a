"""What the backlog's task definition holds of the fleets, and how large it gets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments.loading import load
from main import synthesize
from tests.support.console import evaluated
from tests.support.project import SELF_HOSTED

TOLD = {
    r"data\.aws_caller_identity\.\w+\.account_id": '"123456789012"',
    r"data\.aws_region\.\w+\.id": '"eu-west-1"',
    r"data\.aws_partition\.\w+\.partition": '"aws"',
    r"data\.terraform_remote_state\.\w+\.outputs\.[a-z0-9_]+": '"told"',
    r"aws_[a-z0-9_]+\.[a-z0-9_]+(\[0\])?\.[a-z_]+": '"made"',
}
"""What a plan would know, in the places where the template asks for it."""


class Backlog:
    """The backlog's task definition of an environment, evaluated by Terraform."""

    def __init__(self, folder: Path, fleets: dict[str, Any]) -> None:
        data = yaml.safe_load(SELF_HOSTED.read_text())
        data["workers"], data["image"] = fleets, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/worker:1"
        file = folder / "prod.yaml"
        file.write_text(yaml.safe_dump(data))
        synthesize([load(file)], folder / "out")
        (template,) = folder.glob("out/stacks/*-workers/cdk.tf.json")
        text = template.read_text()
        for pattern, value in TOLD.items():
            text = re.sub(pattern, json.dumps(value)[1:-1], text)
        read = json.loads(text)
        self._folder = folder / "console"
        self._folder.mkdir()
        needed = ("name", "workers", "backlog_")
        told = {name: value for name, value in read["locals"].items() if name.startswith(needed)}
        told.pop("backlog_runs")
        self._told = told
        self._task = read["resource"]["aws_ecs_task_definition"]["backlog"]

    def _evaluated(self, template: str) -> Any:
        return evaluated(template, self._folder, **self._told)

    @property
    def containers(self) -> str:
        written: str = self._evaluated(self._task["container_definitions"])
        return written

    @property
    def fits(self) -> bool:
        (condition,) = self._task["lifecycle"]["precondition"]
        answer: bool = self._evaluated(condition["condition"])
        return answer

    def registered(self) -> dict[str, dict[str, str]]:
        """The variables that each fleet's registration sees."""
        (first, _) = json.loads(self.containers)
        own = {item["name"]: item["value"] for item in first["environment"]}
        fleets = json.loads(own.pop("SCYTHE_REGISTER_FLEETS"))
        return {name: {**own, **variables} for name, variables in fleets.items()}


def fleets(count: int, **environments: dict[str, str]) -> dict[str, Any]:
    made = {f"fleet{number}": {"role": "leaf", "experiments": [f"task{number}"]} for number in range(count)}
    return {name: {**fleet, "environment": environments.get(name, LARGE)} for name, fleet in made.items()}


LARGE = {f"VARIABLE_{number}": f"{number}" * 450 for number in range(10, 19)}
"""As the audit's twelve fleets have."""


@pytest.mark.timeout(120)
def test_what_twelve_fleets_share_is_there_once(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, fleets(12, fleet3={**LARGE, "VARIABLE_10": "another"}))
    written = backlog.containers
    assert len(written.encode()) < 48 * 1024
    assert backlog.fits
    assert written.count(LARGE["VARIABLE_11"]) == 1
    registered = backlog.registered()
    assert len(registered) == 12
    for name, variables in registered.items():
        expected = {**LARGE, **({"VARIABLE_10": "another"} if name == "fleet3" else {})}
        assert expected.items() <= variables.items(), name
        assert variables["SCYTHE_WORKER_NAME"] == f"prod-{name}"


@pytest.mark.timeout(120)
def test_more_than_a_task_definition_takes_is_told_by_the_plan(tmp_path: Path) -> None:
    different = {
        f"fleet{number}": {name: f"of {number} {value}" for name, value in LARGE.items()}
        for number in range(6)
    }
    assert not Backlog(tmp_path, fleets(6, **different)).fits
