"""Functions of values and of expressions: what `synthesis.typed` has no operator for.

Each gives a value for values and an expression where one of its arguments is one, and is named as in Terraform where
Terraform has it.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any, cast

from synthesis.literals import hcl
from synthesis.literals import pattern as hcl_pattern
from synthesis.typed import (
    CONDITIONAL,
    EQUAL,
    OR,
    WHOLE,
    Flag,
    Items,
    Number,
    Text,
    Typed,
    compared,
    operand,
    typed,
)

_depth: ContextVar[int] = ContextVar("depth", default=0)


def not_(condition: bool) -> bool:
    """Its opposite."""
    return cast("bool", ~condition) if isinstance(condition, Flag) else not condition


def is_null(value: object) -> bool:
    """Whether there is no value."""
    return cast("bool", compared("==", value, None)) if isinstance(value, Typed) else value is None


def is_set(value: object) -> bool:
    """Whether there is a value."""
    return not_(is_null(value))


def is_flag(value: object) -> bool:
    """Whether a value that may be of several types is true or false."""
    return _flag(f"can(tobool({value.hcl}))") if isinstance(value, Typed) else isinstance(value, bool)


def choose(condition: bool, chosen: Any, other: Any) -> Any:
    """One of two, as a condition says."""
    if not isinstance(condition, Typed):
        return chosen if condition else other
    if hcl(chosen) == hcl(other):
        return chosen
    text = f"{operand(condition, OR)} ? {operand(chosen, OR)} : {operand(other, CONDITIONAL)}"
    return _as(chosen if isinstance(chosen, Typed) else other, text, CONDITIONAL)


def given(value: Any, then: Callable[[Any], Any], *, otherwise: Any) -> Any:
    """What is made of a value where there is one, and something else, or what that makes, where it is null."""
    if value is None or isinstance(value, Typed):
        otherwise = otherwise() if callable(otherwise) else otherwise
    if value is None:
        return otherwise
    return choose(is_null(value), otherwise, then(value)) if isinstance(value, Typed) else then(value)


def both_given(first: Any, second: Any, then: Callable[[Any, Any], Any], *, otherwise: Any) -> Any:
    """What is made of two values where there are both, and something else where one is null."""
    lacks_one = is_null(first) | is_null(second)
    return choose(lacks_one, otherwise, None if lacks_one is True else then(first, second))


def contains(values: Any, value: Any) -> bool:
    """Whether a value is one of several."""
    if isinstance(values, Typed) or any(isinstance(item, Typed) for item in (value, *values)):
        return _flag(f"contains({hcl(_listed(values))}, {hcl(value)})")
    return value in values


def length(value: Any) -> int:
    """How many items, or characters."""
    return _call("length", value, Number) if isinstance(value, Typed) else len(value)


def floor(value: float) -> Any:
    """The next whole number that is not larger."""
    return _call("floor", value, Number) if isinstance(value, Typed) else math.floor(value)


def least(*values: Any) -> Any:
    """The least number."""
    if any(isinstance(value, Typed) for value in values):
        return Number(f"min({', '.join(map(hcl, values))})")
    return min(values)


def largest(first: float, others: Any) -> Any:
    """The largest of a number and those of a list."""
    return _extreme("max", max, first, others)


def smallest(first: float, others: Any) -> Any:
    """The smallest of a number and those of a list."""
    return _extreme("min", min, first, others)


def _extreme(name: str, of: Callable[[list[Any]], Any], first: Any, others: Any) -> Any:
    if isinstance(others, Typed):
        return Number(f"{name}({hcl(first)}, {others.hcl}...)")
    if any(isinstance(value, Typed) for value in (first, *others)):
        return Number(f"{name}({', '.join(map(hcl, (first, *others)))})")
    return of([first, *others])


def merged(*maps: Any) -> Any:
    """One map of several; of two values of a name the last counts."""
    filled: list[Any] = [entries for entries in maps if isinstance(entries, Typed) or entries]
    if not any(isinstance(entries, Typed) for entries in filled):
        return {name: value for entries in filled for name, value in entries.items()}
    if len(filled) == 1:
        return filled[0]
    return typed(dict[str, Any], f"merge({', '.join(map(hcl, filled))})")


def concat(*lists: Any) -> Any:
    """One list of several, those that are known to be empty left out."""
    filled: list[Any] = [items for items in lists if isinstance(items, Typed) or items]
    if not any(isinstance(items, Typed) for items in filled):
        return [*chain.from_iterable(filled)]
    if len(filled) == 1:
        return filled[0]
    return typed(list[str], f"concat({', '.join(map(hcl, filled))})")


def keys(entries: Any) -> Any:
    """The names of a mapping."""
    return _call("keys", entries, Items) if isinstance(entries, Typed) else sorted(entries)


def join(separator: str, values: Any) -> str:
    """One text of several, and of no list an empty one."""
    if isinstance(values, Typed):
        return Text(f"join({hcl(separator)}, {values.hcl})")
    return separator.join(values or ())


def to_text(value: float) -> str:
    """A number as text."""
    return Text(f"tostring({value.hcl})") if isinstance(value, Typed) else f"{value:g}"


def strcontains(value: str, part: str) -> bool:
    """Whether text has another in it."""
    return _flag(f"strcontains({value.hcl}, {hcl(part)})") if isinstance(value, Text) else part in value


def upper(value: str) -> str:
    """Text in capitals."""
    return Text(f"upper({value.hcl})") if isinstance(value, Text) else value.upper()


def is_distinct(values: Any) -> bool:
    """Whether no item is there twice."""
    if isinstance(values, Typed):
        return _flag(f"length(distinct({values.hcl})) == length({values.hcl})", EQUAL)
    return len({*values}) == len(values)


def matches(pattern: str, value: str) -> bool:
    """Whether a regular expression is found in text; ``$`` is its very end.

    The syntax is the one that Python, Terraform (RE2) and JSON Schema (ECMA 262) share.
    """
    if isinstance(value, Typed):
        return _flag(f"can(regex({hcl_pattern(pattern)}, {value.hcl}))")
    # ``$`` of Python's also matches before a final newline.
    return re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), value) is not None


def split(separator: str, value: str) -> Any:
    """The parts of text."""
    if isinstance(value, Typed):
        return typed(list[str], f"split({hcl(separator)}, {value.hcl})")
    return value.split(separator)


def take(items: Any, count: int) -> Any:
    """The first items of a list."""
    return (
        typed(list[items.of], f"slice({items.hcl}, 0, {hcl(count)})")
        if isinstance(items, Items)
        else items[:count]
    )


def captured(pattern: str, value: str) -> Any:
    """What the one group of a regular expression captures of text; fails where it does not match."""
    if isinstance(value, Typed):
        return Text(f"regex({hcl_pattern(pattern)}, {value.hcl})[0]")
    match = re.search(pattern, value)
    if match is None:
        raise ValueError(value)
    return match[1]


def substring(value: str, start: int, count: int) -> Any:
    """Some characters of text."""
    if isinstance(value, Typed):
        return Text(f"substr({value.hcl}, {start}, {count})")
    return value[start : start + count]


def to_number(value: str) -> Any:
    """The number that text says; fails where it says none."""
    return _call("tonumber", value, Number) if isinstance(value, Typed) else int(value)


def prefix_length(block: str) -> Any:
    """The length of a block's prefix; 0 where it has none."""
    if isinstance(block, Typed):
        return Number(f'try(tonumber(split("/", {block.hcl})[1]), 0)')
    _, _, digits = block.partition("/")
    return int(digits) if digits.isdigit() else 0


def is_ipv4_block(value: str) -> bool:
    """Whether text is an IPv4 block without host bits."""
    if isinstance(value, Typed):
        return _flag(f"try(cidrsubnet({value.hcl}, 0, 0), null) == {value.hcl}", EQUAL)
    try:
        return str(ipaddress.IPv4Network(value)) == value
    except ValueError:
        return False


def at(table: Any, key: Any) -> Any:
    """What a table has for a key; fails where it has none."""
    if not isinstance(key, Typed):
        return table[key]
    inside = table.of if isinstance(table, Items) else _item_type(table.values())
    return typed(inside, f"{hcl(table)}[{_key(key)}]")


def at_place(items: Any, place: int) -> Any:
    """An item of a list by its place, read only where the resource's count is not 0."""
    return items[raw(int, f"count.index + {place}")] if isinstance(items, Items) else items[place]


def lookup(table: Mapping[Any, Any], key: Any, otherwise: Any) -> Any:
    """What a table has for a key, or something else."""
    if not isinstance(key, Typed):
        return table.get(key, otherwise)
    return typed(
        _item_type([*table.values(), otherwise]), f"lookup({hcl(table)}, {_key(key)}, {hcl(otherwise)})"
    )


def all_of(items: Any, holds: Callable[[Any], bool]) -> bool:
    """Whether something holds of each item of a list."""
    if not isinstance(items, Typed):
        return all(map(holds, items))
    with _named(items, "item") as (item,):
        return _flag(f"alltrue([for {item.hcl} in {items.hcl} : {hcl(holds(item))}])")


def all_entries(entries: Any, holds: Callable[[Any, Any], bool]) -> bool:
    """Whether something holds of the name and the value of each entry of a mapping."""
    if not isinstance(entries, Typed):
        return all(holds(name, value) for name, value in entries.items())
    with _named(entries, "name", "value") as (name, value):
        return _flag(f"alltrue([for {name.hcl}, {value.hcl} in {entries.hcl} : {hcl(holds(name, value))}])")


def collect(items: Any, make: Callable[[Any], Any], where: Callable[[Any], bool] = lambda _: True) -> Any:
    """What is made of each item of a list, of those where something holds."""
    if not isinstance(items, Typed):
        return [make(item) for item in items if where(item)]
    with _named(items, "item") as (item,):
        return _comprehension(item.hcl, items, make(item), where(item))


def collect_entries(
    entries: Any, make: Callable[[Any, Any], Any], where: Callable[[Any, Any], bool] = lambda *_: True
) -> Any:
    """What is made of the name and the value of each entry of a mapping, by name, of those where something holds."""
    if not isinstance(entries, Typed):
        return [make(name, value) for name, value in sorted(entries.items()) if where(name, value)]
    with _named(entries, "name", "value") as (name, value):
        names = f"{name.hcl}, {value.hcl}"
        return _comprehension(names, entries, make(name, value), where(name, value))


def comes_before(entries: Any, first: str, second: str) -> bool:
    """Whether the first of two names of a mapping is the one that sorts first."""
    if not isinstance(entries, Typed):
        return first < second
    first_place, second_place = (f"index(keys({entries.hcl}), {hcl(name)})" for name in (first, second))
    return _flag(f"{first_place} < {second_place}", EQUAL)


def flatten(lists: Any) -> Any:
    """One list of several."""
    return _call("flatten", lists, Items) if isinstance(lists, Typed) else [*chain.from_iterable(lists)]


def common(first: Any, second: Any) -> Any:
    """What two lists both have, in the order of the first; in Terraform, sorted."""
    if isinstance(first, Typed) or isinstance(second, Typed):
        return typed(list[str], f"tolist(setintersection({hcl(first)}, {hcl(second)}))")
    return [item for item in first if item in second]


def has_key(entries: Any, name: str) -> bool:
    """Whether a mapping has a key."""
    return (
        _flag(f"contains(keys({entries.hcl}), {hcl(name)})")
        if isinstance(entries, Typed)
        else name in entries
    )


def attempt(make: Callable[[], Any], otherwise: Any) -> Any:
    """What is made, or something else where that fails."""
    try:
        made = make()
    except (KeyError, IndexError, TypeError, ValueError):
        return otherwise
    return _as(made, f"try({made.hcl}, {hcl(otherwise)})") if isinstance(made, Typed) else made


def beyond_terraform(holds: Callable[..., bool], *values: Any) -> bool:
    """What only Python can tell of values; of expressions it is taken to hold."""
    return True if any(isinstance(value, Typed) for value in values) else holds(*values)


def raw(annotation: Any, text: str) -> Any:
    """An expression in Terraform's own words, for what is named nowhere else."""
    return typed(annotation, text, CONDITIONAL)


def _comprehension(names: str, items: Typed, made: Any, holds: Any) -> Any:
    condition = "" if holds is True else f" if {hcl(holds)}"
    return typed(list[Any], f"[for {names} in {items.hcl} : {hcl(made)}{condition}]")


@contextmanager
def inside_loops(count: int) -> Iterator[None]:
    """Have the names of loops differ from those of so many loops around them."""
    token = _depth.set(_depth.get() + count)
    try:
        yield
    finally:
        _depth.reset(token)


@contextmanager
def _named(items: Typed, *names: str) -> Iterator[tuple[Any, ...]]:
    """Names for what a loop goes through, which differ from those of the loops around it."""
    prefix = "inner_" * _depth.get()
    *first, last = names
    of = items.of if isinstance(items, Items) else Any
    with inside_loops(1):
        yield (*(Text(f"{prefix}{name}") for name in first), typed(of, f"{prefix}{last}"))


def _listed(values: Any) -> Any:
    return list(values) if isinstance(values, Collection) and not isinstance(values, Typed) else values


def _key(key: Typed) -> str:
    return f"tostring({key.hcl})" if isinstance(key, Number) else key.hcl


def _item_type(values: Any) -> Any:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, Mapping):
        return dict[str, _item_type(first.values())]  # type: ignore[misc]  # made of values
    return list if isinstance(first, tuple) else type(first)


def _call(name: str, value: Typed, kind: type[Typed]) -> Any:
    return kind(f"{name}({value.hcl})")


def _flag(text: str, binds: int = WHOLE) -> bool:
    return cast("bool", Flag(text, binds))


def _as(value: Any, text: str, binds: int = WHOLE) -> Any:
    """An expression of the type of a value or of another expression."""
    if not isinstance(value, Typed):
        return typed(type(value), text, binds)
    made = type(value)(text, binds)
    made.__dict__.update({**value.__dict__, **made.__dict__})
    return made
