"""The templates of the contract's self-hosted environment, by the end of the stack's name."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def templates(stacks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each stack says."""
    return {
        name.removeprefix("prod-"): template for name, template in stacks.items() if name.startswith("prod-")
    }
