"""Values that a service's model does not allow: drawn ones, and the exceptions to the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from moto.core.utils import get_service_model

from local_aws.strictness import model
from local_aws.strictness.model import Constraints, constraints_of, violations
from local_aws.strictness.model_exceptions import EXCEPTIONS
from local_aws.strictness.rule import Request
from local_aws.template import SERVICES

ACCOUNT, REGION = "123456789012", "us-east-1"
MUTABLE = ("Create", "Delete", "Modify", "Put", "Register", "Update")
quick = settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck), derandomize=True)


class Member(NamedTuple):
    """A constrained member of an operation that the stacks could send."""

    operation: str
    path: tuple[str, ...]
    known: Constraints


@cache
def members() -> tuple[Member, ...]:
    return tuple(_members())


def _members() -> Iterator[Member]:
    for service in SERVICES:
        for operation in get_service_model(service).operation_names:
            known = constraints_of(service, operation)
            if known and operation.startswith(MUTABLE):
                yield from _within(f"{service}.{operation}", known, ())


def _within(operation: str, known: Constraints, path: tuple[str, ...]) -> Iterator[Member]:
    for name, member in known.members.items():
        if member.values or member.pattern or member.minimum is not None or member.maximum is not None:
            yield Member(operation, (*path, name), member)
        if member.type == "structure" and len(path) < 2:
            yield from _within(operation, member, (*path, name))
        elif member.type == "list" and member.item and len(path) < 2:
            yield from _within(operation, member.item, (*path, name, "[]"))


@cache
def having(what: str) -> tuple[Member, ...]:
    """Members that have a limited size, a list of values or a pattern."""

    def has(known: Constraints) -> bool:
        if what == "size":
            small = known.maximum is not None and known.maximum <= 2000
            return not known.values and (small or bool(known.minimum))
        return bool(getattr(known, what))

    return tuple(member for member in members() if has(member.known))


def drawn(data: st.DataObject, what: str) -> Member:
    """A drawn member; drawn by its number, for hypothesis writes down what it draws from."""
    found = having(what)
    return found[data.draw(st.integers(0, len(found) - 1))]


def violated(member: Member, value: Any) -> set[str]:
    """The kinds of constraint that a value of a member violates, apart from what the request lacks."""
    for step in reversed(member.path):
        value = [value] if step == "[]" else {step: value}
    service, _, operation = member.operation.partition(".")
    found = violations(Request(service, operation, value, ACCOUNT, REGION))
    path = ".".join(member.path).replace(".[]", "[]")
    return {violation.kind for violation in found if violation.member == path}


EMPTY: dict[str, Any] = {"string": "x", "list": [], "map": {}, "structure": {}, "blob": b"", "boolean": True}


def sized(size: int, known: Constraints) -> Any:
    """A value of a size, or a number."""
    if known.type in ("string", "blob"):
        return "x" * size
    item = EMPTY.get(known.item.type, 1) if known.item else None
    if known.type == "list":
        return [item] * size
    if known.type == "map":
        return {str(number): item for number in range(size)}
    return size


@quick
@given(st.data())
def test_a_size_outside_of_a_drawn_members_limits_is_refused(data: st.DataObject) -> None:
    member = drawn(data, "size")
    low, high = int(member.known.minimum or 0), int(member.known.maximum or 10_000)
    kind = "length" if member.known.measures_length else "range"
    inside = data.draw(st.integers(low, min(high, low + 300)))
    assert kind not in violated(member, sized(inside, member.known))
    assert kind not in violated(member, sized(min(high, 2000), member.known))
    if member.known.maximum is not None:
        assert kind in violated(member, sized(high + data.draw(st.integers(1, 50)), member.known))
    if low > 0:
        assert kind in violated(member, sized(data.draw(st.integers(0, low - 1)), member.known))


@quick
@given(st.data())
def test_a_value_outside_of_a_drawn_members_list_is_refused(data: st.DataObject) -> None:
    member = drawn(data, "values")
    value = data.draw(st.sampled_from(sorted(member.known.values)))
    other = data.draw(st.text(max_size=12) | st.just(value.swapcase()) | st.just(value + " "))
    excepted = any(member.operation in one.operations and member.path == (one.member,) for one in EXCEPTIONS)
    assume(other not in member.known.values and not excepted)
    assert "enum" not in violated(member, value)
    assert "enum" in violated(member, other)


@quick
@given(st.data())
def test_a_value_that_a_drawn_members_pattern_does_not_match_is_refused(data: st.DataObject) -> None:
    """Refused and accepted by the pattern itself, which `test_java_patterns` compares with Java's."""
    member = drawn(data, "pattern")
    pattern = member.known.pattern
    assert pattern is not None
    value = data.draw(st.text(max_size=12) | st.text("abcXYZ019-_./:", max_size=12))
    assert ("pattern" in violated(member, value)) == (pattern.fullmatch(value) is None)


@quick
@given(st.data())
def test_a_drawn_members_absence_is_refused(data: st.DataObject) -> None:
    service = data.draw(st.sampled_from(SERVICES))
    operation = data.draw(st.sampled_from(get_service_model(service).operation_names))
    known = constraints_of(service, operation)
    assume(known is not None and known.required)
    assert known is not None
    absent = data.draw(st.sampled_from(known.required))
    parameters: dict[str, Any] = {
        name: {} for name in known.required if name != absent and known.members[name].members
    }
    found = violations(Request(service, operation, parameters, ACCOUNT, REGION))
    assert absent in {one.member for one in found if one.kind == "required"}


def test_members_of_lists_and_maps_are_checked_and_named_as_aws_does() -> None:
    tags = [{"Key": "ok", "Value": ""}, {"Key": "k" * 129, "Value": "a&b"}]
    request = Request("iam", "TagRole", {"RoleName": "task", "Tags": tags}, ACCOUNT, REGION)
    assert {(one.kind, one.path, one.member) for one in violations(request)} == {
        ("length", "tags.2.member.key", "Tags[].Key"),
        ("pattern", "tags.2.member.value", "Tags[].Value"),
    }
    options = {
        "name": "w",
        "image": "i",
        "logConfiguration": {"logDriver": "syslogs", "options": {"a": "b"}},
        "portMappings": [{"protocol": "sctp"}],
    }
    task = {"family": "leaf", "containerDefinitions": [options]}
    found = violations(Request("ecs", "RegisterTaskDefinition", task, ACCOUNT, REGION))
    assert {one.path for one in found} == {
        "containerDefinitions.1.member.logConfiguration.logDriver",
        "containerDefinitions.1.member.portMappings.1.member.protocol",
    }


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda one: f"{one.operations[0]}-{one.member}")
def test_an_exception_is_needed(exception: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the model refuses the example, and with it the example is accepted."""
    assert exception.evidence.startswith("https://")
    for name in exception.operations:
        service, _, operation = name.partition(".")
        value: Any = exception.example
        if value is None:
            continue
        for step in reversed(exception.member.replace("[]", ".[]").split(".")):
            value = [value] if step == "[]" else {step: value}
        request = Request(service, operation, value, ACCOUNT, REGION)
        assert (exception.member, exception.kind) not in kinds(request)
        with monkeypatch.context() as patched:
            others = tuple(one for one in EXCEPTIONS if one is not exception)
            patched.setattr(model, "EXCEPTIONS", others)
            model.exceptions_to.cache_clear()
            assert (exception.member, exception.kind) in kinds(request)
        model.exceptions_to.cache_clear()


def kinds(request: Request) -> set[tuple[str, str]]:
    return {(one.member, one.kind) for one in violations(replace(request))}
