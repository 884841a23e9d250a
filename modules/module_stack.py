"""The roots that the constructs are exported from: one Terraform module each.

Where an `EnvironmentStack` holds settings as locals, a module has a variable for each of them, of the same
name, with the type, the default and the rules of the settings class.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from cdktf import TerraformBackend, TerraformElement, TerraformLocal, TerraformOutput
from constructs import IConstruct
from pydantic.fields import FieldInfo

from modules.allowed import NAME
from modules.expression import Expression, hcl
from modules.rules import Rule, Settings
from modules.stack import TERRAFORM_VERSION, Label, ScytheApp, ScytheStack

AWS_PROVIDER_VERSION = ">= 5.100"
"""The version that the bindings are made from; a registry module sets no upper bound."""

RESERVED = frozenset(
    {"count", "depends_on", "for_each", "lifecycle", "locals", "providers", "source", "version"}
)
"""What no variable may be called: arguments of every ``module`` block
(https://developer.hashicorp.com/terraform/language/block/variable)."""

Module = TypeVar("Module", bound=Settings)


@dataclass(frozen=True)
class Element:
    """One thing that a construct made.

    Attributes:
        maker: the Python module of the construct that made it.
        kind: ``resource``, ``data``, ``locals`` or ``output``.
        labels: its type and name, or its name.
        body: its arguments, or its value, in Terraform's JSON syntax.
        shape: for each argument what CDKTF knows of it, such as ``isBlock``, with the ``value``'s own shapes.
    """

    maker: str
    kind: str
    labels: tuple[str, ...]
    body: Any
    shape: Mapping[str, Any]


class ModuleStack(ScytheStack):
    """A module for a registry: variables where an environment's stack has settings, no provider, no backend.

    Attributes:
        label: names and tags resources by the variables ``name`` and ``tags``.
    """

    def __init__(self, app: ScytheApp, id_: str) -> None:
        super().__init__(app, id_)
        self._id = id_
        self.add_override("terraform.required_version", TERRAFORM_VERSION)
        self.add_override(
            "terraform.required_providers.aws", {"source": "hashicorp/aws", "version": AWS_PROVIDER_VERSION}
        )
        self._declare(
            "name",
            {"description": "What the names of all resources begin with.", "type": "string"},
            [_validation(NAME.terraform("var.name"), f"name must be {NAME.allowed}")],
        )
        self._declare(
            "tags", {"description": "Tags of all resources.", "type": "map(string)", "default": {}}, []
        )
        self.label = Label(name=Expression("var.name"), tags=Expression("var.tags"))

    def variables(self, settings: type[Module]) -> Module:
        """Declare a variable for each of the settings' keys and give them as references to those.

        A key that Terraform reserves has the module's name in front: ``storage_lifecycle``.

        Raises:
            TypeError: a setting has a type, or a rule words, that no variable can have.
        """
        names = {key: f"{self._id}_{key}" if key in RESERVED else key for key in settings.model_fields}
        references = {key: Expression(f"var.{name}") for key, name in names.items()}
        for key, field in settings.model_fields.items():
            rules = [*_field_validations(field, key, references[key])]
            rules += [
                rule
                for path, rule in _cross_validations(settings, "", references)
                if path.split(".")[0] == key
            ]
            self._declare(names[key], _arguments(field), rules)
        return cast("Module", types.SimpleNamespace(**references))

    def synthesize(self) -> Mapping[str, Any]:
        """The module in Terraform's JSON syntax, with the local backend that CDKTF gives to every stack."""
        self.prepare_stack()
        return cast("Mapping[str, Any]", self.to_terraform())

    def elements(self, synthesis: Mapping[str, Any]) -> Iterator[Element]:
        """What the constructs made, in their order.

        Args:
            synthesis: what `synthesize` gave.
        """
        for made in self.node.find_all():
            if isinstance(made, TerraformLocal | TerraformOutput):
                kind = "locals" if isinstance(made, TerraformLocal) else "output"
                name = made.friendly_unique_id
                yield Element(_maker(made), kind, (name,), synthesis[kind][name], {})
            elif isinstance(made, TerraformElement) and not isinstance(made, TerraformBackend):
                # CDKTF's own HCL is wrong in places, but knows which arguments are nested blocks.
                ((kind, types_),) = made.to_hcl_terraform().items()
                ((type_, names),) = types_.items()
                ((name, shape),) = names.items()
                yield Element(_maker(made), kind, (type_, name), synthesis[kind][type_][name], shape)

    def _declare(self, name: str, arguments: Mapping[str, Any], rules: list[dict[str, str]]) -> None:
        self.add_override(
            f"variable.{name}",
            {"nullable": False, **arguments, **({"validation": rules} if rules else {})},
        )


def _maker(made: IConstruct) -> str:
    scope = made.node.scope
    while isinstance(scope, TerraformElement):
        scope = scope.node.scope
    return type(scope).__module__


def variable_type(annotation: Any) -> str:
    """The type constraint of a variable for values of a Python type.

    Raises:
        TypeError: there is none.
    """
    inner = _without_none(annotation)
    if get_origin(inner) is Annotated:
        return variable_type(get_args(inner)[0])
    if isinstance(inner, type) and issubclass(inner, Settings):
        return _object_type(inner)
    if get_origin(inner) is list:
        return f"list({variable_type(get_args(inner)[0])})"
    if get_origin(inner) is dict:
        return f"map({variable_type(get_args(inner)[1])})"
    if get_origin(inner) in {Union, types.UnionType}:
        return "any"
    names = {bool: "bool", float: "number", int: "number", str: "string"}
    if inner not in names:
        msg = f"no Terraform variable has the type {inner}"
        raise TypeError(msg)
    return names[inner]


def _object_type(settings: type[Settings]) -> str:
    members = []
    for key, field in settings.model_fields.items():
        type_ = variable_type(field.annotation)
        if not field.is_required():
            default = _default(field)
            if default is not None and _is_nullable(field):
                # optional(type, default) would turn a caller's null into the default.
                msg = f"{settings.__name__}.{key} may be null and has another default: no variable has that"
                raise TypeError(msg)
            type_ = f"optional({type_})" if default is None else f"optional({type_}, {hcl(default)})"
        members.append(f"{key} = {type_}")
    return f"object({{ {', '.join(members)} }})"


def _arguments(field: FieldInfo) -> dict[str, Any]:
    arguments: dict[str, Any] = {"description": _description(field), "type": variable_type(field.annotation)}
    if not field.is_required():
        default = _default(field)
        # CDKTF drops a null.
        arguments["default"] = "${null}" if default is None else default
    return {**arguments, "nullable": True} if _is_nullable(field) else arguments


def _description(field: FieldInfo) -> str:
    inner = _without_none(field.annotation)
    own = field.description or ""
    if not (isinstance(inner, type) and issubclass(inner, Settings)):
        return own
    keys = [f"- `{key}`: {member.description}" for key, member in inner.model_fields.items()]
    return "\n".join([own, "", *keys, ""])


def _default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True)
    return (
        default.model_dump(mode="json", exclude_defaults=True) if isinstance(default, Settings) else default
    )


def _field_validations(field: FieldInfo, path: str, reference: Expression) -> Iterator[dict[str, str]]:
    """The rules of a field and of what is below it."""
    nullable = _is_nullable(field)
    rule = _rule(field)
    if rule is not None and variable_type(field.annotation) != "bool":
        condition = rule.terraform(reference, nullable=nullable)
        yield _validation(condition, f"{path} must be {rule.allowed}")
    inner = _without_none(field.annotation)
    if isinstance(inner, type) and issubclass(inner, Settings):
        for key, member in inner.model_fields.items():
            for found in _field_validations(member, f"{path}.{key}", getattr(reference, key)):
                yield _unless_null(reference, found) if nullable else found


def _cross_validations(
    settings: type[Settings], prefix: str, references: Mapping[str, Expression]
) -> Iterator[tuple[str, dict[str, str]]]:
    """The rules of several keys and of what is below each, with the key that each is reported at."""
    for rule in settings.rules:
        if not isinstance(rule.message, str):
            msg = f"{settings.__name__}: a rule's message is made of values: it has no fixed words"
            raise TypeError(msg)
        path = prefix + ".".join(map(str, rule.path))
        yield path, _validation(rule.terraform(references), f"{path} {rule.message}")
    for key, field in settings.model_fields.items():
        inner = _without_none(field.annotation)
        if isinstance(inner, type) and issubclass(inner, Settings):
            members = {name: getattr(references[key], name) for name in inner.model_fields}
            for path, found in _cross_validations(inner, f"{prefix}{key}.", members):
                yield path, _unless_null(references[key], found) if _is_nullable(field) else found


def _validation(condition: str, message: str) -> dict[str, str]:
    return {"condition": f"${{{condition}}}", "error_message": message}


def _unless_null(reference: Expression, validation: Mapping[str, str]) -> dict[str, str]:
    condition = validation["condition"][2:-1]
    return _validation(f"{reference} == null ? true : ({condition})", validation["error_message"])


def _rule(field: FieldInfo) -> Rule | None:
    parts = [extra for part in get_args(field.annotation) for extra in get_args(part)]
    return next((item for item in (*field.metadata, *parts) if isinstance(item, Rule)), None)


def _is_nullable(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if len(parts) == 1 else Union[tuple(parts)]  # noqa: UP007  # made of a tuple
