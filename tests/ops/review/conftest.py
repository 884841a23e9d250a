"""The plans of the dozen, whose tests are in tests/deployments/."""

from __future__ import annotations

from tests.deployments.conftest import runs

__all__ = ["runs"]
