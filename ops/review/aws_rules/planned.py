"""What plans say will exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Resource:
    """A resource or data source as it is planned.

    Attributes:
        address: such as ``aws_subnet.private["eu-west-1a"]``.
        kind: its type; a data source's begins with ``data.``.
        values: its arguments and attributes; what only the apply will tell is missing.
    """

    address: str
    kind: str
    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """An argument; None where it is not set or not known yet."""
        return self.values.get(name)

    def blocks(self, name: str) -> list[Mapping[str, Any]]:
        """The nested blocks of one kind."""
        return list(self.values.get(name) or [])


class Planned:
    """All that the plans of one environment say will exist (Terraform's "JSON Output Format")."""

    def __init__(self, plans: Iterable[Mapping[str, Any]]) -> None:
        """Read plans as ``terraform show -json`` prints them."""
        self._resources: list[Resource] = []
        for plan in plans:
            for values in (plan.get("prior_state", {}).get("values", {}), plan["planned_values"]):
                module = values.get("root_module", {})
                data_only = values is not plan["planned_values"]
                self._resources += [
                    item for item in _below(module) if item.kind.startswith("data.") or not data_only
                ]

    def of(self, *kinds: str) -> list[Resource]:
        """The resources of some types."""
        return [resource for resource in self._resources if resource.kind in kinds]

    def by(self, kind: str, argument: str) -> dict[str, Resource]:
        """The resources of a type by an argument such as their ARN, where it is known."""
        return {item.get(argument): item for item in self.of(kind) if item.get(argument) is not None}

    def having(self, argument: str) -> list[Resource]:
        """The resources of any type for which an argument is known."""
        return [resource for resource in self._resources if resource.get(argument) is not None]


class Breach(NamedTuple):
    """Something that AWS would refuse.

    Attributes:
        address: the resource.
        rule: the name of the rule, whose docstring cites AWS.
        message: what is wrong and what is allowed.
    """

    address: str
    rule: str
    message: str


Found = Iterator[tuple[Resource, str]]
Rule = Callable[[Planned], Found]


def document(text: object) -> Any:
    """What JSON in an argument says; an empty document where it is not known yet."""
    return json.loads(text) if isinstance(text, str) and text else {}


def _below(module: Mapping[str, Any]) -> Iterator[Resource]:
    for item in module.get("resources", []):
        prefix = "data." if item["mode"] == "data" else ""
        yield Resource(item["address"], prefix + item["type"], item.get("values") or {})
    for child in module.get("child_modules", []):
        yield from _below(child)
