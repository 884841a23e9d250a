"""The operations that the deployments of tests/deployments send, apart from those that only read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

RECORDED = Path(__file__).with_name("operations.txt")
_READS = ("BatchGet", "Describe", "Get", "Head", "List")


def recorded() -> list[str]:
    """The operations of a recorded apply and destroy."""
    return RECORDED.read_text().split()


def changes(operations: Iterable[str]) -> list[str]:
    """Those of some operations that create, update or delete something, sorted."""
    return sorted({name for name in operations if not name.partition(".")[2].startswith(_READS)})
