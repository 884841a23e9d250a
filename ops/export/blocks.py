"""Blocks of HCL: what CDKTF knows of a resource, in the order that people write it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.export.layout import STEP, laid_out
from ops.export.syntax import expression

_FIRST = ("count", "for_each", "provider")
_LAST = ("depends_on",)
_CONDITIONS = ("precondition", "postcondition")

MANY = 5
"""So many nested blocks of one type, each of plain arguments, are written as a dynamic block."""

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
        if repeated := _repeated(name, _as_list(values[name]), inner, indent):
            yield repeated
            continue
        for place, item in enumerate(_as_list(values[name])):
            shapes = inner[place] if isinstance(inner, list) else inner
            yield _nested(name, _arguments(item, shapes, indent + STEP), indent)
    for name, body in values.get("dynamic", {}).items():
        yield _dynamic(name, body["for_each"], body["content"], indent)
    yield [argument(name, values[name], indent) for name in ("tags",) if name in values]
    if "lifecycle" in values:
        yield _nested("lifecycle", _lifecycle(values["lifecycle"], indent + STEP), indent)
    yield [_references(name, values[name], indent) for name in _LAST if name in values]


def _repeated(name: str, items: list[Any], shapes: Any, indent: str) -> list[str]:
    """Many blocks of plain arguments as one dynamic block; nothing for what is else."""
    plain = not any(map(_is_block, shapes[0].values())) if isinstance(shapes, list) and shapes else False
    if len(items) < MANY or not plain:
        return []
    keys = dict.fromkeys(key for item in items for key in item)
    short = {key: "_".join(key.split("_")[-2:]) for key in keys}
    if len(set(short.values())) < len(keys):
        short = {key: key for key in keys}
    each = [{short[key]: item.get(key) for key in keys} for item in items]
    return _dynamic(name, each, {key: f"${{{name}.value.{short[key]}}}" for key in keys}, indent)


def _dynamic(name: str, for_each: Any, content: Mapping[str, Any], indent: str) -> list[str]:
    inside = [argument(key, value, indent + STEP * 2) for key, value in content.items()]
    groups = [
        [argument("for_each", for_each, indent + STEP)],
        _nested("content", [inside], indent + STEP),
    ]
    return _nested(f'dynamic "{name}"', groups, indent)


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


def joined(blocks: Iterable[str]) -> str:
    """The text of a file."""
    return "\n".join(blocks)


def locals_block(values: Mapping[str, Any]) -> list[str]:
    """A ``locals`` block, where there are any."""
    return (
        [block("locals", (), [[argument(name, value) for name, value in values.items()]])] if values else []
    )


def data_blocks(sources: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Data sources without nested blocks."""
    for type_, named in sources.items():
        for name, body in named.items():
            yield element("data", (type_, name), body, {})


def module_block(name: str, arguments: Mapping[str, Any]) -> str:
    """A call of a module."""
    first = [
        argument(key, arguments[key])
        for key in ("source", "version", "count", "for_each")
        if key in arguments
    ]
    others = [
        argument(key, value)
        for key, value in arguments.items()
        if key not in {"source", "version", "count", "for_each"}
    ]
    return block("module", (name,), [first, others])


def moved_block(before: str, after: str) -> str:
    """A change of a resource's address."""
    return block("moved", (), [[f"{STEP}from = {before}", f"{STEP}to = {after}"]])


def check_blocks(checks: Mapping[str, Any]) -> Iterator[str]:
    """Checks that each plan makes."""
    for name, body in checks.items():
        asserts = [
            _nested("assert", [[argument(key, value, STEP * 2) for key, value in one.items()]], STEP)
            for one in body["assert"]
        ]
        yield block("check", (name,), asserts)


def output_block(name: str, body: Mapping[str, Any]) -> str:
    """An output."""
    return block("output", (name,), [[argument(key, body[key]) for key in ("description", "value")]])


def terraform_block(settings: Mapping[str, Any]) -> str:
    """The ``terraform`` block: versions, and the backend unless it is a module's."""
    required = [f"{STEP}required_providers {{"]
    for name, provider in settings["required_providers"].items():
        lines = [argument(key, provider[key], STEP * 3) for key in ("source", "version")]
        required += [f"{STEP * 2}{name} = {{", *lines, f"{STEP * 2}}}"]
    required.append(f"{STEP}}}")
    backends = [
        _nested(f'backend "{name}"', [[argument(key, value, STEP * 2) for key, value in body.items()]], STEP)
        for name, body in settings.get("backend", {}).items()
    ]
    return block(
        "terraform", (), [[argument("required_version", settings["required_version"])], required, *backends]
    )


def provider_blocks(providers: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    """Provider configurations; what is a list of objects there is nested blocks."""
    for name, configured in providers.items():
        for body in configured:
            plain = [argument(key, value) for key, value in body.items() if not _is_nested(value)]
            nested = [
                _nested(key, [[argument(k, v, STEP * 2) for k, v in item.items()]], STEP)
                for key, value in body.items()
                if _is_nested(value)
                for item in value
            ]
            yield block("provider", (name,), [plain, *nested])


def _is_nested(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
