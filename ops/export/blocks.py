"""Blocks of HCL: what CDKTF knows of a resource, in the order that people write it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.export.layout import STEP, laid_out
from ops.export.syntax import expression

_FIRST = ("count", "for_each", "provider")
_LAST = ("depends_on",)
_CONDITIONS = ("precondition", "postcondition")

Shape = Mapping[str, Any]
"""For each argument what CDKTF's HCL synthesis says of it, with ``isBlock`` and the ``value``'s own shapes."""


def element(kind: str, labels: Iterable[str], values: Mapping[str, Any], shape: Shape) -> str:
    """A resource or data source.

    Args:
        kind: ``resource`` or ``data``.
        labels: its type and name.
        values: its arguments in Terraform's JSON syntax.
        shape: which of them are nested blocks.
    """
    groups = [_skipped(values), *_arguments(values, shape, STEP)]
    return block(kind, labels, groups)


def block(kind: str, labels: Iterable[str], groups: Iterable[list[str]]) -> str:
    """A block of groups of lines, an empty line between them."""
    head = " ".join([kind, *(f'"{label}"' for label in labels)])
    body = "\n\n".join("\n".join(group) for group in groups if group)
    return f"{head} {{\n{body}\n}}\n" if body else f"{head} {{}}\n"


def argument(name: str, value: Any, indent: str = STEP) -> str:
    """A line ``name = value``, or several."""
    return assigned(name, expression(value), indent)


def assigned(name: str, text: str, indent: str = STEP) -> str:
    """A line ``name = text`` of an expression, or several."""
    start = f"{indent}{name} = "
    return start + laid_out(text, indent=indent, before=len(start))


def _skipped(values: Mapping[str, Any]) -> list[str]:
    reasons = values.get("//", {}).get("checkov", {})
    return [f"{STEP}#checkov:skip={check}:{reason}" for check, reason in sorted(reasons.items())]


def _arguments(values: Mapping[str, Any], shape: Shape, indent: str) -> Iterator[list[str]]:
    """Meta-arguments, arguments, nested blocks, tags, and what is about the resource as a whole."""
    plain = [name for name in values if name not in {"//", "dynamic", "lifecycle", *_FIRST, *_LAST}]
    nested = [name for name in plain if _is_block(shape.get(name))]
    others = [name for name in plain if name not in nested and name != "tags"]
    yield [argument(name, values[name], indent) for name in _FIRST if name in values]
    yield [argument(name, values[name], indent) for name in others]
    for name in nested:
        inner = shape[name]["value"]
        for place, item in enumerate(_as_list(values[name])):
            shapes = inner[place] if isinstance(inner, list) else inner
            yield _nested(name, _arguments(item, shapes, indent + STEP), indent)
    for name, body in values.get("dynamic", {}).items():
        inside = [argument(key, value, indent + STEP * 2) for key, value in body["content"].items()]
        groups = [
            [argument("for_each", body["for_each"], indent + STEP)],
            _nested("content", [inside], indent + STEP),
        ]
        yield _nested(f'dynamic "{name}"', groups, indent)
    yield [argument(name, values[name], indent) for name in ("tags",) if name in values]
    if "lifecycle" in values:
        yield _nested("lifecycle", _lifecycle(values["lifecycle"], indent + STEP), indent)
    yield [_references(name, values[name], indent) for name in _LAST if name in values]


def _lifecycle(values: Mapping[str, Any], indent: str) -> Iterator[list[str]]:
    yield [
        _references(name, value, indent) if isinstance(value, list) else argument(name, value, indent)
        for name, value in values.items()
        if name not in _CONDITIONS
    ]
    for name in _CONDITIONS:
        for condition in values.get(name, []):
            inner = [argument(key, value, indent + STEP) for key, value in condition.items()]
            yield _nested(name, [inner], indent)


def _references(name: str, values: list[str], indent: str) -> str:
    """A list of addresses or arguments, which HCL writes without quotes."""
    return assigned(name, f"[{', '.join(values)}]", indent)


def _nested(name: str, groups: Iterable[list[str]], indent: str) -> list[str]:
    return [f"{indent}{name} {{", "\n\n".join("\n".join(group) for group in groups if group), f"{indent}}}"]


def _is_block(shape: Any) -> bool:
    return isinstance(shape, Mapping) and bool(shape.get("isBlock"))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
