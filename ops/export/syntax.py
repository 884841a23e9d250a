"""Values and expressions of Terraform's: from JSON syntax to text, from text to its brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_REFERENCE = re.compile(r"[A-Za-z_][\w.\-]*(\[[\w.*\"-]+\][\w.\-]*)*")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")
_LINES = re.compile(r'"((?:[^"\\]|\\.)*\\n)"', re.DOTALL)


@dataclass(frozen=True)
class Quoted:
    """A quoted template, quotes included."""

    text: str

    @property
    def lines(self) -> list[str]:
        """The lines of a text of several lines that ends with a line break; else none."""
        whole = _LINES.fullmatch(self.text)
        if whole is None or whole[1].count("\\n") < 2:
            return []
        # What a heredoc takes as it stands; templates mean the same in both.
        return str(json.loads(self.text)).splitlines()


@dataclass(frozen=True)
class Group:
    """What stands between brackets, by its commas."""

    opening: str
    items: tuple[Parts, ...]

    @property
    def closing(self) -> str:
        """The bracket at the end."""
        return _CLOSING[self.opening]


Parts = tuple[str | Quoted | Group, ...]


def expression(value: Any) -> str:
    """A value of Terraform's JSON syntax as an expression on one line."""
    if isinstance(value, str):
        sole = _sole(value)
        return value[2:-1].strip() if sole else f'"{_escaped(value)}"'
    if isinstance(value, Mapping):
        items = [f"{_key(key)} = {expression(item)}" for key, item in value.items()]
        return f"{{ {', '.join(items)} }}" if items else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(expression, value))}]"
    return json.dumps(whole_number(value))


def whole_number(value: Any) -> Any:
    """A value, as HCL writes it where it is a whole number: ``2`` for 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parse(text: str) -> Parts:
    """Take an expression apart at its brackets and quoted templates.

    ``"${x}"`` becomes ``x``, and brackets within brackets go.

    Raises:
        ValueError: its brackets do not match.
    """
    parts, end = _parse(text, 0, "")
    if end != len(text):
        raise ValueError(f"brackets do not match: {text}")
    return parts


def _parse(text: str, start: int, closing: str) -> tuple[Parts, int]:
    """Read parts up to a comma, the closing bracket or the end; also says where that is."""
    parts: list[str | Quoted | Group] = []
    place = begun = start
    while place < len(text) and text[place] != closing and not (closing and text[place] == ","):
        character = text[place]
        if character in ")]}":
            break
        if character not in '"([{':
            place += 1
            continue
        if begun < place:
            parts.append(text[begun:place])
        if character == '"':
            end = _end_of_quoted(text, place)
            parts.append(_unwrapped(text[place:end]))
        else:
            group, end = _group(text, place)
            parts.append(group)
        begun = place = end
    if begun < place:
        parts.append(text[begun:place])
    return _stripped(parts), place


def _group(text: str, start: int) -> tuple[Group, int]:
    opening, items, place = text[start], [], start + 1
    while True:
        item, place = _parse(text, place, _CLOSING[opening])
        if item:
            items.append(item)
        if place >= len(text) or text[place] not in ("," + _CLOSING[opening]):
            raise ValueError(f"brackets do not match: {text}")
        if text[place] != ",":
            return Group(opening, _bare(opening, tuple(items))), place + 1
        place += 1


def _bare(opening: str, items: tuple[Parts, ...]) -> tuple[Parts, ...]:
    """Brackets within brackets say nothing."""
    inner = items[0][0] if opening == "(" and len(items) == 1 and len(items[0]) == 1 else None
    return inner.items if isinstance(inner, Group) and inner.opening == "(" else items


def _stripped(parts: list[str | Quoted | Group]) -> Parts:
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return tuple(part for part in parts if part != "")


def _unwrapped(quoted: str) -> str | Quoted:
    inner = quoted[3:-2]
    is_reference = quoted.startswith('"${') and _REFERENCE.fullmatch(inner)
    return inner if is_reference and quoted.endswith('}"') else Quoted(quoted)


def _end_of_quoted(text: str, start: int) -> int:
    """Where the quoted template that begins at `start` ends."""
    place = start + 1
    while text[place] != '"':
        if text[place] == "\\":
            place += 2
        elif text.startswith(("$${", "%%{"), place):
            place += 3
        elif text.startswith(("${", "%{"), place):
            place = _end_of_interpolation(text, place)
        else:
            place += 1
    return place + 1


def _end_of_interpolation(text: str, start: int) -> int:
    depth, place = 1, start + 2
    while depth:
        if text[place] == '"':
            place = _end_of_quoted(text, place)
            continue
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        place += 1
    return place


def _sole(template: str) -> bool:
    """Whether a template is one interpolation and nothing else."""
    return template.startswith("${") and _end_of_interpolation(template, 0) == len(template)


def _escaped(template: str) -> str:
    """The inside of a quoted template: what is not interpolated is escaped."""
    written, place = [], 0
    while place < len(template):
        if template.startswith(("$${", "%%{"), place):
            end = place + 3
            written.append(template[place:end])
        elif template.startswith(("${", "%{"), place):
            end = _end_of_interpolation(template, place)
            written.append(template[place:end])
        else:
            end = place + 1
            written.append(json.dumps(template[place], ensure_ascii=False)[1:-1])
        place = end
    return "".join(written)


def _key(key: str) -> str:
    return key if _IDENTIFIER.fullmatch(key) else f'"{_escaped(key)}"'
