"""The backlog service's container, as a task definition says it."""

from __future__ import annotations

from collections.abc import Mapping

from modules.expression import Expression, hcl, text
from modules.worker_fleet.container import USER

NAME = "backlog"
VOLUME = "tmp"
"""Where it marks its publications for the health check; a volume of the worker image's own."""

HEALTH_CHECK = {
    "command": ["CMD", "python", "-m", "scythe_worker", "backlog", "health"],
    "interval": 60,
    "timeout": 10,
    "retries": 2,
    "startPeriod": 60,
}


def container_definitions(
    *,
    image: Expression,
    variables: Mapping[str, str],
    token_secret_arn: Expression,
    log_group: Expression,
    region: Expression,
) -> str:
    """The JSON of the task's one container, written by Terraform.

    Args:
        image: the worker image.
        variables: plain environment variables, each with its value's expression; null leaves one out.
        token_secret_arn: the secret of Hatchet's client token.
        log_group: where it logs.
        region: of the log group.
    """
    plain = ", ".join(f"{name} = {value}" for name, value in variables.items())
    container = {
        "name": NAME,
        "image": image,
        "essential": True,
        "command": ["python", "-m", "scythe_worker", "backlog"],
        "user": USER,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "stopTimeout": 30,
        "healthCheck": HEALTH_CHECK,
        "environment": Expression(
            f"[for name, value in {{ {plain} }} : {{ name = name, value = value }} if value != null]"
        ),
        "secrets": [{"name": "HATCHET_CLIENT_TOKEN", "valueFrom": text(token_secret_arn)}],
        "mountPoints": [{"sourceVolume": VOLUME, "containerPath": "/tmp", "readOnly": False}],  # noqa: S108
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": text(log_group.name),
                "awslogs-region": text(region),
                "awslogs-stream-prefix": NAME,
            },
        },
        "portMappings": [],
        "systemControls": [],
        "volumesFrom": [],
    }
    return text(f"jsonencode({hcl([container])})")
