"""What one can choose about the service that wakes the fleets: the keys below ``backlog:``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from synthesis.allowed import flag
from synthesis.rules import Settings

NAME = "backlog"
"""Of the service, its containers and its log."""

VCPU, GIB = 0.25, 1
"""The service takes 50 MiB and a hundredth of this vCPU; the memory is for importing the experiments."""


class BacklogSettings(Settings):
    """The service that asks Hatchet for the fleets' work and wakes them."""

    spot: Annotated[bool, flag()] = Field(
        default=True,
        description="Whether the service runs on Fargate Spot: $3.19 a month instead of $10.63 (x86_64). It runs "
        "on demand all the same where a fleet has capacity.fallback or spot: 0.",
    )
