"""Where the service that wakes the fleets runs."""

from __future__ import annotations

from collections.abc import Mapping

from modules.backlog.settings import BacklogSettings
from modules.worker_fleet.settings import FleetSettings
from synthesis.functions import is_null
from synthesis.lists import all_of, values


def runs_on_spot(settings: BacklogSettings, fleets: Mapping[str, FleetSettings]) -> bool:
    """Whether the service runs on Spot: not where a fleet must wake while Spot has no capacity."""
    return settings.spot & all_of(
        values(fleets), lambda fleet: is_null(fleet.capacity.fallback) & (fleet.capacity.spot > 0)
    )
