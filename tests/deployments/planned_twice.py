"""What a plan would make in one module, beside what it would make in another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.deployed import Data

INSTANCE = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')
CALL = re.compile(r'(?:module\.[\w-]+(?:\["[\w-]+"\])?\.)*')
Made = Mapping[str, Mapping[str, Any]]
"""For each address below the module: the values, what is unknown of them, and what they wait for."""


def made(plan: Data, module: str, moves: Mapping[str, str]) -> dict[str, Data]:
    """The resources below a module of the root's, and what has them made in that order.

    Args:
        plan: the plan's JSON.
        module: the module's name.
        moves: other addresses, without instances, for those below the module.
    """
    waits = {address: resource.get("depends_on", []) for address, resource in _configured(plan, module)}
    changes = {
        change["address"].removeprefix(f"module.{module}."): change
        for change in plan["resource_changes"]
        if change["mode"] == "managed" and change["address"].startswith(f"module.{module}.")
    }
    there = {_resource(address) for address in changes}

    def waited_for(address: str) -> Iterator[str]:
        """Who is there that it waits for: behind what has a count of 0, what that waits for."""
        call = CALL.match(address)[0]  # type: ignore[index]
        for wait in waits.get(INSTANCE.sub("", address), []):
            # In the same instance of a module.
            same = f"{call}{wait.removeprefix(INSTANCE.sub('', call))}"
            yield from [wait] if same in there else waited_for(same)

    found = {}
    for below, change in changes.items():
        found[_moved(below, moves)] = {
            "values": _untagged(change["change"]["after"]),
            "unknown": _untagged(change["change"]["after_unknown"]),
            "sensitive": change["change"]["after_sensitive"],
            "depends_on": sorted(
                {INSTANCE.sub("", _moved(wait, moves)) for wait in waited_for(_resource(below))}
            ),
        }
    return found


def differences(some: Made, others: Made) -> dict[str, Any]:
    """What two of them differ in, by address: both sides of each value."""
    found: dict[str, Any] = {}
    for address in sorted(some.keys() | others.keys()):
        one, other = some.get(address), others.get(address)
        if one is None or other is None:
            found[address] = "missing in the " + ("first" if one is None else "second")
        elif one != other:
            found[address] = {
                f"{what}.{key}" if key else what: (mine, theirs)
                for what in one
                for key, mine, theirs in _both(one[what], other[what])
                if mine != theirs
            }
    return found


def _both(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield key, one.get(key), other.get(key)
    else:
        yield "", one, other


def _configured(plan: Data, module: str) -> Iterator[tuple[str, Data]]:
    def below(configuration: Data, prefix: str) -> Iterator[tuple[str, Data]]:
        for resource in configuration.get("resources", []):
            waits = [f"{prefix}{address}" for address in resource.get("depends_on", [])]
            yield f"{prefix}{resource['address']}", {**resource, "depends_on": waits}
        for name, call in configuration.get("module_calls", {}).items():
            yield from below(call["module"], f"{prefix}module.{name}.")

    return below(plan["configuration"]["root_module"]["module_calls"][module]["module"], "")


def _resource(address: str) -> str:
    """The address without the resource's instance, but with its module's."""
    call = CALL.match(address)[0]  # type: ignore[index]
    return call + INSTANCE.sub("", address.removeprefix(call))


def _moved(address: str, moves: Mapping[str, str]) -> str:
    """The address that a resource, or an instance of it, is moved to; its own where it is not."""
    whole = INSTANCE.sub("", address)
    return address.replace(whole, moves[whole]) if whole in moves and address.startswith(whole) else address


def _untagged(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the difference between no tags and none said."""
    return {key: value or None if key == "tags" else value for key, value in values.items()}
