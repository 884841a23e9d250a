"""Functions of lists and mappings: of values they give values, of expressions `synthesis.typed`'s expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any

from synthesis.functions import call_of, flag_of, raw
from synthesis.literals import hcl
from synthesis.typed import EQUAL, Items, Number, Text, Typed, typed

_depth: ContextVar[int] = ContextVar("depth", default=0)


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
    return call_of("keys", entries, Items) if isinstance(entries, Typed) else sorted(entries)


def join(separator: str, values: Any) -> str:
    """One text of several, and of no list an empty one."""
    if isinstance(values, Typed):
        return Text(f"join({hcl(separator)}, {values.hcl})")
    return separator.join(values or ())


def is_distinct(values: Any) -> bool:
    """Whether no item is there twice."""
    if isinstance(values, Typed):
        return flag_of(f"length(distinct({values.hcl})) == length({values.hcl})", EQUAL)
    return len({*values}) == len(values)


def take(items: Any, count: int) -> Any:
    """The first items of a list."""
    return (
        typed(list[items.of], f"slice({items.hcl}, 0, {hcl(count)})")
        if isinstance(items, Items)
        else items[:count]
    )


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
        return flag_of(f"alltrue([for {item.hcl} in {items.hcl} : {hcl(holds(item))}])")


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
    return flag_of(f"{first_place} < {second_place}", EQUAL)


def flatten(lists: Any) -> Any:
    """One list of several."""
    return call_of("flatten", lists, Items) if isinstance(lists, Typed) else [*chain.from_iterable(lists)]


def common(first: Any, second: Any) -> Any:
    """What two lists both have, in the order of the first; in Terraform, sorted."""
    if isinstance(first, Typed) or isinstance(second, Typed):
        return typed(list[str], f"tolist(setintersection({hcl(first)}, {hcl(second)}))")
    return [item for item in first if item in second]


def has_key(entries: Any, name: str) -> bool:
    """Whether a mapping has a key."""
    return (
        flag_of(f"contains(keys({entries.hcl}), {hcl(name)})")
        if isinstance(entries, Typed)
        else name in entries
    )


def _comprehension(names: str, items: Typed, made: Any, holds: Any) -> Any:
    condition = "" if holds is True else f" if {hcl(holds)}"
    return typed(list[Any], f"[for {names} in {items.hcl} : {hcl(made)}{condition}]")


@contextmanager
def inside_loops(count: int) -> Iterator[None]:
    """Give loops other names than the loops around them, of which there are ``count``, have."""
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


def _key(key: Typed) -> str:
    return f"tostring({key.hcl})" if isinstance(key, Number) else key.hcl


def _item_type(values: Any) -> Any:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, Mapping):
        return dict[str, _item_type(first.values())]  # type: ignore[misc]  # made of values
    return list if isinstance(first, tuple) else type(first)
