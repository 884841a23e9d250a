"""What all tests of the engine are marked with."""

from __future__ import annotations

import pytest

ENGINE = [
    pytest.mark.engine,
    # The first test waits for the deployment, of which RDS alone takes 80 seconds.
    pytest.mark.timeout(900),
]
