"""Replace a function or a method of moto's."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


def replace(owner: type[Any] | ModuleType, name: str, function: Callable[..., Any]) -> None:
    """Put a function in a class or a module in place of another, or add it, for as long as the process lasts."""
    setattr(owner, name, function)
