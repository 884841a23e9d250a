"""An environment on a local AWS."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import yaml

from environments.loading import load
from environments.schema import Environment
from local_aws import LocalAws
from main import parts, synthesize
from ops.terraform import Plan, Terraform
from tests.support.providers import Providers

Data = dict[str, Any]


def environment_of(data: Data, folder: Path) -> Environment:
    """The environment of a file with this data, as an author's file is loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{data['name']}.yaml"
    file.write_text(yaml.safe_dump(data))
    return load(file)


def set_up(manager: Any) -> None:
    """Store what an engine's set-up, or people, store while an apply waits for it; the local AWS runs no tasks.

    Args:
        manager: the client of Secrets Manager, where the environments are.
    """
    wanted, stored = {"hatchet-admin", "hatchet-client-token", "hatchet-keys"}, set()
    for secret in manager.list_secrets()["SecretList"]:
        name = secret["Name"].rpartition("/")[2]
        if name in wanted:
            manager.put_secret_value(SecretId=secret["ARN"], SecretString=secrets.token_urlsafe(40))
            stored.add(name)
    assert stored == wanted


def keys_of(secret: str) -> Data:
    """The keys of a secret that is JSON; a drawn password may begin with a brace, but has no quotation marks."""
    keys: Data = json.loads(secret) if re.match(r'\{\s*"', secret) else {}
    return keys


class Deployed:
    """The stacks of one environment.

    Attributes:
        aws: where they are.
        folder: holds `cdktf.out`, beside it the `state` of a local backend.
        name: the environment's.
        parts: the stacks' parts, in the order in which they are applied.
        said: what Terraform said, line by line.
    """

    def __init__(
        self,
        aws: LocalAws,
        folder: Path,
        environment: Environment,
        out: str = "cdktf.out",
        providers: Providers | None = None,
    ) -> None:
        """Address stacks that `synthesize` wrote.

        Args:
            aws: where they are.
            folder: holds `out`.
            environment: theirs.
            out: another output folder is another version of the same environment, with the same state.
            providers: what Terraform uses; by default it starts its own, as a person's does.
        """
        self.aws = aws
        self.folder = folder
        self.name = environment.name
        self.parts = parts(environment)
        self.said: list[str] = []
        self._stacks = folder / out / "stacks"
        self._providers = providers

    @classmethod
    def synthesized(
        cls,
        aws: LocalAws,
        folder: Path,
        data: Data,
        out: str = "cdktf.out",
        providers: Providers | None = None,
    ) -> Self:
        """Load and synthesize an environment of this data."""
        environment = environment_of(data, folder / "environments")
        synthesize([environment], folder / out)
        return cls(aws, folder, environment, out, providers)

    def template(self, part: str) -> Path:
        """The Terraform JSON of a stack."""
        return self._stacks / f"{self.name}-{part}" / "cdk.tf.json"

    def terraform(self, part: str, **variables: str) -> Terraform:
        """Terraform in a stack's folder, initialized, with these variables beside the local AWS's."""
        directory = self.template(part).parent
        terraform = Terraform(directory, {**self.aws.environment, **variables}, self.said.append)
        if not (directory / ".terraform").exists():
            terraform.init()
        return terraform

    @contextmanager
    def provided(self, part: str) -> Iterator[dict[str, str]]:
        """What one command has in its environment beside the local AWS's variables."""
        if self._providers is None:
            yield {}
        else:
            with self._providers.one(self.template(part).parent) as variables:
                yield variables

    @contextmanager
    def command(self, part: str) -> Iterator[Terraform]:
        """Terraform for one command."""
        with self.provided(part) as variables:
            yield self.terraform(part, **variables)

    def apply(self, parts: Sequence[str] | None = None) -> None:
        for part in self.parts if parts is None else parts:
            with self.command(part) as terraform:
                terraform.apply()

    def plan(self, part: str) -> Plan:
        with self.command(part) as terraform:
            return terraform.plan(self.template(part).with_name("plan"))

    def plan_json(self, part: str) -> Data:
        """The plan that `plan` made last, as Terraform's JSON; its file stays, for checkov."""
        plan = self.template(part).with_name("plan")
        with self.command(part) as terraform:
            document = terraform.show_json(plan)
        plan.with_suffix(".json").write_text(json.dumps(document))
        return document

    def state(self, part: str) -> str:
        """The state as it is stored; its file stays beside the plan's."""
        template = self.template(part)
        with self.provided(part) as variables:
            pulled = subprocess.run(
                ["terraform", "state", "pull"], cwd=template.parent, env={**self.aws.environment, **variables},
                check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
        template.with_name("state.json").write_text(pulled)
        return pulled

    def changed(self, data: Data, folder: Path) -> Self:
        """Synthesize other data for the environment beside a copy of its states, whose plans wait for no others.

        Args:
            data: what the environment would become.
            folder: one of its own.
        """
        other = self.synthesized(self.aws, folder, data, providers=self._providers)
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
        return Deployed.synthesized(self.aws, self.folder, released, "released", self._providers)

    def destroy(self, parts: Sequence[str] | None = None) -> None:
        for part in reversed(self.parts if parts is None else parts):
            with self.command(part) as terraform:
                terraform.destroy()
