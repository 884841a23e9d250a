"""Keys whose default depends on other keys: filled in for what a file says, and for what a module's caller gives."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from types import SimpleNamespace
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from synthesis.literals import hcl
from synthesis.typed import Typed, like, typed

LeftOpen = Callable[[Any], Any]
"""The default of a key, made of the other keys and those of the settings above; a key in its own default is the one
above."""


def filled_in(settings: type[BaseModel], data: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says, with what it leaves open filled in, in the settings below too.

    Args:
        settings: their class.
        data: what the file says of them.
        above: what is known of the settings above.
    """
    known = {**above, **_defaults(settings), **data}
    filled = dict(data)
    for key, default in _left_open(settings).items():
        if key not in data:
            # Of what has a fault of its own nothing is known.
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                value = _adapter(settings, key).validate_python(
                    default(_inside(known, key, above)), strict=True
                )
                filled[key] = known[key] = value
    for key, field in settings.model_fields.items():
        below, many = below_of(field.annotation)
        value = filled.get(key, {} if below is field.annotation else None)
        if below is None or not _is_deep(below):
            continue
        if isinstance(value, dict) and many is None:
            filled[key] = filled_in(below, value, known)
        elif isinstance(value, list) and many is list:
            filled[key] = [
                filled_in(below, item, known) if isinstance(item, dict) else item for item in value
            ]
    return filled


def whole(settings: type[BaseModel], given: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys as expressions with what a caller left open filled in, and those above."""
    known = {**above, **given}
    for key, default in _left_open(settings).items():
        default_text = hcl(default(_inside(known, key, above)))
        known[key] = like(given[key], f"coalesce({given[key].hcl}, {default_text})")
    return known


def completed(
    settings: type[BaseModel], given: Mapping[str, Any], above: Mapping[str, Any], item: str = "item"
) -> Mapping[str, str]:
    """The expressions of the keys in which something is left open, with that filled in.

    Args:
        settings: their class.
        given: the keys as a caller gives them.
        above: the keys of the settings above.
        item: what an item of a list is called.
    """
    known = whole(settings, given, above)
    expressions = {}
    for key, field in settings.model_fields.items():
        below, many = below_of(field.annotation)
        if key in _left_open(settings):
            expressions[key] = hcl(known[key])
        elif below is not None and (text := _merged(below, given[key], known, item, many)):
            expressions[key] = text
    return expressions


def below_of(annotation: Any) -> tuple[type[BaseModel] | None, type | None]:
    """The class of the settings at a key, if there are any, and the list or the dict that there are several in."""
    while get_origin(annotation) in {Annotated, Union, types.UnionType}:
        annotation = next((part for part in get_args(annotation) if part is not type(None)), None)
    many = get_origin(annotation)
    found = get_args(annotation)[-1] if many in {list, dict} else annotation
    return (found, many) if isinstance(found, type) and issubclass(found, BaseModel) else (None, None)


def _merged(
    settings: type[BaseModel], given: Typed, above: Mapping[str, Any], item: str, many: type | None
) -> str:
    """The expression of a value below which something is left open; empty where nothing is."""
    one: Typed = typed(settings, item) if many else given
    deeper = f"inner_{item}" if many else item
    keys = completed(settings, {key: getattr(one, key) for key in settings.model_fields}, above, deeper)
    if not keys:
        return ""
    merged = f"merge({one.hcl}, {{ {', '.join(f'{key} = {value}' for key, value in keys.items())} }})"
    if many is dict:
        return f"{{ for name, {item} in {given.hcl} : name => {merged} }}"
    return f"[for {item} in {given.hcl} : {merged}]" if many else merged


def _inside(known: Mapping[str, Any], key: str, above: Mapping[str, Any]) -> Any:
    return SimpleNamespace(**{**known, **({key: above[key]} if key in above else {})})


def _defaults(settings: type[BaseModel]) -> Mapping[str, Any]:
    fields = settings.model_fields.items()
    return {
        key: field.default
        for key, field in fields
        if key not in _left_open(settings) and not field.is_required()
    }


def _left_open(settings: type[BaseModel]) -> Mapping[str, LeftOpen]:
    found: Mapping[str, LeftOpen] = getattr(settings, "left_open", {})
    return found


@cache
def _adapter(settings: type[BaseModel], key: str) -> TypeAdapter[Any]:
    field = settings.model_fields[key]
    annotation: Any = Annotated[(field.annotation, *field.metadata)]
    return TypeAdapter(annotation)


@cache
def _is_deep(settings: type[BaseModel]) -> bool:
    """Whether settings, or those below them, leave something open."""
    below = [below_of(field.annotation)[0] for field in settings.model_fields.values()]
    return bool(_left_open(settings)) or any(_is_deep(found) for found in below if found is not None)
