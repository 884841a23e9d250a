"""Type constraints of variables, and what one of them takes no more that another one took.

The conversions are Terraform's: https://developer.hashicorp.com/terraform/language/expressions/types#type-conversion
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ops.export.syntax import Group, Parts, parse

_MEMBER = re.compile(r"(\w+)\s*=\s*(\w+)")
_CONVERTED = {("number", "string"), ("bool", "string")}
"""What Terraform converts without being asked, and never fails to."""


@dataclass(frozen=True)
class Constraint:
    """A type constraint.

    Attributes:
        kind: such as ``string``, ``list`` or ``object``.
        inner: of the elements of a collection.
        attributes: of an object, each with whether it is optional.
    """

    kind: str
    inner: Constraint | None = None
    attributes: Mapping[str, tuple[Constraint, bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Constraint:
        """The constraint that a variable's ``type`` says."""
        return _constraint(parse(text))


def narrowed(before: Constraint, after: Constraint, place: str) -> Iterator[str]:
    """What the type before took and the type after does not, each with its place.

    Args:
        before: the type that callers wrote values for.
        after: the type that there is now.
        place: the variable's name.
    """
    if after.kind == "any" or (before.kind, after.kind) in _CONVERTED:
        return
    if before.kind != after.kind:
        yield f"{place} must be {after.kind}, was {before.kind}"
        return
    if before.inner and after.inner:
        yield from narrowed(before.inner, after.inner, f"{place}[]")
    for name, (constraint, is_optional) in after.attributes.items():
        earlier, was_optional = before.attributes.get(name, (None, True))
        if was_optional and not is_optional:
            yield f"{place}.{name} is required, was {'absent' if earlier is None else 'optional'}"
        if earlier:
            yield from narrowed(earlier, constraint, f"{place}.{name}")
    for name in before.attributes.keys() - after.attributes.keys():
        yield f"{place}.{name} is gone"


def _constraint(parts: Parts) -> Constraint:
    name = parts[0]
    if not isinstance(name, str):
        raise TypeError(f"no type constraint: {parts}")
    if len(parts) == 1:
        return Constraint(name.strip())
    group = parts[1]
    if not isinstance(group, Group):
        raise TypeError(f"no type constraint: {parts}")
    if name == "object":
        braces = group.items[0][0]
        members = braces.items if isinstance(braces, Group) else ()
        return Constraint(name, attributes=dict(map(_attribute, members)))
    return Constraint(name, _constraint(group.items[0]))


def _attribute(member: Parts) -> tuple[str, tuple[Constraint, bool]]:
    head = _MEMBER.fullmatch(str(member[0]))
    if head is None:
        raise TypeError(f"no attribute of an object: {member}")
    if head[2] == "optional" and isinstance(member[1], Group):
        return head[1], (_constraint(member[1].items[0]), True)
    return head[1], (_constraint((head[2], *member[1:])), False)
