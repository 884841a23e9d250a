"""What moto 5.2.5 gets wrong about RDS for Terraform."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBInstance, DBParameterGroup
from moto.rds.responses import RDSResponse

from local_aws.replacing import replace


def correct_rds() -> None:
    """Correct moto's RDS in this process."""
    tell_whose_parameters_are()
    keep_insights()
    tell_instances_apart()


def tell_whose_parameters_are() -> None:
    """Say of a parameter that somebody set that its source is the user.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Parameter.html
    """
    update = DBParameterGroup.update_parameters

    def corrected(self: DBParameterGroup, new_parameters: Iterable[dict[str, Any]]) -> None:
        update(self, [{**parameter, "Source": "user"} for parameter in new_parameters])

    replace(DBParameterGroup, "update_parameters", corrected)


def keep_insights() -> None:
    """Keep whether an instance has Performance Insights, and its mode of Database Insights.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    """
    for name in ("create_db_instance", "modify_db_instance"):
        action = getattr(RDSResponse, name)

        def corrected(self: Any, action: Any = action) -> ActionResult:
            answer: ActionResult = action(self)
            result: Any = answer.result
            for parameter, attribute in (
                ("EnablePerformanceInsights", "performance_insights_enabled"),
                ("DatabaseInsightsMode", "database_insights_mode"),
            ):
                if (value := self.params.get(parameter)) is not None:
                    setattr(result["DBInstance"], attribute, value)
            return answer

        replace(RDSResponse, name, corrected)


def tell_instances_apart() -> None:
    """Give each instance a resource id of its own, by which Terraform finds it; moto has one for all.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    """
    make = DBInstance.__init__

    def corrected(self: DBInstance, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        self.dbi_resource_id = f"db-{secrets.token_hex(13).upper()}"

    replace(DBInstance, "__init__", corrected)
