"""The constructs as modules: which there are, and what each is called with and gives."""

from __future__ import annotations

import dataclasses
import inspect
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast, get_origin, get_type_hints

from modules.backlog.backlog import Backlog
from modules.backlog.settings import BacklogSettings
from modules.client_token.client_token import ClientToken
from modules.cluster.cluster import Cluster
from modules.hatchet.hatchet import Hatchet
from modules.hatchet.repositories import Repositories
from modules.network.network import Network
from modules.network.settings import NetworkSettings
from modules.observability.observability import Observability
from modules.researcher.researcher import Researcher
from modules.storage.settings import StorageSettings
from modules.storage.storage import Storage
from modules.worker_fleet.settings import FleetSettings
from modules.worker_fleet.worker_fleet import WorkerFleet
from ops.export.parameters import Parameters
from ops.export.syntax import expression
from synthesis.expression import Expression, text
from synthesis.module_stack import Element, ModuleStack
from synthesis.rules import Settings
from synthesis.stack import DataclassInstance, Label, ScytheApp, literal, published
from synthesis.typed import Typed

if TYPE_CHECKING:
    # Else jsii would start before the seam of `synthesis`.
    from constructs import Construct

CONSTRUCTS: Mapping[str, type[Construct]] = {
    "network": Network,
    "storage": Storage,
    "client-token": ClientToken,
    "repositories": Repositories,
    "researcher": Researcher,
    "cluster": Cluster,
    "hatchet": Hatchet,
    "worker-fleet": WorkerFleet,
    "backlog": Backlog,
    "observability": Observability,
}
"""The construct of each submodule."""

PUBLISHED = ("attributes", "access")
"""What of a construct's own is its module's outputs."""


@dataclass(frozen=True)
class Module:
    """A construct as a module.

    Attributes:
        name: of its folder.
        made: the construct, in its stack.
        stack: its stack.
        published: what the construct publishes, by the attributes' names.
        synthesis: the module in Terraform's JSON syntax.
        elements: what the construct made, in its order.
    """

    name: str
    made: Construct
    stack: ModuleStack
    published: Mapping[str, DataclassInstance]
    synthesis: Mapping[str, Any]
    elements: Sequence[Element]

    @classmethod
    def of(cls, app: ScytheApp, name: str) -> Module:
        """A module of one construct, whose parameters are its variables."""
        stack, construct = ModuleStack(app, name), CONSTRUCTS[name]
        hints = get_type_hints(construct.__init__)
        given = {}
        for parameter, details in inspect.signature(construct.__init__).parameters.items():
            if details.kind is details.KEYWORD_ONLY:
                given[parameter] = _argument(stack, parameter, hints[parameter])
            if parameter == "fleet":
                # One of many modules: its messages say which.
                stack.prefix = "${var.fleet}."
        made: Any = construct(stack, "Default", **given)
        parts = {part: getattr(made, part) for part in PUBLISHED if hasattr(made, part)}
        for attributes in parts.values():
            stack.publish(attributes)
        synthesis = stack.synthesize()
        return cls(name, made, stack, parts, synthesis, list(stack.elements(synthesis)))

    @property
    def call_name(self) -> str:
        """What a call of it is named, where there is one."""
        return self.name.replace("-", "_")

    def of_kind(self, kind: str) -> list[Element]:
        """The elements of a kind, such as ``data``."""
        return [element for element in self.elements if element.kind == kind]

    def outputs(self, address: str) -> Any:
        """What the construct would publish, from a call of the module.

        Args:
            address: the call's, such as ``module.network``.
        """
        return SimpleNamespace(
            **{
                part: type(own)(
                    **{field.name: Expression(f"{address}.{field.name}") for field in published(own)}
                )
                for part, own in self.published.items()
            }
        )

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call, in Terraform's JSON syntax; those that are the default are left out.

        Args:
            given: what the construct would be given; settings may be `SettingsAt`.
        """
        found: dict[str, Any] = {}
        for parameter, value in given.items():
            found |= self._argument(parameter, value)
        wanted = self.synthesis["variable"]
        return {
            name: value
            for name, value in found.items()
            if name in wanted and expression(value) != expression(wanted[name].get("default"))
        }

    def _argument(self, parameter: str, value: Any) -> Mapping[str, Any]:
        if isinstance(value, Label):
            parts = {
                "name": value.name,
                "tags": value.tags,
                "permissions_boundary": value.permissions_boundary,
            }
            return {name: text(part) for name, part in parts.items() if part is not None}
        if isinstance(value, Settings):
            return {self.stack.variable_name(key): literal(part) for key, part in told(value).items()}
        if isinstance(value, SettingsAt):
            return {self.stack.variable_name(key): text(f"{value.reference}.{key}") for key in value.keys}
        if dataclasses.is_dataclass(value):
            whole = _whole(cast("DataclassInstance", value))
            return {} if whole is None else {parameter: text(whole)}
        return {parameter: text(value) if isinstance(value, Expression | Typed) else literal(value)}


@dataclass(frozen=True)
class SettingsAt:
    """Settings that are read at a reference.

    Attributes:
        keys: those that are there.
        reference: where they are.
    """

    keys: tuple[str, ...]
    reference: Expression


def told(settings: Settings) -> dict[str, Any]:
    """What settings say beyond their defaults; of what their defaults leave open they say all."""
    found: dict[str, Any] = {}
    for key, field in type(settings).model_fields.items():
        value, default = getattr(settings, key), field.get_default(call_default_factory=True)
        if isinstance(value, Settings):
            part = told(value)
            # Without a default of its own, an empty object says that there is one.
            if part or default is None:
                found[key] = part
        elif key in settings.left_open or field.is_required() or value != default:
            found[key] = (
                [told(item) if isinstance(item, Settings) else item for item in value]
                if isinstance(value, list)
                else value
            )
    return found


@contextmanager
def unwritten_app() -> Iterator[ScytheApp]:
    """An app for stacks that are looked at, and never written."""
    with tempfile.TemporaryDirectory() as folder:
        yield ScytheApp(outdir=folder)


def modules_of(app: ScytheApp) -> dict[type[Construct], Module]:
    """All modules, by their constructs."""
    return {construct: Module.of(app, name) for name, construct in CONSTRUCTS.items()}


def _argument(stack: ModuleStack, parameter: str, type_: type) -> Any:
    if type_ is Label:
        return stack.label
    if type_ in {BacklogSettings, FleetSettings, NetworkSettings, StorageSettings}:
        return stack.variables(type_, is_typed=True)
    if get_origin(type_):
        return getattr(stack.variables(Parameters, [parameter], is_typed=True), parameter)
    if issubclass(type_, Settings):
        return stack.variables(type_)
    if dataclasses.is_dataclass(type_):
        return stack.given(parameter, type_)
    value = getattr(stack.variables(Parameters, [parameter]), parameter)
    return text(value) if type_ is str else value


def _whole(attributes: DataclassInstance) -> Expression | None:
    """What has all of another construct's attributes as its own; None where nothing has."""
    first = published(attributes)[0].name
    whole, _, last = str(getattr(attributes, first)).rpartition(".")
    return Expression(whole) if last == first else None
