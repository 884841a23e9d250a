"""What botocore's model of a service says of the values in a request, and which values it does not allow.

The models are AWS's own: required members, lengths, ranges, lists of values, and patterns, which hold for the whole
value.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import regex
from botocore.model import Shape
from moto.core.utils import get_service_model

from local_aws.strictness.java_patterns import compiled
from local_aws.strictness.model_exceptions import EXCEPTIONS
from local_aws.strictness.rule import Request


@dataclass
class Constraints:
    """What a model says of a value; the members of a structure are filled in when they are first needed."""

    type: str
    minimum: float | None = None
    maximum: float | None = None
    values: frozenset[str] = frozenset()
    pattern: regex.Pattern[str] | None = None
    pattern_text: str = ""
    required: tuple[str, ...] = ()
    members: dict[str, Constraints] = field(default_factory=dict, repr=False)
    item: Constraints | None = field(default=None, repr=False)
    key: Constraints | None = field(default=None, repr=False)

    @property
    def measures_length(self) -> bool:
        """Whether minimum and maximum are lengths."""
        return self.type in ("string", "blob", "list", "map")


@dataclass(frozen=True)
class Violation:
    """A value that a model does not allow.

    Attributes:
        kind: `required`, `length`, `range`, `enum` or `pattern`.
        name: Name of the member by itself.
        path: Path of the member as AWS writes it: `tags.1.member.key`.
        member: Path of the member as a `ModelException` writes it: `Tags[].Key`.
        value: The value, None if there is none.
        constraint: What AWS says of it.
    """

    kind: str
    name: str
    path: str
    member: str
    value: Any
    constraint: str

    @property
    def text(self) -> str:
        """The violation in AWS's words."""
        value = "null" if self.value is None else f"'{_written(self.value)}'"
        return f"Value {value} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def constraints_of(service: str, operation: str) -> Constraints | None:
    """What a model says of the parameters of an operation."""
    shape = get_service_model(service).operation_model(operation).input_shape
    return _constraints(service, shape) if shape else None


_known: dict[tuple[str, str], Constraints] = {}
_making = threading.RLock()


def _constraints(service: str, shape: Shape) -> Constraints:
    with _making:
        key = service, shape.name
        if key in _known:
            return _known[key]
        metadata = shape.metadata
        pattern = metadata.get("pattern") or ""
        made = _known[key] = Constraints(
            shape.type_name,
            metadata.get("min"),
            metadata.get("max"),
            frozenset(getattr(shape, "enum", ())),
            compiled(pattern) if pattern else None,
            pattern,
            tuple(getattr(shape, "required_members", ())),
        )
        if shape.type_name == "structure":
            made.members = {
                name: _constraints(service, member)
                for name, member in shape.members.items()  # type: ignore[attr-defined]
            }
        elif shape.type_name == "list":
            made.item = _constraints(service, shape.member)  # type: ignore[attr-defined]
        elif shape.type_name == "map":
            made.key = _constraints(service, shape.key)  # type: ignore[attr-defined]
            made.item = _constraints(service, shape.value)  # type: ignore[attr-defined]
        return made


def violations(request: Request) -> list[Violation]:
    """What a request has that the model of its service does not allow, without the exceptions."""
    known = constraints_of(request.service, request.operation)
    if known is None or request.unreadable:
        return []
    found = _violations(known, request.parameters, _Place())
    exceptions = exceptions_to(request.name)
    return [violation for violation in found if (violation.member, violation.kind) not in exceptions]


@cache
def exceptions_to(operation: str) -> frozenset[tuple[str, str]]:
    """The members of an operation where the model is stricter than AWS, each with the kind of its constraint."""
    return frozenset((one.member, one.kind) for one in EXCEPTIONS if operation in one.operations)


@dataclass(frozen=True)
class _Place:
    """Where a value stands in a request."""

    name: str = ""
    path: str = ""
    member: str = ""

    def of(self, name: str) -> _Place:
        """The place of a member of a structure."""
        path = name[:1].lower() + name[1:]
        if not self.path:
            return _Place(name, path, name)
        return _Place(name, f"{self.path}.{path}", f"{self.member}.{name}")

    def at(self, index: int) -> _Place:
        """The place of an item of a list."""
        return _Place(self.name, f"{self.path}.{index}.member", f"{self.member}[]")

    def under(self, key: str) -> _Place:
        """The place of a value of a map."""
        return _Place(self.name, f"{self.path}.{key}.member", f"{self.member}{{}}")

    def violation(self, kind: str, value: Any, constraint: str) -> Violation:
        """A violation by the value here."""
        return Violation(kind, self.name, self.path, self.member, value, constraint)


def _violations(known: Constraints, value: Any, place: _Place) -> Iterator[Violation]:
    if known.type == "structure":
        yield from _of_structure(known, value, place)
        return
    if known.minimum is not None or known.maximum is not None:
        yield from _of_size(known, value, place)
    if known.type == "string":
        yield from _of_string(known, value, place)
    elif known.type == "list" and known.item:
        for index, item in enumerate(value, 1):
            yield from _violations(known.item, item, place.at(index))
    elif known.type == "map" and known.item and known.key:
        for key, item in value.items():
            yield from _violations(known.key, key, place.under(key))
            yield from _violations(known.item, item, place.under(key))


def _of_structure(known: Constraints, value: Mapping[str, Any], place: _Place) -> Iterator[Violation]:
    for name in known.required:
        if value.get(name) is None:
            yield place.of(name).violation("required", None, "Member must not be null")
    for name, member in value.items():
        if member is not None and name in known.members:
            yield from _violations(known.members[name], member, place.of(name))


def _of_size(known: Constraints, value: Any, place: _Place) -> Iterator[Violation]:
    kind, size, what = (
        ("length", len(value), "length") if known.measures_length else ("range", value, "value")
    )
    if known.minimum is not None and size < known.minimum:
        constraint = f"Member must have {what} greater than or equal to {known.minimum}"
        yield place.violation(kind, value, constraint)
    if known.maximum is not None and size > known.maximum:
        constraint = f"Member must have {what} less than or equal to {known.maximum}"
        yield place.violation(kind, value, constraint)


def _of_string(known: Constraints, value: str, place: _Place) -> Iterator[Violation]:
    if known.values and value not in known.values:
        listed = ", ".join(sorted(known.values))
        yield place.violation("enum", value, f"Member must satisfy enum value set: [{listed}]")
    if known.pattern and not known.pattern.fullmatch(value):
        constraint = f"Member must satisfy regular expression pattern: {known.pattern_text}"
        yield place.violation("pattern", value, constraint)


def _written(value: Any) -> str:
    """A value as Java writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)
