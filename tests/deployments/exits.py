"""The way out of CDKTF, planned for what a test deployed: the HCL that calls the modules, on the same states."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from constructs import Construct

from environments.schema import Environment
from ops.export import write
from ops.export.carried import carried
from ops.export.constructs import Module
from ops.export.exit import Sources, configurations
from ops.terraform import Plan, Terraform, TerraformError
from tests.support.deployed import Deployed

CARRIED_OUT = "hosted"
"""The environment of which the moves are carried out."""

Modules = Mapping[type[Construct], Module]
MOVED = re.compile(r"from = (\S+)\n\s+to\s+= (\S+)\n")


@dataclass
class Left:
    """What became of the way out of an environment.

    Attributes:
        actions: what the plan of each stack's configuration would do, by part and address.
        changes: the attributes that each would change, by address, with their values before and after.
        outputs: which outputs each would change.
        again: what the plans would do after the moves, where those are carried out.
        moves: where each configuration has a resource of the stack, by its address without instances.
        error: what Terraform said when it failed.
    """

    actions: dict[str, dict[str, str]] = field(default_factory=dict)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    again: dict[str, dict[str, str]] = field(default_factory=dict)
    moves: dict[str, dict[str, str]] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """What `leave` found out for an environment that is deployed from this folder."""
        return cls(**json.loads((folder / "exit/left.json").read_text()))


class Exit:
    """An environment's configurations of the way out, beside its stacks.

    Attributes:
        folder: holds them, and a copy of the states of a local backend.
    """

    def __init__(
        self, deployed: Deployed, environment: Environment, modules: Modules, repository: Path
    ) -> None:
        """Write the configurations.

        Args:
            deployed: the environment's stacks.
            environment: the environment.
            modules: what they call.
            repository: where those are.
        """
        self.folder = deployed.folder / "exit"
        self._deployed = deployed
        sources = Sources(os.path.relpath(repository, self.folder / "stack"))
        found = configurations(environment, modules, sources)
        files = {f"{stack}/{name}": text for stack, named in found.items() for name, text in named.items()}
        write(self.folder, files)
        list(carried(self.folder, found, self._deployed.folder / "state"))

    def try_out(self) -> None:
        """Plan it, just after the stacks' own second plans; what is deployed, and its states, stay as they are."""
        left = Left()
        try:
            for part in self._deployed.parts:
                left.moves[part] = self.moves(part)
                plan = self.plan(part)
                left.actions[part], left.outputs[part] = dict(plan.actions), sorted(plan.outputs)
                left.changes[part] = {} if set(plan.actions.values()) <= {"move"} else self.changes(part)
                if self._deployed.name == CARRIED_OUT:
                    again = self.move(part)
                    left.again[part] = {**again.actions, **again.outputs}
            self.plan_both()
        except TerraformError as error:
            left.error = str(error)
        (self.folder / "left.json").write_text(json.dumps(asdict(left)))

    def stack(self, part: str) -> Path:
        """The folder of a stack's configuration."""
        return self.folder / f"{self._deployed.name}-{part}"

    def moves(self, part: str) -> dict[str, str]:
        """Where the configuration has each resource of the stack, without instances; without resources, no file."""
        file = self.stack(part) / "moved.tf"
        return dict(MOVED.findall(file.read_text())) if file.exists() else {}

    def plan(self, part: str) -> Plan:
        """Plan what would be done to a stack that was refreshed just before."""
        with self._command(part) as terraform:
            terraform.init()
            return terraform.plan(self.stack(part) / "plan", refresh=False)

    def changes(self, part: str) -> dict[str, Any]:
        """The attributes that the plan would change, by address: before and after."""
        with self._command(part) as terraform:
            shown = terraform.show_json(self.stack(part) / "plan")
        found = {}
        for resource in shown["resource_changes"]:
            before, after = (resource["change"][side] or {} for side in ("before", "after"))
            if before != after:
                found[resource["address"]] = {
                    key: (before.get(key), after.get(key))
                    for key in before.keys() | after.keys()
                    if before.get(key) != after.get(key)
                }
        return found

    def move(self, part: str) -> Plan:
        """Carry out what `plan` planned, and plan again."""
        with self._command(part) as terraform:
            terraform.apply(self.stack(part) / "plan")
            return terraform.plan()

    def plan_both(self) -> None:
        """Plan what the stacks and the configurations would make if nothing of it were there.

        It is one of a configuration with two modules for each stack, ``cdktf_<part>`` and ``exit_<part>``: what
        CDKTF and what the export wrote, without backend, provider and moves. What they read of the other stacks
        is there.
        """
        folder = self.folder / "both"
        calls, provider = {}, {}
        for part in self._deployed.parts:
            template = json.loads(self._deployed.template(part).read_text())
            provider = template.pop("provider")
            del template["terraform"]["backend"]
            theirs = folder / f"cdktf_{part}"
            theirs.mkdir(parents=True)
            states = str(self._deployed.folder / "state")
            theirs.joinpath("main.tf.json").write_text(json.dumps(template).replace("../../../state", states))
            ours = shutil.copytree(self.stack(part), folder / f"exit_{part}", ignore=IGNORED)
            sources = ours.joinpath("main.tf").read_text().replace('= "../../', '= "../../../')
            found = STATE_BESIDE.sub(rf'"{self.folder}/\1"', sources)
            ours.joinpath("main.tf").write_text(found)
            if (values := self.stack(part) / "terraform.tfvars").exists():
                # A module's variables are given by its call, or are the default.
                default = values.read_text().replace("workers =", "default =", 1)
                variables = ours / "variables.tf"
                variables.write_text(f"{variables.read_text().rstrip().removesuffix('}')}{default}}}\n")
            calls |= {name: {"source": f"./{name}"} for name in (theirs.name, ours.name)}
        whole = {"terraform": REQUIRED, "provider": provider, "module": calls}
        folder.joinpath("main.tf.json").write_text(json.dumps(whole))
        with self._command("network", folder) as terraform:
            terraform.init()
            terraform.plan(folder / "plan")
            folder.joinpath("plan.json").write_text(json.dumps(terraform.show_json(folder / "plan")))

    @contextmanager
    def _command(self, part: str, folder: Path | None = None) -> Iterator[Terraform]:
        """Terraform in a configuration, or in another folder, with what the stack's own commands use."""
        with self._deployed.provided(part) as variables:
            yield Terraform(folder or self.stack(part), {**self._deployed.aws.environment, **variables})


IGNORED = shutil.ignore_patterns(".terraform*", "moved.tf", "terraform.tf*", "plan")
STATE_BESIDE = re.compile(r'"\.\./([\w-]+/terraform\.tfstate)"')
REQUIRED = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}
