"""Settings as a Terraform module's variables: their types, defaults and descriptions."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from synthesis.literals import hcl
from synthesis.rules import Settings


def variable(field: FieldInfo, *, is_left_open: bool = False) -> dict[str, Any]:
    """The arguments of a variable.

    Args:
        field: the settings' field.
        is_left_open: whether it is null where it is left out, and something else fills it in.

    Raises:
        TypeError: it has a type that no variable can have.
    """
    arguments: dict[str, Any] = {"description": _description(field), "type": variable_type(field.annotation)}
    if not field.is_required():
        default = None if is_left_open else _default(field)
        # CDKTF drops a null.
        arguments["default"] = "${null}" if default is None else default
    return {**arguments, "nullable": True} if is_left_open or is_nullable(field) else arguments


def variable_type(annotation: Any) -> str:
    """The type constraint of a variable for values of a Python type.

    Raises:
        TypeError: there is none.
    """
    inner = without_none(annotation)
    if get_origin(inner) is Annotated:
        return variable_type(get_args(inner)[0])
    if is_settings(inner):
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
            default = None if key in settings.left_open else _default(field)
            if default is not None and is_nullable(field):
                # optional(type, default) would turn a caller's null into the default.
                msg = f"{settings.__name__}.{key} may be null and has another default: no variable has that"
                raise TypeError(msg)
            type_ = f"optional({type_})" if default is None else f"optional({type_}, {hcl(default)})"
        members.append(f"{key} = {type_}")
    return f"object({{ {', '.join(members)} }})"


def _description(field: FieldInfo) -> str:
    lines = list(_descriptions(field, ""))
    return "\n".join([field.description or "", "", *lines, ""]) if lines else field.description or ""


def _descriptions(field: FieldInfo, indent: str) -> Iterator[str]:
    """A line for each key below, however deep."""
    inner = without_none(field.annotation)
    if get_origin(inner) in {list, dict}:
        inner = get_args(inner)[-1]
    if is_settings(inner):
        for key, member in inner.model_fields.items():
            yield f"{indent}- `{key}`: {member.description}"
            yield from _descriptions(member, f"{indent}  ")


def _default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True)
    return (
        default.model_dump(mode="json", exclude_defaults=True) if isinstance(default, Settings) else default
    )


def is_settings(annotation: Any) -> bool:
    """Whether a type is a settings class."""
    return isinstance(annotation, type) and issubclass(annotation, Settings)


def is_nullable(field: FieldInfo) -> bool:
    """Whether a field may be None."""
    return type(None) in get_args(field.annotation)


def without_none(annotation: Any) -> Any:
    """A type without the None that it may be."""
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if len(parts) == 1 else Union[tuple(parts)]  # noqa: UP007  # made of a tuple
