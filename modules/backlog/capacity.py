"""Where the service that wakes the fleets runs."""

from __future__ import annotations

from modules.backlog.settings import BacklogSettings
from synthesis.expression import Expression


def capacity_provider(settings: BacklogSettings, fleets: Expression) -> Expression:
    """The service's capacity provider, by `BacklogSettings.runs_on_spot` as Terraform evaluates it.

    Args:
        settings: the service's.
        fleets: the settings of all fleets, by name.
    """
    relies = f"alltrue([for fleet in {fleets} : fleet.capacity.fallback == null && fleet.capacity.spot > 0])"
    return Expression(f'{settings.spot} && {relies} ? "FARGATE_SPOT" : "FARGATE"')
