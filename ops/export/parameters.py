"""What constructs are told beside their settings, as variables of their modules."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, create_model

from environments.sections import FLEET_NAME
from modules.common.key_settings import key_arn
from modules.network.settings import LOG_RETENTION_DAYS
from modules.worker_fleet.settings import TASK_NAME, FleetSettings
from synthesis.allowed import each, matching, one_of
from synthesis.rules import Settings

CLUSTER_NAME = matching("^[A-Za-z0-9_-]{1,255}$", "a cluster's name of letters, digits, - and _")
TOPIC_NAME = matching("^[A-Za-z0-9_-]{1,256}$", "a topic's name of letters, digits, - and _")


_KNOWN = (
    *(
        "role",
        "architecture",
        "slots",
        "high_memory",
        "high_cpu",
        "experiments",
        "capacity",
        "environment",
        "timeouts",
        "image",
    ),
)
# How a fleet's keys fit is checked by its own module.
FleetOfBacklog: type[Settings] = create_model(
    "FleetOfBacklog",
    __base__=Settings,
    **{key: (field.annotation, field) for key, field in FleetSettings.model_fields.items() if key in _KNOWN},  # type: ignore[call-overload]
)
"""What the backlog service knows of a fleet."""
FleetOfBacklog.left_open = {key: text for key, text in FleetSettings.left_open.items() if key in _KNOWN}


class Parameters(Settings):
    """One key for each parameter, of its name."""

    fleet: Annotated[str, FLEET_NAME] = Field(
        description="The fleet's name, part of the names of all its resources."
    )
    part: Annotated[
        str, matching("^[a-z]([a-z0-9]|-[a-z0-9]){0,27}$", "a name of lower-case letters and digits")
    ] = Field(default="workers", description="What the cluster's name ends with.")
    workers_cluster: Annotated[str, CLUSTER_NAME] = Field(
        description="Name of the ECS cluster of the workers."
    )
    log_retention_days: Annotated[int, one_of(*LOG_RETENTION_DAYS)] = Field(
        default=30, description="Days after which CloudWatch deletes the logs."
    )
    secrets_key_arn: Annotated[str, key_arn()] | None = Field(
        default=None,
        description="ARN of the KMS key that encrypts the secrets that are made. Default: Secrets Manager's own.",
    )
    bucket_key_arn: Annotated[str, key_arn()] | None = Field(
        default=None, description="ARN of the KMS key that encrypts the bucket. Default: S3's own."
    )
    logs_key_arn: Annotated[str, key_arn()] | None = Field(
        default=None, description="ARN of the KMS key that encrypts the logs. Default: CloudWatch's own."
    )
    repositories_key_arn: Annotated[str, key_arn()] | None = Field(
        default=None,
        description="ARN of the KMS key that encrypts the repositories. Default: ECR's own. Changing it replaces them.",
    )
    experiments_elsewhere: Annotated[list[str], each(TASK_NAME, 0, 5000, what="task names")] = Field(
        default=[], description="The tasks that other fleets name as theirs, and this one leaves to them."
    )
    fleets: dict[Annotated[str, FLEET_NAME], FleetOfBacklog] = Field(  # type: ignore[valid-type]
        min_length=1, max_length=50, description="What the service knows of each fleet, by name."
    )
    alarm_topic: Annotated[str, TOPIC_NAME] | None = Field(
        default=None, description="Name of the SNS topic that hears of its silence. Default: none."
    )
