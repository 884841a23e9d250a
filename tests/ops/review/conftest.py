"""The plans of the deployed environments, whose tests are in tests/deployments/."""

from __future__ import annotations

from tests.deployments.conftest import runs

__all__ = ["runs"]
