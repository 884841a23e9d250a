"""Expressions with the types of what they stand for: one code for values and variables.

A rule or a construct reads ``settings.nat == "none"``. Of settings with values that is a bool; of a module's variables it
is a `Flag`, which Terraform decides: ``var.nat == "none"``. Operators and the functions of `synthesis.functions` work on
both. What only Python could decide (``if``, ``and``, ``or``, ``not``, ``in``) raises `UndecidedError`.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel

from synthesis.literals import hcl

CONDITIONAL, OR, AND, EQUAL, COMPARE, ADD, MULTIPLY, NOT, WHOLE = range(9)
"""How tightly an expression's outermost operator binds (Terraform, "Arithmetic and Logical Operators")."""


class UndecidedError(TypeError):
    """Python was asked to decide what Terraform alone knows."""


class Typed:
    """An expression that stands for a value which Terraform alone knows.

    Attributes:
        hcl: its text.
        binds: how tightly its outermost operator does.
    """

    hcl: str
    binds: int

    def __new__(cls, text: str, binds: int = WHOLE) -> Typed:  # noqa: D102
        self = object.__new__(cls)
        self.hcl, self.binds = text, binds
        return self

    def within(self, binds: int) -> str:
        """Its text as an operand of an operator that binds so tightly."""
        return self.hcl if self.binds >= binds else f"({self.hcl})"

    def __eq__(self, other: object) -> Any:
        return compared("==", self, other)

    def __ne__(self, other: object) -> Any:
        return compared("!=", self, other)

    def __hash__(self) -> int:
        return hash(self.hcl)

    def __bool__(self) -> bool:
        _undecided(self)

    def __contains__(self, _: object) -> bool:
        _undecided(self)

    def __str__(self) -> str:
        return f"${{{self.hcl}}}"

    def __format__(self, _: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hcl!r})"


class Flag(Typed):
    """True or false.

    Attributes:
        opposite: its opposite's text, where that is shorter than ``!(...)``.
    """

    opposite: str | None = None

    def __invert__(self) -> Flag:
        if self.opposite is None:
            return Flag(f"!{self.within(NOT)}", NOT)
        made = Flag(self.opposite, self.binds)
        made.opposite = self.hcl
        return made

    def __and__(self, other: Any) -> Any:
        if isinstance(other, bool):
            return self if other else False
        return Flag(f"{self.within(AND)} && {operand(other, AND)}", AND)

    def __or__(self, other: Any) -> Any:
        if isinstance(other, bool):
            return True if other else self
        return Flag(f"{self.within(OR)} || {operand(other, OR)}", OR)

    __rand__, __ror__ = __and__, __or__

    def __eq__(self, other: object) -> Any:
        if isinstance(other, bool):
            return self if other else ~self
        return super().__eq__(other)

    __hash__ = Typed.__hash__


def _arithmetic(sign: str, binds: int) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    def forward(self: Any, other: Any) -> Number:
        return Number(f"{operand(self, binds)} {sign} {operand(other, binds + 1)}", binds)

    def backward(self: Any, other: Any) -> Number:
        return Number(f"{operand(other, binds)} {sign} {operand(self, binds + 1)}", binds)

    return forward, backward


def _comparison(sign: str) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Flag:
        return Flag(f"{operand(self, COMPARE)} {sign} {operand(other, COMPARE + 1)}", COMPARE)

    return compare


class Number(Typed):
    """A number."""

    __lt__, __le__, __gt__, __ge__ = map(_comparison, ("<", "<=", ">", ">="))
    __add__, __radd__ = _arithmetic("+", ADD)
    __sub__, __rsub__ = _arithmetic("-", ADD)
    __mul__, __rmul__ = _arithmetic("*", MULTIPLY)
    __truediv__, __rtruediv__ = _arithmetic("/", MULTIPLY)


class Text(Typed, str):
    """Text. Its content is its template, so that f-strings and CDKTF take it as it is."""

    def __new__(cls, text: str, binds: int = WHOLE) -> Text:  # noqa: D102
        self = str.__new__(cls, f"${{{text}}}")
        self.hcl, self.binds = text, binds
        return self

    __hash__ = Typed.__hash__


class Items(Typed):
    """A list.

    Attributes:
        of: the type of an item.
    """

    of: Any = Any

    def __getitem__(self, place: Any) -> Any:
        return typed(self.of, f"{self.within(WHOLE)}[{hcl(place)}]")

    def __iter__(self) -> Iterator[Any]:
        _undecided(self)


class Entries(Items):
    """A map with names as keys."""


class Object(Typed):
    """Settings: a field of theirs is an attribute.

    Attributes:
        of: their class.
        given: fields that are another expression than the attribute.
    """

    of: type[BaseModel]
    given: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.given:
            return self.given[name]
        if name not in self.of.model_fields:
            # What the settings derive from their fields.
            derived = getattr(self.of, name, None)
            if isinstance(derived, property) and derived.fget:
                return derived.fget(self)
            msg = f"{self.of.__name__} has no {name}"
            raise AttributeError(msg)
        return typed(self.of.model_fields[name].annotation, f"{self.within(WHOLE)}.{name}")

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, BaseModel):
            return super().__eq__(other)
        same: Any = True
        for name in type(other).model_fields:
            same &= getattr(self, name) == getattr(other, name)
        return same

    __hash__ = Typed.__hash__


def typed(annotation: Any, text: str, binds: int = WHOLE) -> Any:
    """An expression for a value of a Python type; of a union, one that only compares."""
    kind, of = _kind(annotation)
    made = kind(text, binds)
    if isinstance(made, Object):
        made.given = {}
    if isinstance(made, Items | Object):
        made.of = of
    return made


def like(value: Any, text: str, binds: int = WHOLE) -> Any:
    """An expression of the type of a value or of another expression."""
    if not isinstance(value, Typed):
        return typed(type(value), text, binds)
    made = type(value)(text, binds)
    made.__dict__.update({**value.__dict__, **made.__dict__})
    return made


def settings_of(class_: type[BaseModel], given: Mapping[str, Any]) -> Any:
    """Settings whose fields are these expressions, without an expression of their own."""
    made = typed(class_, "")
    made.given = given
    return made


@cache
def _kind(annotation: Any) -> tuple[type[Typed], Any]:
    inner = annotation
    while get_origin(inner) in {Annotated, Union, types.UnionType}:
        parts = [part for part in get_args(inner) if part is not type(None)]
        if get_origin(inner) is Annotated:
            inner = parts[0]
        elif len(parts) == 1:
            (inner,) = parts
        else:
            return Typed, None
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return Object, inner
    if get_origin(inner) in {list, dict}:
        return (Items if get_origin(inner) is list else Entries), get_args(inner)[-1]
    return _KINDS.get(inner, Typed), Any


_KINDS: Mapping[Any, type[Typed]] = {
    bool: Flag, int: Number, float: Number, str: Text, list: Items, dict: Entries
}  # fmt: skip


def operand(value: Any, binds: int) -> str:
    """A value or an expression as an operand of an operator that binds so tightly."""
    return value.within(binds) if isinstance(value, Typed) else hcl(value)


def compared(sign: str, left: Typed, right: object) -> Flag:
    """What ``==`` or ``!=`` says of an expression and a value or another expression."""
    sides = left.within(EQUAL), operand(right, EQUAL + 1)
    made = Flag(f" {sign} ".join(sides), EQUAL)
    made.opposite = f" {'==' if sign == '!=' else '!='} ".join(sides)
    return made


def _undecided(expression: Typed) -> NoReturn:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
    msg = f"{place}: {expression.hcl} is known to Terraform alone: use &, |, not_, choose, contains or where instead"
    raise UndecidedError(msg)
