"""What one can choose about alarms, logs and the budget: the keys below ``observability:``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modules.network.settings import LOG_RETENTION_DAYS
from synthesis.allowed import email, number, one_of
from synthesis.rules import Settings


class ObservabilitySettings(Settings):
    """Who hears of what goes wrong, and for how long logs are kept."""

    alarm_email: Annotated[str, email()] | None = Field(
        default=None,
        description="The mailbox that alarms go to; AWS asks it for confirmation. Left out: no mail.",
    )
    log_retention_days: Annotated[int, one_of(*LOG_RETENTION_DAYS)] = Field(
        default=30, description="Days after which CloudWatch deletes the workers' and the engine's logs."
    )
    monthly_budget_usd: Annotated[float, number(1, 10_000_000)] | None = Field(
        default=None,
        description="US dollars a month that AWS Budgets warns of, by mail to alarm_email. Default: none.",
    )
