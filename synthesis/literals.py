"""Python data as Terraform literals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def hcl(value: Any) -> str:
    """Write Python data as an HCL expression; strings may hold ``${}`` templates.

    Raises:
        TypeError: for a value that Terraform has no literal for.
    """
    expression: str | None = getattr(value, "hcl", None)
    if expression is not None:
        return expression
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"{value:g}" if value == int(value) and abs(value) < 1e6 else json.dumps(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, BaseModel):
        return hcl(dict(value))
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {hcl(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(hcl(item) for item in value)}]"
    msg = f"no HCL literal for {type(value).__name__}"
    raise TypeError(msg)


def quoted(text: str) -> str:
    """Quote text as an HCL string; what stands in ``${}`` stays the expression that it is."""
    parts = [part for part in re.split(r"(\$\{(?:[^{}]|\{[^{}]*\})*\})", text) if part]
    if len(parts) == 1 and parts[0].startswith("${"):
        return parts[0][2:-1]
    inner = (part if part.startswith("${") else json.dumps(part, ensure_ascii=False)[1:-1] for part in parts)
    return f'"{"".join(inner)}"'


def pattern(text: str) -> str:
    """A regular expression as Terraform's quoted text, in which nothing is a template."""
    return json.dumps(text).replace("${", "$${").replace("%{", "%%{")


def _key(key: object) -> str:
    expression: str | None = getattr(key, "hcl", None)
    if expression is not None:
        return f"({expression})"
    if isinstance(key, float):
        return f'"{key:g}"'
    return str(key) if IDENTIFIER.fullmatch(str(key)) else hcl(str(key))
