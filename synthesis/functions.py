"""Functions of values and of expressions: what `synthesis.typed` has no operator for; `synthesis.lists` has the rest.

Each gives a value for values and an expression where one of its arguments is one, and is named as in Terraform where
Terraform has it.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from synthesis.literals import hcl
from synthesis.literals import pattern as hcl_pattern
from synthesis.typed import (
    CONDITIONAL,
    EQUAL,
    OR,
    WHOLE,
    Flag,
    Number,
    Text,
    Typed,
    compared,
    like,
    operand,
    typed,
)


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
    return flag_of(f"can(tobool({value.hcl}))") if isinstance(value, Typed) else isinstance(value, bool)


def choose(condition: bool, chosen: Any, other: Any) -> Any:
    """One of two, as a condition says."""
    if not isinstance(condition, Typed):
        return chosen if condition else other
    if hcl(chosen) == hcl(other):
        return chosen
    text = f"{operand(condition, OR)} ? {operand(chosen, OR)} : {operand(other, CONDITIONAL)}"
    return like(chosen if isinstance(chosen, Typed) else other, text, CONDITIONAL)


def given(value: Any, then: Callable[[Any], Any], *, otherwise: Any) -> Any:
    """What is made of a value where there is one, and something else, or what that makes, where it is null."""
    if value is None or isinstance(value, Typed):
        otherwise = otherwise() if callable(otherwise) else otherwise
    if value is None:
        return otherwise
    return choose(is_null(value), otherwise, then(value)) if isinstance(value, Typed) else then(value)


def coalesce(value: Any, otherwise: Any) -> Any:
    """A value, or something else where it is null."""
    if isinstance(value, Typed):
        return like(value, f"coalesce({value.hcl}, {hcl(otherwise)})")
    return otherwise if value is None else value


def both_given(first: Any, second: Any, then: Callable[[Any, Any], Any], *, otherwise: Any) -> Any:
    """What is made of two values where there are both, and something else where one is null."""
    lacks_one = is_null(first) | is_null(second)
    return choose(lacks_one, otherwise, None if lacks_one is True else then(first, second))


def contains(values: Any, value: Any) -> bool:
    """Whether a value is one of several."""
    if isinstance(values, Typed) or any(isinstance(item, Typed) for item in (value, *values)):
        return flag_of(f"contains({hcl(values)}, {hcl(value)})")
    return value in values


def length(value: Any) -> int:
    """How many items, or characters."""
    return call_of("length", value, Number) if isinstance(value, Typed) else len(value)


def floor(value: float) -> Any:
    """The next whole number that is not larger."""
    return call_of("floor", value, Number) if isinstance(value, Typed) else math.floor(value)


def to_text(value: float) -> str:
    """A number as text."""
    return Text(f"tostring({value.hcl})") if isinstance(value, Typed) else f"{value:g}"


def strcontains(value: str, part: str) -> bool:
    """Whether text has another in it."""
    return flag_of(f"strcontains({value.hcl}, {hcl(part)})") if isinstance(value, Text) else part in value


def startswith(value: str, beginning: str) -> bool:
    """Whether text begins with another."""
    if isinstance(value, Text):
        return flag_of(f"startswith({value.hcl}, {hcl(beginning)})")
    return value.startswith(beginning)


def upper(value: str) -> str:
    """Text in capitals."""
    return Text(f"upper({value.hcl})") if isinstance(value, Text) else value.upper()


def matches(pattern: str, value: str) -> bool:
    """Whether a regular expression is found in text; ``$`` is its very end.

    The syntax is the one that Python, Terraform (RE2) and JSON Schema (ECMA 262) share.
    """
    if isinstance(value, Typed):
        return flag_of(f"can(regex({hcl_pattern(pattern)}, {value.hcl}))")
    return _compiled(pattern).search(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # ``$`` of Python's also matches before a final newline.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern))


def split(separator: str, value: str) -> Any:
    """The parts of text."""
    if isinstance(value, Typed):
        return typed(list[str], f"split({hcl(separator)}, {value.hcl})")
    return value.split(separator)


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
    return call_of("tonumber", value, Number) if isinstance(value, Typed) else int(value)


def prefix_length(block: str) -> Any:
    """The length of a block's prefix; 0 where it has none."""
    if isinstance(block, Typed):
        return Number(f'try(tonumber(split("/", {block.hcl})[1]), 0)')
    _, _, digits = block.partition("/")
    return int(digits) if digits.isdigit() else 0


def is_ipv4_block(value: str) -> bool:
    """Whether text is an IPv4 block without host bits."""
    if isinstance(value, Typed):
        return flag_of(f"try(cidrsubnet({value.hcl}, 0, 0), null) == {value.hcl}", EQUAL)
    try:
        return str(ipaddress.IPv4Network(value)) == value
    except ValueError:
        return False


def attempt(make: Callable[[], Any], otherwise: Any) -> Any:
    """What is made, or something else where that fails."""
    try:
        made = make()
    except (KeyError, IndexError, TypeError, ValueError):
        return otherwise
    return like(made, f"try({made.hcl}, {hcl(otherwise)})") if isinstance(made, Typed) else made


def beyond_terraform(holds: Callable[..., bool], *values: Any) -> bool:
    """What only Python can tell of values; of expressions it is taken to hold."""
    return True if any(isinstance(value, Typed) for value in values) else holds(*values)


def raw(annotation: Any, text: str) -> Any:
    """An expression in Terraform's own words, for what is named nowhere else."""
    return typed(annotation, text, CONDITIONAL)


def call_of(name: str, value: Typed, kind: type[Typed]) -> Any:
    """A call of one of Terraform's functions."""
    return kind(f"{name}({value.hcl})")


def flag_of(text: str, binds: int = WHOLE) -> bool:
    """A condition in Terraform's words, for mypy a bool as the value would be."""
    return cast("bool", Flag(text, binds))
