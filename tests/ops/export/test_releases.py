"""What a release promised still holds: addresses, inputs and outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from ops.export.changelog import releases
from ops.export.interface import Interface, Interfaces, breaks, interfaces
from ops.export.moved import MOVES, Move
from ops.export.releases import RECORD, path_of, record, recorded
from ops.export.type_constraints import Constraint, narrowed

NEWEST = releases()[0]
VPC = "aws_vpc.this"


@pytest.fixture(scope="module")
def current() -> dict[str, Interface]:
    return interfaces()


@pytest.fixture
def released() -> dict[str, Interface]:
    return recorded(NEWEST)


def changed(interfaces_: Interfaces, name: str, **parts: object) -> dict[str, Interface]:
    """The interfaces, of which one module's is another."""
    return {**interfaces_, name: dataclasses.replace(interfaces_[name], **parts)}  # type: ignore[arg-type]


def without(mapping: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in mapping.items() if name not in names}


def test_the_newest_release_is_kept(current: Interfaces, released: Interfaces) -> None:
    broken = [sentence for _, sentence in breaks(released, current, MOVES)]
    remedy = f"Until {NEWEST} is published, record it anew: {RECORD}"
    assert broken == [], "\n".join([*broken, remedy])


def test_a_record_is_read_as_it_was_written(released: Interfaces) -> None:
    assert record(NEWEST, released) == path_of(NEWEST).read_text()


def test_a_rename_needs_a_move(released: Interfaces) -> None:
    network = released["network"]
    addresses = {**without(network.addresses, VPC), "aws_vpc.main": network.addresses[VPC]}
    renamed = changed(released, "network", addresses=addresses)

    assert [name for name, _ in breaks(released, renamed, {})] == [VPC]
    moves = {"network": [Move("1.1.0", VPC, "aws_vpc.main")]}
    assert list(breaks(released, renamed, moves)) == []
    # One that leads nowhere is none, one of several steps is.
    astray = {"network": [Move("1.1.0", VPC, "aws_vpc.elsewhere")]}
    assert [name for name, _ in breaks(released, renamed, astray)] == [VPC]
    further = {"network": [*astray["network"], Move("1.2.0", "aws_vpc.elsewhere", "aws_vpc.main[0]")]}
    assert list(breaks(released, renamed, further)) == []


def test_terraform_moves_from_and_to_a_count_but_not_to_keys(released: Interfaces) -> None:
    network = released["network"]

    def at(instances: str) -> dict[str, Interface]:
        return changed(released, "network", addresses={**network.addresses, VPC: instances})

    assert list(breaks(at("one"), at("count"), {})) == []
    assert list(breaks(at("count"), at("one"), {})) == []
    assert [name for name, _ in breaks(at("count"), at("for_each"), {})] == [VPC]
    moves = {"network": [Move("1.1.0", f"{VPC}[0]", f'{VPC}["a"]')]}
    assert list(breaks(at("count"), at("for_each"), moves)) == []


def test_a_call_of_the_root_is_an_address(released: Interfaces) -> None:
    renamed = changed(
        released, "", addresses={**without(released[""].addresses, "module.network"), "module.vpc": "one"}
    )
    assert [name for name, _ in breaks(released, renamed, {})] == ["module.network"]
    assert list(breaks(released, renamed, {"": [Move("1.1.0", "module.network", "module.vpc")]})) == []


def test_what_goes_is_named(released: Interfaces) -> None:
    network = released["network"]
    gone = changed(
        released, "network", outputs=network.outputs[1:], inputs=without(network.inputs, "az_count")
    )
    assert [sentence for _, sentence in breaks(released, gone, {})] == [
        f"modules/network: output {network.outputs[0]} is gone. Keep it until the next major version.",
        "modules/network: input az_count is gone.",
    ]
    assert list(breaks(released, without(released, "network"), {})) == [  # type: ignore[arg-type]
        ("network", "modules/network is gone.")
    ]


def test_an_input_takes_what_it_took(released: Interfaces) -> None:
    network = released["network"]

    def found(name: str, **body: object) -> list[str]:
        inputs = {**network.inputs, name: {**network.inputs.get(name, {"nullable": False}), **body}}
        after = changed(released, "network", inputs=inputs)
        return [sentence.partition(": ")[2] for _, sentence in breaks(released, after, {})]

    assert found("zones", type="list(string)") == ["input zones is new and has no default. Give it one."]
    assert found("zones", type="list(string)", default=[]) == []
    assert found("az_count", type="string") == []
    assert found("az_count", type="bool") == ["input az_count must be bool, was number."]
    required = {**network.inputs, "az_count": without(network.inputs["az_count"], "default")}
    assert [
        sentence for _, sentence in breaks(released, changed(released, "network", inputs=required), {})
    ] == ["modules/network: input az_count has no default any more."]


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("list(string)", "any", []),
        ("any", "list(string)", ["x must be list, was any"]),
        ("map(number)", "map(string)", []),
        ("map(string)", "map(number)", ["x[] must be number, was string"]),
        ("object({ a = string })", "object({ a = string, b = optional(list(string), []) })", []),
        ("object({ a = string })", "object({ a = string, b = string })", ["x.b is required, was absent"]),
        ("object({ a = optional(string) })", "object({ a = string })", ["x.a is required, was optional"]),
        ("object({ a = string, b = bool })", "object({ a = optional(string, \"{\") })", ["x.b is gone"]),
        ("object({ a = object({ b = number }) })", "object({ a = object({ b = bool }) })", ["x.a.b must be bool, was number"]),
        ("object({ a = optional(object({ b = number }), { b = 1 }) })", "object({ a = optional(string) })", ["x.a must be string, was object"]),
    ],
)  # fmt: skip
def test_what_a_type_takes_no_more(before: str, after: str, broken: list[str]) -> None:
    assert list(narrowed(Constraint.of(before), Constraint.of(after), "x")) == broken


def test_every_type_is_understood(released: Interfaces) -> None:
    for interface in released.values():
        for name, body in interface.inputs.items():
            constraint = Constraint.of(str(body["type"]))
            assert list(narrowed(constraint, constraint, name)) == []
