"""Functions of lists and mappings: of values they give values, of expressions `synthesis.typed`'s expressions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any

from synthesis.functions import call_of, flag_of, raw
from synthesis.literals import hcl
from synthesis.typed import EQUAL, Entries, Flag, Items, Number, Object, Text, Typed, like, typed

_taken: ContextVar[frozenset[str]] = ContextVar("taken", default=frozenset())
"""The names of the loops around."""


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
    first = next(items for items in filled if isinstance(items, Typed))
    return like(first, f"concat({', '.join(map(hcl, filled))})")


def keys(entries: Any) -> Any:
    """The names of a mapping."""
    return typed(list[str], f"keys({entries.hcl})") if isinstance(entries, Typed) else sorted(entries)


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


def lookup(table: Any, key: Any, otherwise: Any) -> Any:
    """What a table has for a key, or something else."""
    if not isinstance(key, Typed):
        return table.get(key, otherwise)
    inside = table.of if isinstance(table, Items) else _item_type([*table.values(), otherwise])
    return typed(inside, f"lookup({hcl(table)}, {_key(key)}, {hcl(otherwise)})")


def all_of(items: Any, holds: Callable[[Any], bool]) -> bool:
    """Whether something holds of each item of a list."""
    if not isinstance(items, Typed):
        return all(map(holds, items))
    with _named(items, ["item"], holds) as (item,):
        return flag_of(f"alltrue([for {item.hcl} in {items.hcl} : {hcl(holds(item))}])")


def collect(items: Any, make: Callable[[Any], Any], where: Callable[[Any], bool] = lambda _: True) -> Any:
    """What is made of each item of a list, of those where something holds."""
    if not isinstance(items, Typed):
        return [make(item) for item in items if where(item)]
    with _named(items, ["item"], make, where) as (item,):
        return _comprehension(item.hcl, items, make(item), where(item))


def collect_entries(
    entries: Any, make: Callable[[Any, Any], Any], where: Callable[[Any, Any], bool] = lambda *_: True
) -> Any:
    """What is made of the name and the value of each entry of a mapping, by name, of those where something holds."""
    if not isinstance(entries, Typed):
        return [make(name, value) for name, value in sorted(entries.items()) if where(name, value)]
    with _named(entries, ["name", "value"], make, where) as (name, value):
        names = f"{name.hcl}, {value.hcl}"
        return _comprehension(names, entries, make(name, value), where(name, value))


def map_entries(
    entries: Any,
    make: Callable[[Any, Any], Any] = lambda _, value: value,
    where: Callable[[Any, Any], bool] = lambda *_: True,
) -> Any:
    """A mapping with what is made of each entry's name and value, of those entries where something holds."""
    if not isinstance(entries, Typed):
        return {name: make(name, value) for name, value in sorted(entries.items()) if where(name, value)}
    with _named(entries, ["name", "value"], make, where) as (name, value):
        names, made, holds = f"{name.hcl}, {value.hcl}", make(name, value), where(name, value)
        text = f"{{ for {names} in {entries.hcl} : {name.hcl} => {hcl(made)}{_only_if(holds)} }}"
        return typed(dict[str, _type_of(made)], text)  # type: ignore[misc]  # made of values


def values(entries: Any) -> Any:
    """The values of a mapping, in the order of their names."""
    if isinstance(entries, Entries):
        return typed(list[entries.of], f"values({entries.hcl})")
    return [value for _, value in sorted(entries.items())]


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
    text = f"[for {names} in {items.hcl} : {hcl(made)}{_only_if(holds)}]"
    return typed(list[_type_of(made)], text)  # type: ignore[misc]  # made of values


def _only_if(holds: Any) -> str:
    return "" if holds is True else f" if {hcl(holds)}"


@contextmanager
def inside_loops(*names: str) -> Iterator[None]:
    """Give loops other names than these, which the loops around them have."""
    token = _taken.set(_taken.get() | {*names})
    try:
        yield
    finally:
        _taken.reset(token)


@contextmanager
def _named(items: Typed, usual: list[str], *functions: Callable[..., Any]) -> Iterator[tuple[Any, ...]]:
    """Names for what a loop goes through, as functions call it, which differ from those of the loops around it."""
    names = []
    for place, name in enumerate(usual):
        named = (parameters[place] for parameters in map(_parameters, functions) if len(parameters) > place)
        name = next((parameter for parameter in named if not parameter.startswith("_")), name)
        while name in _taken.get():
            name = f"inner_{name}"
        names.append(name)
    of = items.of if isinstance(items, Items) else Any
    with inside_loops(*names):
        yield (*map(Text, names[:-1]), typed(of, names[-1]))


def _parameters(function: Callable[..., Any]) -> list[str]:
    return [] if isinstance(function, type) else [*inspect.signature(function).parameters]


def _type_of(made: Any) -> Any:
    """The type of what an expression stands for, or of a value; Any where it cannot be told."""
    if isinstance(made, Items):
        return list[made.of] if type(made) is Items else dict[str, made.of]
    if isinstance(made, Object):
        return made.of
    kinds: dict[type, Any] = {Text: str, Number: float, Flag: bool}
    return kinds.get(type(made), Any if isinstance(made, Typed) else type(made))


def _key(key: Typed) -> str:
    return f"tostring({key.hcl})" if isinstance(key, Number) else key.hcl


def _item_type(values: Any) -> Any:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, Mapping):
        return dict[str, _item_type(first.values())]  # type: ignore[misc]  # made of values
    return list if isinstance(first, tuple) else type(first)
