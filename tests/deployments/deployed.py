"""An environment on a local AWS."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from environments.loading import load
from environments.schema import Environment
from local_aws import LocalAws
from main import parts, synthesize
from ops.terraform import Plan, Terraform

Data = dict[str, Any]


def environment_of(data: Data, folder: Path) -> Environment:
    """The environment of a file with this data, as an author's file is loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{data['name']}.yaml"
    file.write_text(yaml.safe_dump(data))
    return load(file)


class Deployed:
    """The stacks of one environment.

    Attributes:
        aws: where they are.
        folder: holds `cdktf.out`, beside it the `state` of a local backend.
        name: the environment's.
        parts: the stacks' parts, in the order in which they are applied.
        said: what Terraform said, line by line.
    """

    def __init__(self, aws: LocalAws, folder: Path, environment: Environment, out: str = "cdktf.out") -> None:
        """Address stacks that `synthesize` wrote.

        Args:
            aws: where they are.
            folder: holds `out`.
            environment: theirs.
            out: another output folder is another version of the same environment, with the same state.
        """
        self.aws = aws
        self.folder = folder
        self.name = environment.name
        self.parts = parts(environment)
        self.said: list[str] = []
        self._stacks = folder / out / "stacks"
        # Terraform lives for seconds here: less garbage collection saves a quarter of the processor time.
        self._environment = {**aws.environment, "GOGC": "400"}

    @classmethod
    def synthesized(cls, aws: LocalAws, folder: Path, data: Data, out: str = "cdktf.out") -> Self:
        """Load and synthesize an environment of this data."""
        environment = environment_of(data, folder / "environments")
        synthesize([environment], folder / out)
        return cls(aws, folder, environment, out)

    def template(self, part: str) -> Path:
        """The Terraform JSON of a stack."""
        return self._stacks / f"{self.name}-{part}" / "cdk.tf.json"

    def terraform(self, part: str) -> Terraform:
        """Terraform in a stack's folder, initialized."""
        terraform = Terraform(self.template(part).parent, self._environment, self.said.append)
        if not (terraform.directory / ".terraform").exists():
            terraform.init()
        return terraform

    def apply(self, parts: Sequence[str] | None = None) -> None:
        for part in self.parts if parts is None else parts:
            self.terraform(part).apply()

    def plan(self, part: str) -> Plan:
        return self.terraform(part).plan(self.template(part).with_name("plan"))

    def plan_json(self, part: str) -> Data:
        """The plan that `plan` made last, as Terraform's JSON; its file stays, for checkov."""
        plan = self.template(part).with_name("plan")
        document = self.terraform(part).show_json(plan)
        plan.with_suffix(".json").write_text(json.dumps(document))
        return document

    def state(self, part: str) -> str:
        """The state as it is stored; its file stays beside the plan's."""
        template = self.template(part)
        pulled = subprocess.run(
            ["terraform", "state", "pull"], cwd=template.parent, env=self._environment, check=True,
            capture_output=True, text=True,
        ).stdout  # fmt: skip
        template.with_name("state.json").write_text(pulled)
        return pulled

    def changed(self, data: Data, folder: Path) -> Self:
        """Synthesize other data for the environment beside a copy of its states, whose plans wait for no others.

        Args:
            data: what the environment would become.
            folder: one of its own.
        """
        other = self.synthesized(self.aws, folder, data)
        shutil.copytree(self.folder / "state", folder / "state")
        return other

    def released(self, data: Data) -> Deployed:
        """Synthesize what an operator applies before a self-hosted engine can be destroyed: its database given up.

        Args:
            data: the environment's, as it was synthesized.
        """
        hatchet = data.get("hatchet", {})
        given_up = {**hatchet.get("database", {}), "deletion_protection": False, "final_snapshot": False}
        released = {**data, "hatchet": {**hatchet, "database": given_up}}
        return Deployed.synthesized(self.aws, self.folder, released, "released")

    def destroy(self, parts: Sequence[str] | None = None) -> None:
        for part in reversed(self.parts if parts is None else parts):
            self.terraform(part).destroy()
