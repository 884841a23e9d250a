"""The way out of CDKTF: an environment's stacks as HCL that calls the modules, and moves what is deployed into them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cdktf import TerraformResource

from environments.schema import Environment
from main import COMPOSERS, compose, deployment_of, parts
from ops.export.blocks import (
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
from synthesis.expression import Expression, ref
from synthesis.rules import Settings
from synthesis.stack import STATES, Deployment, EnvironmentStack, ScytheApp
from synthesis.typed import typed

if TYPE_CHECKING:
    from constructs import Construct, IConstruct


class CallingStack(EnvironmentStack):
    """A stack that calls modules where `EnvironmentStack` makes constructs; all else is the same.

    Attributes:
        calls: the arguments of each call, by its name.
        made: where in the environment's own stack, and as which module, is what a call stands for.
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

    def make(self, construct: Any, id_: str, *_: Any, **given: Any) -> Any:
        """Call the construct's module."""
        module = self._modules[construct]
        # Of all constructs only the fleets are many in a stack.
        name = given.get("fleet", module.call_name)
        if name in self.calls:
            name = f"fleet-{name}"
        self.calls[name] = {**self._sources.of(module), **module.arguments(given)}
        self.made[name] = (id_, module)
        return module.outputs(f"module.{name}")

    def settings(self, name: str, settings: Any) -> Any:
        """The settings themselves, which a call says as its arguments."""
        return settings

    def values(self, name: str, settings: Any) -> Any:
        """What settings say beyond their defaults, of several at the local that `local` wrote."""
        return SettingsAt(tuple(told(settings)), Expression(f"local.{name}")) if "." in name else settings

    def values_by_name(self, name: str, settings: Mapping[str, Any]) -> Any:
        """A reference to the local that has what each says beyond its defaults."""
        return typed(dict[str, type(next(iter(settings.values())))], str(self.local(name, settings)))  # type: ignore[misc]  # of values

    def local(self, name: str, value: object) -> Expression:
        """Write a value as a local, none where it is null; of settings what they say beyond their defaults."""
        if value is None:
            return Expression("null")
        if isinstance(value, Mapping):
            value = {key: told(item) if isinstance(item, Settings) else item for key, item in value.items()}
        return super().local(name, value)

    def moves(self, own: EnvironmentStack) -> Iterator[tuple[str, str]]:
        """Where each resource is, and where it will be.

        Args:
            own: the environment's own stack.
        """
        for name, (id_, module) in self.made.items():
            theirs = _resources(module.made)
            for path, (address, is_counted) in _resources(own.node.find_child(id_)).items():
                there, counts = theirs[path]
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
    environment: Environment, modules: Mapping[type[Construct], Module], sources: Sources, states: str
) -> dict[str, dict[str, str]]:
    """The files of each stack by its name, as text that ``terraform fmt`` has yet to align.

    Args:
        environment: the environment.
        modules: what they call.
        sources: where the modules come from.
        states: the folder of the local backend's states, as seen from a stack's folder.
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
            found[name] = _files(stack, list(moves), states)
        return found


def _files(stack: CallingStack, moves: list[tuple[str, str]], states: str) -> dict[str, str]:
    stack.prepare_stack()
    document = json.loads(json.dumps(stack.to_terraform()).replace(STATES, states))
    document["terraform"]["required_providers"]["aws"]["source"] = "hashicorp/aws"
    return {
        "main.tf": joined(
            [
                *locals_block(document.get("locals", {})),
                *data_blocks(document.get("data", {})),
                *(module_block(name, body) for name, body in stack.calls.items()),
                *check_blocks(document.get("check", {})),
            ]
        ),
        "moved.tf": joined(moved_block(before, after) for before, after in moves),
        "outputs.tf": joined(output_block(name, body) for name, body in document.get("output", {}).items()),
        "terraform.tf": joined(
            [terraform_block(document["terraform"]), *provider_blocks(document["provider"])]
        ),
    }
