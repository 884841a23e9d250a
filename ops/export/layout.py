"""Terraform expressions laid out for people: one line where it fits, else broken at what binds least.

Aligning is left to ``terraform fmt``.
"""

from __future__ import annotations

import re

from ops.export.syntax import Group, Parts, Quoted, parse

WIDTH = 100
STEP = "  "
_LOOSEST_FIRST = (r"[?:]", r"\|\|", r"&&", r"[!=]=")


def laid_out(text: str, *, indent: str = "", before: int = 0) -> str:
    """An expression, on several lines if it is long.

    Args:
        text: the expression.
        indent: what the lines after the first begin with.
        before: how many columns stand on the first line already.
    """
    return _layout(parse(text), indent, before, free=False)


def _layout(parts: Parts, indent: str, before: int, *, free: bool) -> str:
    """Lay out parts; `free` is whether lines may break anywhere, as they may in brackets."""
    flat = _flat(parts)
    if before + len(flat) <= WIDTH and not _has_lines(parts):
        return flat
    for operators in _LOOSEST_FIRST:
        lines = _split(parts, operators)
        if len(lines) > 1:
            inner = indent if free else indent + STEP
            broken = f"\n{inner}".join(_layout(line, inner, len(inner), free=True) for line in lines)
            return broken if free else f"(\n{inner}{broken}\n{indent})"
    return _broken_at_a_group(parts, indent, free=free)


def _broken_at_a_group(parts: Parts, indent: str, *, free: bool) -> str:
    if len(parts) == 1 and isinstance(parts[0], Quoted) and parts[0].lines:
        body = "".join(f"{indent}{STEP}{line}\n" if line else "\n" for line in parts[0].lines)
        return f"<<-EOT\n{body}{indent}EOT"
    groups = [place for place, part in enumerate(parts) if isinstance(part, Group) and part.items]
    if not groups:
        return _flat(parts)
    longest = max(groups, key=lambda place: len(_flat((parts[place],))))
    group = parts[longest]
    if not isinstance(group, Group):
        raise TypeError
    return _flat(parts[:longest]) + _opened(group, indent) + _flat(parts[longest + 1 :])


def _opened(group: Group, indent: str) -> str:
    sole = group.items[0] if len(group.items) == 1 else ()
    if group.opening != "{" and len(sole) == 1 and not isinstance(sole[0], str):
        only = sole[0]
        if isinstance(only, Group) and only.items:
            return f"{group.opening}{_opened(only, indent)}{group.closing}"
        if isinstance(only, Quoted) and only.lines:
            return f"{group.opening}{_layout(sole, indent, 0, free=True)}\n{indent}{group.closing}"
    inner = indent + STEP
    if group.items and _is_for(group.items[0]):
        return f"{group.opening}\n{inner}{_for(_joined(group.items), inner)}\n{indent}{group.closing}"
    if group.opening == "{":
        lines = [_member(item, inner) for item in group.items]
        return "{" + "".join(f"\n{inner}{line}" for line in lines) + f"\n{indent}}}"
    if group.opening == "[" and all(
        len(item) == 1 and not isinstance(item[0], Group) for item in group.items
    ):
        lines = _filled([_flat(item) for item in group.items], WIDTH - len(inner) - 1)
    else:
        lines = [_layout(item, inner, len(inner) + 1, free=True) for item in group.items]
    last = "," if group.opening == "[" else ""
    return f"{group.opening}\n{inner}" + f",\n{inner}".join(lines) + f"{last}\n{indent}{group.closing}"


def _filled(words: list[str], width: int) -> list[str]:
    """Put as many words on a line as it holds."""
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]}, {word}"
        lines[len(lines) - (len(longer) <= width) :] = [longer if len(longer) <= width else word]
    return lines


def _member(item: Parts, indent: str) -> str:
    """``key = value`` of an object: its value stays on the key's line."""
    for place, part in enumerate(item):
        if isinstance(part, str) and (sign := re.search(r"\s*=\s*", part)):
            key = _flat((*item[:place], part[: sign.start()])) + " = "
            value = tuple(part for part in (part[sign.end() :], *item[place + 1 :]) if part != "")
            return key + _layout(value, indent, len(indent) + len(key), free=False)
    return _flat(item)


def _for(item: Parts, indent: str) -> str:
    """A ``for`` expression on one line, else its condition on one of its own."""
    loop, *condition = _split(item, r"if\b")
    lines = [loop] if len(indent) + len(_flat(loop)) <= WIDTH else _split(loop, ":", most=1)
    return f"\n{indent}".join(_layout(line, indent, len(indent), free=True) for line in (*lines, *condition))


def _is_for(item: Parts) -> bool:
    return bool(item) and isinstance(item[0], str) and item[0].startswith("for ")


def _joined(items: tuple[Parts, ...]) -> Parts:
    """The ``for`` of two names has a comma that separates no items."""
    return tuple(part for place, item in enumerate(items) for part in ((", ",) if place else ()) + item)


def _split(parts: Parts, operators: str, *, most: int = 0) -> list[Parts]:
    """Cut before each of the operators, at this level of brackets."""
    lines: list[list[str | Quoted | Group]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            lines[-1].append(part)
            continue
        first, *others = re.split(rf"\s(?=(?:{operators})\s)", part, maxsplit=most)
        if most and len(lines) > most:
            first, others = part, []
        lines[-1].append(first)
        lines += [[other] for other in others]
    return [tuple(line) for line in lines]


def _flat(parts: Parts) -> str:
    words = []
    for part in parts:
        if isinstance(part, Group):
            pad = " " if part.opening == "{" and part.items else ""
            inner = ", ".join(map(_flat, part.items))
            words.append(f"{part.opening}{pad}{inner}{pad}{part.closing}")
        else:
            words.append(part.text if isinstance(part, Quoted) else part)
    return "".join(words)


def _has_lines(parts: Parts) -> bool:
    return any(
        bool(part.lines)
        if isinstance(part, Quoted)
        else isinstance(part, Group) and any(map(_has_lines, part.items))
        for part in parts
    )
