"""What all tests of the engine are marked with."""

from __future__ import annotations

import pytest

from tests.support.fargate import binaries

ENGINE = [
    pytest.mark.slow,
    # The first test waits for the deployment, of which RDS alone takes 80 seconds.
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(binaries.missing()), reason=binaries.missing()),
]
