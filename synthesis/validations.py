"""The rules of settings as a Terraform module's validations, and what settings leave open as expressions.

The words of a validation are those of the environment file's errors, and so is the path before them.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Union, get_args, get_origin

from synthesis.functions import length
from synthesis.left_open import whole
from synthesis.lists import inside_loops
from synthesis.literals import hcl
from synthesis.rules import CrossRule, ItemRule, Rule, Settings
from synthesis.typed import Text, Typed, settings_of, typed
from synthesis.variables import is_nullable, is_settings, variable_type, without_none


@dataclass(frozen=True)
class Loop:
    """The items of a list or a map.

    Attributes:
        key: what an item's place or name is called.
        value: what an item is called.
        collection: the list or the map.
    """

    key: str
    value: str
    collection: Typed

    @classmethod
    def over(cls, collection: Typed, key: str, value: str, outside: tuple[Loop, ...]) -> Loop:
        """A loop within others, from whose names its own differ."""
        taken = {name for loop in outside for name in loop.names}
        key, value = (f"inner_{name}" if name in taken else name for name in (key, value))
        return cls(key, value, collection)

    @property
    def names(self) -> tuple[str, str]:
        """What it calls an item's place or name, and an item."""
        return self.key, self.value


@dataclass(frozen=True)
class Validation:
    """A ``validation`` block.

    Attributes:
        path: the key that it is about, a Terraform template.
        words: what is wrong and what is allowed, a Terraform template.
        condition: what must hold; of each item where there are loops.
        loops: those that it is in, the outer ones first.
    """

    path: str
    words: str
    condition: str
    loops: tuple[Loop, ...] = ()

    def block(self, prefix: str = "") -> dict[str, str]:
        """It in Terraform's JSON syntax; the message has a line for each item at fault.

        Args:
            prefix: what comes before the path.
        """
        condition, message = self.condition, f"{prefix}{self.path} {self.words}"
        if self.loops:
            *outer, last = self.loops
            lines = (
                f"[for {last.key}, {last.value} in {last.collection.hcl} : {hcl(message)} if !({condition})]"
            )
            condition = f"alltrue([for {last.key}, {last.value} in {last.collection.hcl} : {condition}])"
            for loop in reversed(outer):
                lines = f"flatten([for {loop.key}, {loop.value} in {loop.collection.hcl} : {lines}])"
                condition = f"alltrue([for {loop.key}, {loop.value} in {loop.collection.hcl} : {condition}])"
            message = f'${{join("\\n", {lines})}}'
        return {"condition": f"${{{condition}}}", "error_message": message}

    def unless_null(self, reference: Typed) -> Validation:
        """It, where there is something to validate."""
        return replace(self, condition=f"{reference.hcl} == null ? true : {self.condition}")


def validations(
    settings: type[Settings],
    given: Mapping[str, Any],
    above: Mapping[str, Any],
    loops: tuple[Loop, ...] = (),
    *,
    below: bool = True,
) -> Iterator[Validation]:
    """All rules of settings and of what is below them.

    Args:
        settings: their class.
        given: the keys as a caller gives them.
        above: the keys of the settings above.
        loops: those that they are in.
        below: whether to go on below the settings' own keys.
    """
    known = whole(settings, given, above)
    for key, field in settings.model_fields.items():
        at = Validation(key, "", "", loops)
        found = _of_value(field.annotation, field.metadata, at, given[key], known, below=below)
        may_be_null = key in settings.left_open or is_nullable(field)
        yield from (item.unless_null(given[key]) if may_be_null else item for item in found)
    for rule in settings.rules:
        key = str(rule.path[0]) if isinstance(rule, CrossRule) else ""
        if key in settings.left_open:
            # What is filled in goes with the rest.
            fits = _of_rule(rule, settings, {**known, key: given[key]}, loops)
            yield fits.unless_null(given[key])
        else:
            yield _of_rule(rule, settings, known, loops)


def _of_rule(
    rule: CrossRule | ItemRule, settings: type[Settings], known: Mapping[str, Any], loops: tuple[Loop, ...]
) -> Validation:
    it = settings_of(settings, known)
    if isinstance(rule, CrossRule):
        with _inside(loops):
            condition = hcl(rule.check(it))
        if any(hcl(known[key]) in condition for key in settings.left_open):
            # Of what has a fault of its own nothing is known.
            condition = f"try({condition}, true)"
        path = ".".join(map(str, rule.path))
        return Validation(path, _allowed(rule.words(it)), condition, loops)
    loop = Loop.over(known[rule.key], "name", "value", loops)
    name, value = Text(loop.key), typed(known[rule.key].of, loop.value)
    path = ".".join([rule.key, f"${{{loop.key}}}", *map(str, rule.below)])
    with _inside((*loops, loop)):
        words = _allowed(rule.words(it, name, value))
        return Validation(path, words, hcl(rule.check(it, name, value)), (*loops, loop))


def _allowed(words: str) -> str:
    """A message without what was given, which Terraform shows beside it."""
    given, mark, allowed = words.partition("; ")
    return allowed if mark and "${" in given else words


def _of_value(
    annotation: Any,
    metadata: list[Any],
    at: Validation,
    given: Typed,
    above: Mapping[str, Any],
    *,
    below: bool,
) -> Iterator[Validation]:
    yield from _of_size(annotation, metadata, at, given)
    inner = without_none(annotation)
    if get_origin(inner) is dict:
        names, values = get_args(inner)
        yield from _of_mapping(names, values, at, given, above, below=below)
    elif not below:
        return
    elif is_settings(inner):
        keys = {key: getattr(given, key) for key in inner.model_fields}
        for found in validations(inner, keys, above, at.loops):
            yield replace(found, path=f"{at.path}.{found.path}")
    elif get_origin(inner) is list and is_settings(get_args(inner)[0]):
        loop = Loop.over(given, "index", "item", at.loops)
        yield from _of_items(get_args(inner)[0], at, loop, above)


def _of_size(annotation: Any, metadata: list[Any], at: Validation, given: Typed) -> Iterator[Validation]:
    rule = _rule(annotation, metadata)
    if rule is not None and variable_type(annotation) != "bool":
        with _inside(at.loops):
            condition = hcl(rule.check(given))
        yield replace(at, words=f"must be {rule.allowed}", condition=condition)
    for item in metadata:
        if hasattr(item, "max_length"):
            words = f"holds {length(given)}; must hold at most {item.max_length}"
            yield replace(at, words=words, condition=hcl(length(given) <= item.max_length))
        elif hasattr(item, "min_length"):
            yield replace(at, words="is empty; must hold at least one", condition=hcl(length(given) > 0))


def _of_mapping(
    names: Any, values: Any, at: Validation, given: Typed, above: Mapping[str, Any], *, below: bool
) -> Iterator[Validation]:
    loop = Loop.over(given, "name", "value", at.loops)
    path = f"{at.path}.${{{loop.key}}}"
    for what, annotation in ((loop.key, names), (loop.value, values)):
        rule = _rule(annotation, [])
        if rule is not None:
            with _inside((*at.loops, loop)):
                condition = hcl(rule.check(typed(annotation, what)))
            yield Validation(path, f"must be {rule.allowed}", condition, (*at.loops, loop))
    if below and is_settings(values):
        yield from _of_items(values, at, Loop.over(given, "name", "item", at.loops), above)


def _of_items(
    settings: type[Settings], at: Validation, loop: Loop, above: Mapping[str, Any]
) -> Iterator[Validation]:
    keys = {name: getattr(typed(settings, loop.value), name) for name in settings.model_fields}
    for found in validations(settings, keys, above, (*at.loops, loop)):
        place = f"[${{{loop.key}}}]" if "index" in loop.key else f".${{{loop.key}}}"
        yield replace(found, path=f"{at.path}{place}.{found.path}")


def _inside(loops: tuple[Loop, ...]) -> AbstractContextManager[None]:
    return inside_loops(*(name for loop in loops for name in loop.names))


def _rule(annotation: Any, metadata: list[Any]) -> Rule | None:
    is_union = get_origin(annotation) in {Union, types.UnionType}
    annotated = [
        part for part in (get_args(annotation) if is_union else [annotation]) if hasattr(part, "__metadata__")
    ]
    extras = [*metadata, *(extra for part in annotated for extra in part.__metadata__)]
    return next((extra for extra in extras if isinstance(extra, Rule)), None)
