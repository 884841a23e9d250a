"""The roots that the constructs are exported from: one Terraform module each.

Where an `EnvironmentStack` holds settings as locals, a module has a variable for each of them, of the same
name, with the type, the default and the rules of the settings class. What a construct is given of another one, a
module is given as an object: the other module itself fits.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from cdktf import TerraformBackend, TerraformElement, TerraformLocal, TerraformOutput
from constructs import IConstruct
from pydantic import Field

from synthesis.allowed import NAME, policy_arn
from synthesis.expression import Expression, local
from synthesis.left_open import completed
from synthesis.literals import hcl
from synthesis.rules import Settings
from synthesis.stack import TERRAFORM_VERSION, DataclassInstance, Label, ScytheApp, ScytheStack, published
from synthesis.typed import settings_of, typed
from synthesis.validations import Validation, validations
from synthesis.variables import variable

AWS_PROVIDER_VERSION = ">= 5.100, < 7.0"
"""From the version that the bindings are made from to the last major one that the constructs are known to fit."""

RESERVED = frozenset(
    {"count", "depends_on", "for_each", "lifecycle", "locals", "providers", "source", "version"}
)
"""What no variable may be called: arguments of every ``module`` block
(https://developer.hashicorp.com/terraform/language/block/variable)."""

Module = TypeVar("Module", bound=Settings)
Attributes = TypeVar("Attributes", bound=DataclassInstance)


@dataclass(frozen=True)
class Element:
    """One thing that a construct made.

    Attributes:
        part: the id of the part of the module's construct that it belongs to; empty for the construct's own.
        maker: the Python module of that part, or of the construct.
        kind: ``resource``, ``data``, ``ephemeral``, ``locals`` or ``output``.
        labels: its type and name, or its name.
        body: its arguments, or its value, in Terraform's JSON syntax.
        shape: for each argument what CDKTF knows of it, such as ``isBlock``, with the ``value``'s own shapes.
    """

    part: str
    maker: str
    kind: str
    labels: tuple[str, ...]
    body: Any
    shape: Mapping[str, Any]


@dataclass
class _Variable:
    arguments: dict[str, Any]
    rules: list[Validation]
    attributes: type[DataclassInstance] | None = None
    prefix: str = ""


class Naming(Settings):
    """What every module is told."""

    name: Annotated[str, NAME] = Field(description="What the names of all resources begin with.")
    tags: dict[str, str] = Field(default={}, description="Tags of all resources.")
    permissions_boundary: Annotated[str, policy_arn()] | None = Field(
        default=None, description="ARN of the policy that bounds every IAM role. Default: none."
    )


class ModuleStack(ScytheStack):
    """A module for a registry: variables where an environment's stack has settings, no provider, no backend.

    Attributes:
        texts: files that the module reads, by their paths in it.
        prefix: what the messages of its validations begin with, a Terraform template.
        label: names, tags and bounds resources by the variables ``name``, ``tags`` and ``permissions_boundary``.
    """

    def __init__(self, app: ScytheApp, id_: str) -> None:
        super().__init__(app, id_)
        self._id = id_
        self.texts: dict[str, str] = {}
        self.prefix = ""
        self._variables: dict[str, _Variable] = {}
        self.add_override("terraform.required_version", TERRAFORM_VERSION)
        self.add_override(
            "terraform.required_providers.aws", {"source": "hashicorp/aws", "version": AWS_PROVIDER_VERSION}
        )
        naming = self.variables(Naming)
        self.label = Label(
            name=cast("Expression", naming.name),
            tags=cast("Expression", naming.tags),
            permissions_boundary=cast("Expression", naming.permissions_boundary),
        )

    def variables(
        self,
        settings: type[Module],
        keys: Iterable[str] | None = None,
        *,
        below: bool = True,
        is_typed: bool = False,
    ) -> Module:
        """Declare a variable for each of the settings' keys and give them as references to those.

        A key that Terraform reserves has the module's name in front: ``storage_lifecycle``. A key of which something
        may be left open is a local, in which that is filled in.

        Args:
            settings: their class.
            keys: the keys; None for all.
            below: whether also what is below the keys is validated, rather than by the module that is given it.
            is_typed: whether the references have the types of what they stand for.

        Raises:
            TypeError: a setting has a type, or a rule words, that no variable can have.
        """
        chosen = list(settings.model_fields if keys is None else keys)
        names = {key: self.variable_name(key) for key in settings.model_fields}
        fields = settings.model_fields
        given = {key: typed(fields[key].annotation, f"var.{name}") for key, name in names.items()}
        texts = {key: text for key, text in completed(settings, given, {}).items() if key in chosen}
        plain = {key: Expression(reference.hcl) for key, reference in given.items()}
        whole = {**plain, **{key: local(self, names[key], text) for key, text in texts.items()}}
        rules = list(validations(settings, given, {}, below=below))
        places = [_last_read(rule, {key: names[key] for key in chosen}) for rule in rules]
        for key in chosen:
            own = [rule for rule, place in zip(rules, places, strict=True) if place == key]
            arguments = variable(settings.model_fields[key], is_left_open=key in settings.left_open)
            self._variables[names[key]] = _Variable(arguments, own, prefix=self.prefix)
        if is_typed:
            expressions = {key: typed(fields[key].annotation, hcl(whole[key])) for key in chosen}
            return cast("Module", settings_of(settings, expressions))
        return cast("Module", types.SimpleNamespace(**{key: whole[key] for key in chosen}))

    def variable_name(self, key: str) -> str:
        """The name of a setting's variable."""
        return f"{self._id.replace('-', '_')}_{key}" if key in RESERVED else key

    def given(self, name: str, attributes: type[Attributes]) -> Attributes:
        """Declare a variable that holds what another module published; gives it as that.

        Attributes that say what they are ``unless_null`` may be left out.
        """
        self._variables[name] = _Variable({"description": inspect.getdoc(attributes) or ""}, [], attributes)
        reference = Expression(f"var.{name}")
        unless_null: Callable[[Expression], Attributes] | None = getattr(attributes, "unless_null", None)
        if unless_null:
            self._variables[name].arguments |= {"default": "${null}", "nullable": True}
            return unless_null(reference)
        return attributes(**{field.name: getattr(reference, field.name) for field in published(attributes)})

    def text_of(self, file: Path) -> str:
        """The expression of the text of a file that the module has."""
        self.texts[f"scripts/{file.name}"] = file.read_text(encoding="utf-8")
        return f'${{file("${{path.module}}/scripts/{file.name}")}}'

    def synthesize(self) -> Mapping[str, Any]:
        """The module in Terraform's JSON syntax, with the local backend that CDKTF gives to every stack.

        Of the variables there are those that something reads, and an object has the attributes that something reads.
        """
        self.prepare_stack()
        made = cast("Mapping[str, Any]", self.to_terraform())
        read = json.dumps({key: value for key, value in made.items() if key != "terraform"})
        variables = {}
        # A variable is also read by the rules of another one.
        for name in self._closure(read):
            found = self._variables[name]
            variables[name] = {"nullable": False, **found.arguments, **_object_of(name, found, read)}
            if found.rules:
                variables[name]["validation"] = [rule.block(found.prefix) for rule in found.rules]
        return {**made, "variable": variables}

    def elements(self, synthesis: Mapping[str, Any]) -> Iterator[Element]:
        """What the constructs made, in their order.

        Args:
            synthesis: what `synthesize` gave.
        """
        for made in self.node.find_all():
            if isinstance(made, TerraformLocal | TerraformOutput):
                kind = "locals" if isinstance(made, TerraformLocal) else "output"
                name = made.friendly_unique_id
                yield Element(*_part_of(made), kind, (name,), synthesis[kind][name], {})
            elif isinstance(made, TerraformElement) and not isinstance(made, TerraformBackend):
                # CDKTF's own HCL is wrong in places, but knows which arguments are nested blocks.
                ((kind, types_),) = made.to_hcl_terraform().items()
                ((type_, names),) = types_.items()
                ((name, shape),) = names.items()
                yield Element(*_part_of(made), kind, (type_, name), synthesis[kind][type_][name], shape)
        for scope, type_, name in self.ephemerals:
            body = synthesis["ephemeral"][type_][name]
            yield Element(*_part_of(scope), "ephemeral", (type_, name), body, {})

    def _closure(self, read: str) -> list[str]:
        """The variables that are read, in the order of their declaration."""
        wanted = {name for name in self._variables if _reads(read, name)}
        wanted.add("name")
        while True:
            rules = json.dumps([rule.block() for name in wanted for rule in self._variables[name].rules])
            more = {name for name in self._variables.keys() - wanted if _reads(rules, name)}
            if not more:
                return [name for name in self._variables if name in wanted]
            wanted |= more


def _reads(text: str, name: str) -> bool:
    return re.search(rf"\bvar\.{name}\b", text) is not None


def _last_read(rule: Validation, names: dict[str, str]) -> str:
    """The key of the last variable that a rule reads: so no two variables' rules wait for each other.

    Terraform wants each rule to read the variable that it stands at.
    """
    condition = rule.block()["condition"]
    return next((key for key in reversed(names) if _reads(condition, names[key])), "")


def _object_of(name: str, found: _Variable, read: str) -> dict[str, str]:
    if found.attributes is None:
        return {}
    members = [
        f"{field.name} = {field.metadata['type']}"
        for field in published(found.attributes)
        if re.search(rf"\bvar\.{name}\.{field.name}\b", read)
    ]
    return {"type": f"object({{ {', '.join(members)} }})"}


def _part_of(made: IConstruct) -> tuple[str, str]:
    """The part of a module's construct that something belongs to, by its id, and the Python module of it."""
    # The app, the stack, its construct, and a part of that.
    scopes = [scope for scope in made.node.scopes if not isinstance(scope, TerraformElement)][1:4]
    return (scopes[2].node.id if len(scopes) > 2 else "", type(scopes[-1]).__module__)
