"""A module's tables of requirements, resources, inputs and outputs, as terraform-docs writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ops.export.syntax import whole_number

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
_TYPE = re.compile(r"^  type +=(.+?)\n(?=  [a-z]+ += |\n|\Z)", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"[_*|]")


@dataclass(frozen=True)
class Contents:
    """What a module's tables tell of.

    Attributes:
        synthesis: the module in Terraform's JSON syntax.
        elements: the kind, type and name of each resource and data source.
        calls: the source of each module that it calls, by the call's name.
        variables: its ``variables.tf``, formatted: a type is shown as it stands there.
    """

    synthesis: Mapping[str, Any]
    elements: Iterable[tuple[str, str, str]]
    calls: Mapping[str, str]
    variables: str


def tables(contents: Contents) -> str:
    """The tables, as ``terraform-docs markdown table`` prints them."""
    terraform = contents.synthesis["terraform"]
    version = terraform["required_providers"]["aws"]["version"]
    elements = sorted(contents.elements)
    sections = [
        ("Requirements", "Name|Version", [
            [_anchor("requirement", "terraform"), terraform["required_version"]],
            [_anchor("requirement", "aws"), version],
        ]),
        ("Providers", "Name|Version", [[_anchor("provider", "aws"), version]] if elements else []),
        ("Modules", "Name|Source|Version", [
            [_anchor("module", name), source, "n/a"] for name, source in sorted(contents.calls.items())
        ]),
        ("Resources", "Name|Type", [
            *(_resource(*element[1:], "resource") for element in elements if element[0] == "resource"),
            *(_resource(*element[1:], "data source") for element in elements if element[0] == "data"),
        ]),
        ("Inputs", "Name|Description|Type|Default|Required", _inputs(contents)),
        ("Outputs", "Name|Description", [
            [_anchor("output", name), _escaped(body["description"])]
            for name, body in sorted(contents.synthesis.get("output", {}).items())
        ]),
    ]  # fmt: skip
    return "\n".join(_section(title, columns.split("|"), rows) for title, columns, rows in sections)


def types_of(variables: str) -> dict[str, str]:
    """The type of each variable of a formatted ``variables.tf``, as it stands there."""
    found = {}
    for name, body in _VARIABLE.findall(variables):
        given = _TYPE.search(body)
        found[name] = given[1].strip() if given else "any"
    return found


def _section(title: str, columns: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return f"## {title}\n\nNo {title.lower()}.\n"
    rules = [":--------:" if column == "Required" else "-" * (len(column) + 2) for column in columns]
    lines = [f"| {' | '.join(columns)} |", f"|{'|'.join(rules)}|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _inputs(contents: Contents) -> list[list[str]]:
    types = types_of(contents.variables)
    return [
        [
            _anchor("input", name),
            _escaped(body["description"]),
            _code(types[name]),
            _code(_json(body["default"])) if "default" in body else "n/a",
            "no" if "default" in body else "yes",
        ]
        for name, body in sorted(contents.synthesis["variable"].items())
    ]


def _json(value: Any) -> str:
    if value == "${null}":
        return "null"
    return json.dumps(_whole(value), indent=2, ensure_ascii=False)


def _whole(value: Any) -> Any:
    """A value with its whole numbers as HCL writes them."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return whole_number(value)


def _code(text: str) -> str:
    """Code of one line or several."""
    if "\n" in text:
        return f"<pre>{_lines(text.replace('|', chr(92) + '|'))}</pre>"
    return f"`{text}`"


def _anchor(kind: str, name: str) -> str:
    escaped = _escaped(name)
    return f'<a name="{kind}_{name}"></a> [{escaped}](#{kind}\\_{escaped})'


def _resource(type_: str, name: str, kind: str) -> list[str]:
    folder = kind.replace(" ", "-") + "s"
    return [f"[{type_}.{name}]({_REGISTRY}/{folder}/{type_.removeprefix('aws_')})", kind]


def _escaped(text: str) -> str:
    """Text of which Markdown takes nothing for markup but what stands in backticks."""
    pieces = re.split(r"(`[^`]*`)", text.strip())
    return _lines(
        "".join(piece if place % 2 else _MARKUP.sub(r"\\\g<0>", piece) for place, piece in enumerate(pieces))
    )


def _lines(text: str) -> str:
    return text.replace("\n", "<br/>")
