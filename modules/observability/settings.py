"""What one can choose about alarms, logs and the budget: the keys below ``observability:``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from modules.common.presence import Presence, agrees, presence_of
from modules.network.settings import LOG_RETENTION_DAYS
from synthesis.allowed import email, number, one_of
from synthesis.rules import CrossRule, Settings


class ObservabilitySettings(Settings):
    """Who hears of what goes wrong, and for how long logs are kept."""

    alarm_email: Annotated[str, email()] | None = Field(
        default=None,
        description="The mailbox that alarms go to; AWS asks it for confirmation. Default: no mail.",
    )
    enable_mail: Presence = presence_of("alarm_email", "alarms go to a mailbox")
    log_retention_days: Annotated[int, one_of(*LOG_RETENTION_DAYS)] = Field(
        default=30, description="Days after which CloudWatch deletes the workers' and the engine's logs."
    )
    monthly_budget_usd: Annotated[float, number(1, 10_000_000)] | None = Field(
        default=None,
        description="US dollars a month that AWS Budgets warns of, by mail to alarm_email. It counts what "
        "bears the tag environment, from when you activate that as a cost allocation tag in the Billing console. "
        "Default: none.",
    )
    enable_budget: Presence = presence_of("monthly_budget_usd", "there is a budget")

    rules: ClassVar[tuple[CrossRule, ...]] = (
        agrees("enable_mail", "alarm_email"),
        agrees("enable_budget", "monthly_budget_usd"),
    )
