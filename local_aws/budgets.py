"""What moto 5.2.5 lacks of AWS Budgets for Terraform."""

from __future__ import annotations

import json
from typing import Any

from moto.budgets.exceptions import NotFoundException
from moto.budgets.responses import BudgetsResponse

from local_aws.replacing import replace


def correct_budgets() -> None:
    """Correct moto's Budgets in this process."""
    tell_subscribers()


def tell_subscribers() -> None:
    """Answer who is told by a notification of a budget, which moto keeps and never says.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_DescribeSubscribersForNotification.html
    """

    def describe_subscribers_for_notification(self: Any) -> str:
        name, asked = self._get_param("BudgetName"), self._get_param("Notification")
        budget = self.backend.budgets[self._get_param("AccountId")].get(name)
        for notification in budget.notifications if budget else ():
            if notification.details == asked:
                return json.dumps({"Subscribers": notification.subscribers})
        raise NotFoundException(f"Unable to get the subscribers of a notification of {name}: there is none.")

    replace(BudgetsResponse, "describe_subscribers_for_notification", describe_subscribers_for_notification)
