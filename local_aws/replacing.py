"""Replace a method of moto's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def replace(owner: type[Any], name: str, function: Callable[..., Any]) -> None:
    """Put a function in a class in place of its method, or add it, for as long as the process lasts."""
    setattr(owner, name, function)
