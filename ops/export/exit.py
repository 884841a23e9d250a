"""The way out: an environment's stacks as HCL that calls the modules, and moves what is deployed into them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cdktf import TerraformResource

from environments.schema import Environment
from main import COMPOSERS, compose, deployment_of, parts
from modules.worker_fleet.environment import experiments_elsewhere
from modules.worker_fleet.settings import FleetSettings
from modules.worker_fleet.worker_fleet import WorkerFleet
from ops.export.blocks import (
    argument,
    check_blocks,
    data_blocks,
    joined,
    locals_block,
    module_block,
    moved_block,
    output_block,
    provider_blocks,
    terraform_block,
)
from ops.export.constructs import Module, SettingsAt, told, unwritten_app
from ops.export.existing import missing
from ops.export.modules import variable_block
from ops.export.rendering import render
from ops.export.syntax import expression
from synthesis.expression import Expression, ref
from synthesis.stack import Deployment, EnvironmentStack, ScytheApp, literal
from synthesis.typed import typed
from synthesis.variables import variable

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

STATE = "terraform.tfstate"
"""Where a local state is, in the folder of its stack."""

FLEETS = "worker_fleet"
"""The call of the fleets."""


class CallingStack(EnvironmentStack):
    """A stack that calls modules where `EnvironmentStack` makes constructs; all else is the same.

    Values are arguments of the calls. The fleets alone are a variable, ``workers``, and one call with ``for_each``.

    Attributes:
        calls: the arguments of each call, by its name.
        made: where in the environment's own stack, and as which module, is what a call stands for.
        fleets: what each fleet's settings say beyond their defaults.
    """

    def __init__(
        self,
        app: ScytheApp,
        deployment: Deployment,
        part: str,
        modules: Mapping[type[Construct], Module],
        sources: Sources,
    ) -> None:
        super().__init__(app, deployment, part)
        self._modules, self._sources = modules, sources
        self.calls: dict[str, dict[str, Any]] = {}
        self.made: dict[str, tuple[str, Module]] = {}
        self.fleets: dict[str, Any] = {}

    def make(self, construct: Any, id_: str, *_: Any, **given: Any) -> Any:
        """Call the construct's module."""
        module = self._modules[construct]
        name = address = module.call_name
        meta = {}
        if construct is WorkerFleet:
            address = f'{name}["{given["fleet"]}"]'
            given |= {
                "fleet": Expression("each.key"),
                "settings": SettingsAt(tuple(FleetSettings.model_fields), Expression("each.value")),
            }
            if any(fleet.get("experiments") for fleet in self.fleets.values()):
                fleets = typed(dict[str, FleetSettings], "var.workers")
                given["experiments_elsewhere"] = experiments_elsewhere(fleets, typed(str, "each.key"))
            meta = {"for_each": "${var.workers}"}
        self.calls[name] = {**self._sources.of(module), **meta, **module.arguments(given)}
        self.made[address] = (id_, module)
        return module.outputs(f"module.{address}")

    def settings(self, name: str, settings: Any) -> Any:
        """The settings themselves, which a call says as its arguments."""
        return settings

    def values(self, name: str, settings: Any) -> Any:
        """The settings themselves."""
        return settings

    def values_by_name(self, name: str, settings: Mapping[str, Any]) -> Any:
        """A reference to the variable of the fleets."""
        self.fleets = {key: told(item) for key, item in settings.items()}
        return typed(dict[str, FleetSettings], "var.workers")

    def local(self, name: str, value: object) -> Expression:
        """A value as an argument says it."""
        return Expression("null" if value is None else expression(literal(value)))

    def moves(self, own: EnvironmentStack) -> Iterator[tuple[str, str]]:
        """Where each resource is, and where it will be; nothing of what the environment's choices exclude.

        Args:
            own: the environment's own stack.
        """
        gone = missing(own)
        for name, (id_, module) in self.made.items():
            theirs = _resources(module.made)
            for path, (address, is_counted) in _resources(own.node.find_child(id_)).items():
                there, counts = theirs[path]
                if address not in gone:
                    yield address, f"module.{name}.{there}{'[0]' if counts and not is_counted else ''}"


def _resources(construct: IConstruct) -> dict[str, tuple[str, bool]]:
    """The addresses of a construct's resources by their paths below it, and whether they have a count."""
    found = {}
    for made in construct.node.find_all():
        if isinstance(made, TerraformResource):
            path = made.node.path.removeprefix(construct.node.path)
            found[path] = str(ref(made)), made.count is not None
    return found


@dataclass(frozen=True)
class Sources:
    """Where the modules come from.

    Attributes:
        base: a registry's address of the whole, or the path of a folder that holds ``modules``.
        version: the version of a registry's; empty for the newest.
    """

    base: str
    version: str = ""

    def of(self, module: Module) -> dict[str, str]:
        """The arguments by which a call finds a module."""
        if self.base.startswith((".", "/")):
            return {"source": f"{self.base}/modules/{module.name}"}
        version = {"version": self.version} if self.version else {}
        return {"source": f"{self.base}//modules/{module.name}", **version}


def configurations(
    environment: Environment, modules: Mapping[type[Construct], Module], sources: Sources
) -> dict[str, dict[str, str]]:
    """The files of each stack by its name, as text that ``terraform fmt`` has yet to align.

    Args:
        environment: the environment.
        modules: what they call.
        sources: where the modules come from.
    """
    with unwritten_app() as app, unwritten_app() as own:
        compose(own, environment)
        deployment = deployment_of(environment)
        found = {}
        for part in parts(environment):
            stack = CallingStack(app, deployment, part, modules, sources)
            COMPOSERS[part](stack, environment)
            name = f"{environment.name}-{part}"
            moves = stack.moves(cast("EnvironmentStack", own.node.find_child(name)))
            found[name] = _files(environment.name, stack, list(moves), _token_check(environment))
        return found


def _files(
    environment: str, stack: CallingStack, moves: list[tuple[str, str]], token_check: str
) -> dict[str, str]:
    stack.prepare_stack()
    document = json.loads(json.dumps(stack.to_terraform()))
    document["terraform"]["required_providers"]["aws"]["source"] = "hashicorp/aws"
    # Without a backend the state is beside the configuration, where its readers find it too.
    document["terraform"]["backend"].pop("local", None)
    for name, source in document.get("data", {}).get("terraform_remote_state", {}).items():
        if source["backend"] == "local":
            folder = f"{environment}-{name}"
            source["config"]["path"] = f"../{folder}/{STATE}"
    files = {
        "main.tf": joined(
            [
                *locals_block(document.get("locals", {})),
                *data_blocks(document.get("data", {})),
                *(module_block(name, body) for name, body in stack.calls.items()),
                *([token_check] if "check" in document else []),
            ]
        ),
        "moved.tf": joined(moved_block(before, after) for before, after in moves),
        "outputs.tf": joined(output_block(name, body) for name, body in document.get("output", {}).items()),
        "terraform.tf": joined(
            [terraform_block(document["terraform"]), *provider_blocks(document["provider"])]
        ),
    }
    if stack.fleets:
        workers = {**variable(Environment.model_fields["workers"]), "nullable": False}
        workers["description"] = "The worker fleets, by name."
        files["variables.tf"] = variable_block("workers", workers)
        files["terraform.tfvars"] = argument("workers", literal(stack.fleets), indent="") + "\n"
    return {name: text for name, text in files.items() if text}


def _token_check(environment: Environment) -> str:
    """The check that warns of fleets that wait for the token, and says what to do about it here."""
    hatchet = environment.hatchet
    secret = hatchet.token_secret_arn or f"{environment.name}/hatchet-client-token"
    remedy = (
        f"Hatchet's set-up stores it (log group /scythe/{environment.name}/hatchet)."
        if hatchet.mode == "self_hosted"
        else f'aws secretsmanager put-secret-value --secret-string "$TOKEN" --secret-id {secret} '
        f"--region {environment.region}"
    )
    waits = f"flatten([for fleet in module.{FLEETS} : fleet.waits_for])"
    body = {
        "condition": f'${{!contains({waits}, "token")}}',
        "error_message": f"No fleet runs a task before Hatchet's client token is stored:\n{remedy}\n"
        "Then run terraform apply here again.\n",
    }
    return joined(check_blocks({"token": {"assert": [body]}}))


def beside(environment: Environment, stacks: list[str], *, has_copies: bool) -> dict[str, str]:
    """What lies beside the stacks' folders.

    Args:
        environment: the environment.
        stacks: the names of its stacks, in the order in which they are applied.
        has_copies: whether copies of the modules lie beside them too.
    """
    return {
        ".gitignore": render("exit/gitignore"),
        "README.md": render(
            "exit/README.md",
            name=environment.name,
            region=environment.region,
            stacks={stack: CONTENTS[stack.removeprefix(f"{environment.name}-")] for stack in stacks},
            bucket=environment.state.bucket,
            has_copies=has_copies,
            is_self_hosted=environment.hatchet.mode == "self_hosted",
        ),
    }


CONTENTS: Mapping[str, str] = {
    "network": "VPC, subnets, NAT and endpoints",
    "storage": "Bucket, image repositories, the secret of the client token, the researchers' policy",
    "hatchet": "Hatchet's engine, database and load balancer",
    "workers": "ECS cluster, worker fleets, the backlog service",
    "observability": "Alarms and the budget",
}
"""What each stack holds."""
