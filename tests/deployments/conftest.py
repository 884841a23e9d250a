"""What the tests of deployments share: environments that span the choices, applied and destroyed once."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from ops.export import write
from ops.export.constructs import modules_of, unwritten_app
from ops.terraform import TerraformError
from tests.deployments.exits import Exit, Modules
from tests.deployments.spanning import CERTIFICATE, spanning
from tests.support.deployed import Data, Deployed, environment_of, set_up
from tests.support.once import once
from tests.support.providers import Providers

SYNTH = threading.Lock()
"""One thread at a time speaks with jsii."""


@dataclass
class Run:
    """What became of an environment that was applied, planned again and destroyed.

    Attributes:
        name: the environment's.
        folder: what holds its output folder.
        parts: its stacks' parts, in their order.
        actions: what the second plan of each stack would do.
        changed: the stacks of which the second plan has changes, of outputs too.
        leftovers: what exists after the destroy.
        secrets: what Secrets Manager held of it before that, by name.
        said: what Terraform said all the while, line by line.
        operations: what the local AWS has carried out: `ecs.CreateService` and so on.
        error: what Terraform said when it failed.
    """

    name: str
    folder: str
    parts: list[str] = field(default_factory=list)
    actions: dict[str, dict[str, str]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    said: list[str] = field(default_factory=list, repr=False)
    operations: list[str] = field(default_factory=list)
    error: str = ""

    def template(self, part: str) -> Path:
        return Path(self.folder, "cdktf.out", "stacks", f"{self.name}-{part}", "cdk.tf.json")

    def plan_file(self, part: str) -> Path:
        return self.template(part).with_name("plan.json")

    def state_file(self, part: str) -> Path:
        return self.template(part).with_name("state.json")

    def plans(self) -> dict[str, Data]:
        """The plans of all parts."""
        return {part: self.plan(part) for part in self.parts}

    def plan(self, part: str) -> Data:
        """The JSON of the plan that was made once all was there: every value in it is known."""
        assert not self.error, self.error
        return _read(self.plan_file(part))


@cache
def _read(file: Path) -> Data:
    """A plan's JSON, read once; who breaks it breaks a copy."""
    plan: Data = json.loads(file.read_text())
    return plan


@dataclass
class Runs:
    """All runs by their environment's name."""

    runs: dict[str, Run]


@pytest.fixture(scope="session")
def runs(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, modules_repository: dict[str, str]
) -> Runs:
    """The deployments, whichever of pytest's processes asks first: the others wait for its results."""
    found = once(tmp_path_factory, worker_id, lambda folder: _run_all(folder, modules_repository), "spanning")
    return Runs({name: Run(**run) for name, run in found["runs"].items()})


def _run_all(folder: Path, repository: dict[str, str]) -> dict[str, Any]:
    with LocalAws.start() as aws:
        # A database takes minutes to come and go: the longest begin first.
        environments = sorted(spanning(aws), key=lambda data: "mode" not in data.get("hatchet", {}))
    names = [data["name"] for data in environments]
    write(folder / "modules", repository)
    # They wait for the provider's polls most of the time.
    with unwritten_app() as app, ThreadPoolExecutor(5) as pool:
        modules = modules_of(app)
        runs = list(pool.map(lambda name: _run(folder / name, name, modules), names))
    return asdict(Runs({run.name: run for run in runs}))


def _run(folder: Path, name: str, modules: Modules) -> Run:
    """Apply, plan again and destroy one environment, on a local AWS of its own."""
    folder.mkdir()
    run = Run(name, str(folder))
    with (
        LocalAws.start(log=folder / "local-aws.log", certificates=[CERTIFICATE]) as aws,
        Providers.of(aws.environment) as providers,
    ):
        data = next(data for data in spanning(aws) if data["name"] == name)
        region = data.get("region", aws.region)
        before = aws.leftovers(region)
        with SYNTH:
            deployed = Deployed.synthesized(aws, folder, data, providers=providers)
        run.parts = list(deployed.parts)
        try:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda part: deployed.apply([part]), deployed.parts[:2]))
            for part in deployed.parts[2:]:
                deployed.apply([part])
                if part == "hatchet":
                    set_up(_manager(aws, data))
            for part in deployed.parts:
                plan = deployed.plan(part)
                run.actions[part] = dict(plan.actions)
                run.changed += [part] * plan.has_changes
                deployed.plan_json(part)
                deployed.state(part)
            with SYNTH:
                environment = environment_of(data, folder / "environments")
                way_out = Exit(deployed, environment, modules, folder.parent / "modules")
            way_out.try_out()
            run.secrets = _secrets(aws, data)
            run.said = deployed.said
            if "hatchet" in deployed.parts:
                with SYNTH:
                    released = deployed.released(data)
                released.apply(["hatchet"])
            deployed.destroy()
        except TerraformError as error:
            run.error = str(error)
        run.operations = aws.operations()
        run.leftovers = sorted(set(aws.leftovers(region)) - set(before))
    return run


def _secrets(aws: LocalAws, data: Data) -> dict[str, str]:
    manager, found = _manager(aws, data), {}
    for secret in manager.list_secrets()["SecretList"]:
        if secret["Name"].startswith(f"{data['name']}/") and secret.get("SecretVersionsToStages"):
            found[secret["Name"]] = manager.get_secret_value(SecretId=secret["ARN"])["SecretString"]
    return found


def _manager(aws: LocalAws, data: Data) -> Any:
    return aws.client("secretsmanager", data.get("region", aws.region))
