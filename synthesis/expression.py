"""Terraform expressions as Python values.

A construct of references writes one program for two readers: an environment's stack, where a setting is
``local.network.az_count``, and a registry module, where it is ``var.az_count``. Both are an `Expression`; what depends on
a setting is decided by Terraform. A construct of values has the types of `synthesis.typed`, and `where`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from cdktf import IResolvable, ITerraformIterator, TerraformElement, TerraformIterator, TerraformLocal, Token
from constructs import Construct

from synthesis.literals import hcl
from synthesis.typed import OR, Flag, Typed, like, operand

Made = TypeVar("Made")

_PLAIN = re.compile(r'"([^"\\$%]*)"')
"""A quoted text without an expression or an escape in it."""

# What makes a token asks jsii, and the same expressions stand in each environment: such answers are kept.


class Expression:
    """The text of a Terraform expression; attributes and items extend it.

    ``Expression("local.network").cidr`` is ``local.network.cidr``; in an f-string it is its text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: object) -> None:
        self._text = str(text)

    def __getattr__(self, name: str) -> Expression:
        if name.startswith("__"):
            raise AttributeError(name)
        return Expression(f"{self._text}.{name}")

    def __getitem__(self, key: object) -> Expression:
        return Expression(f"{self._text}[{hcl(key)}]")

    def __str__(self) -> str:
        return self._text

    @property
    def hcl(self) -> str:
        """Its text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Expression({self._text!r})"

    def __bool__(self) -> bool:
        msg = f"{self._text} is known to Terraform alone: let Terraform decide, with a conditional expression"
        raise TypeError(msg)


def text(expression: object) -> str:
    """A string argument that is this expression."""
    if isinstance(expression, Typed):
        return str(expression)
    plain = _PLAIN.fullmatch(str(expression))
    return plain[1] if plain else f"${{{expression}}}"


def number(value: object) -> float:
    """A number argument: a value, or an expression (jsii checks that it is given a number)."""
    return float(value) if isinstance(value, int | float) else _number(str(text(value)))


@cache
def _number(template: str) -> float:
    return float(Token.as_number(template))


def flag(value: object) -> bool | IResolvable:
    """A boolean argument: a value, or an expression."""
    return value if isinstance(value, bool) else _flag(text(value))


@cache
def _flag(template: str) -> IResolvable:
    return Token.as_any(template)


def strings(value: object) -> list[str]:
    """A list argument: a value, or an expression."""
    return value if isinstance(value, list) else _strings(text(value))


@cache
def _strings(template: str) -> list[str]:
    return list(Token.as_list(template))


def mapping(expression: object) -> Mapping[str, str]:
    """A map argument that is this expression."""
    return dict(Token.as_string_map(text(expression)))


@cache
def each(expression: object) -> ITerraformIterator:
    """``for_each`` over a map or a set of strings."""
    return TerraformIterator.from_map(Token.as_any_map(text(expression)))


def when(condition: object) -> float:
    """``count`` of a resource that is there only under a condition."""
    written = condition.within(OR) if isinstance(condition, Typed) else condition
    return number(f"{written} ? 1 : 0")


@dataclass(frozen=True)
class Exists:
    """Where something is made.

    Attributes:
        condition: under which condition; None for always.
    """

    condition: object = None

    @property
    def count(self) -> float | None:
        """``count`` of its resources."""
        return None if self.condition is None else when(self.condition)

    def ref(self, element: TerraformElement) -> Expression:
        """The address of one of its resources, where it exists."""
        return ref(element) if self.condition is None else ref(element)[0]

    def also(self, other: Exists) -> Exists:
        """Where both exist."""
        if self.condition is None or other.condition is None:
            return other if self.condition is None else self
        return Exists(cast("Flag", self.condition) & other.condition)

    def items(self, items: object) -> str:
        """A list that is empty where it does not exist."""
        if self.condition is None:
            return str(items)
        return f"{operand(self.condition, OR)} ? {items} : []"


def where(condition: object, make: Callable[[Exists], Made]) -> Made | None:
    """Make something where a condition holds: at once or not at all for a value, with a count for an expression."""
    if isinstance(condition, bool):
        return make(Exists()) if condition else None
    return make(Exists(condition))


def both(*conditions: Expression | bool | None) -> Expression | None:
    """What holds where all conditions do; None and True, which are always, are left out."""
    given = [
        Expression(operand(condition, OR))
        for condition in conditions
        if condition is not None and condition is not True
    ]
    if len(given) < 2:
        return next(iter(given), None)
    return Expression(" && ".join(f"({condition})" for condition in given))


def only_where(condition: Expression | None) -> float | None:
    """``count`` of a resource that is there under a condition, or always, without a count."""
    return None if condition is None else when(condition)


def local(scope: Construct, id_: str, expression: object) -> Expression:
    """Give an expression that several places need a name of its own, unless it has one."""
    if re.fullmatch(r"local\.\w+", str(expression)):
        return Expression(expression)
    return Expression(f"local.{TerraformLocal(scope, id_, text(expression)).friendly_unique_id}")


def shared(scope: Construct, id_: str, value: Any) -> Any:
    """Give an expression that several places need a name of its own; a value stays as it is."""
    return like(value, local(scope, id_, value.hcl).hcl) if isinstance(value, Typed) else value


def ref(element: TerraformElement) -> Expression:
    """The address of a resource or data source, to be extended: ``ref(vpc)[0].id``."""
    known: Expression | None = element.__dict__.get("scythe_address")
    if known is None:
        known = Expression(f"{_kind(type(element))}.{element.friendly_unique_id}")
        element.__dict__["scythe_address"] = known
    return known


def made(element: TerraformElement, exists: Expression | None) -> Expression:
    """A resource that `only_where` may have counted, where it exists."""
    return ref(element) if exists is None else ref(element)[0]


@cache
def _kind(class_: type[TerraformElement]) -> str:
    resource_type: str = class_.TF_RESOURCE_TYPE  # type: ignore[attr-defined]  # of resources and data sources
    return f"data.{resource_type}" if class_.__name__.startswith("Data") else resource_type
