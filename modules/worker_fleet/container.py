"""The worker's container, as a task definition says it."""

from __future__ import annotations

from collections.abc import Mapping

from modules.common.container import given_values, log_configuration, mount_points, named
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Expression, text
from synthesis.functions import choose, length, not_
from synthesis.lists import join, keys, merged
from synthesis.literals import hcl

NAME = "worker"
STOP_SECONDS = 120
"""The longest that Fargate waits after SIGTERM, and as long as Spot's notice (Amazon ECS API, ``stopTimeout``)."""

SECRETS = "SCYTHE_WORKER_SECRETS"
"""The variable with the names of the fleet's own secrets."""

WRITABLE = {"tmp": "/tmp", "cache": "/var/cache/scythe", "home": "/home/scythe"}  # noqa: S108
"""Volumes and their paths: what scythe-engine, its artifact cache and the researcher's libraries write to.
Dockerfile.worker declares each as a volume of the worker's user, since a Fargate mount is otherwise root's."""

USER = "10001:10001"
"""The user that Dockerfile.worker makes."""

HEALTH_CHECK = {
    "command": ["CMD", "python", "-m", "scythe_worker", "health"],
    "interval": 30,
    "timeout": 10,
    # Five minutes: an engine that is away for less must not cost running simulations.
    "retries": 10,
    "startPeriod": 120,
}


def container_definitions(
    settings: FleetSettings,
    *,
    image: Expression,
    variables: Mapping[str, object],
    token_secret_arn: Expression,
    log_group: Expression,
    region: Expression,
) -> str:
    """The JSON of the task's one container, written by Terraform."""
    # The worker takes the values of these out of all that it writes (`scythe_worker.redaction`).
    names = choose(length(settings.secrets) > 0, join(",", keys(settings.secrets)), None)
    plain = given_values({**variables, SECRETS: names})
    container = {
        "name": NAME,
        "image": image,
        "essential": True,
        "user": USER,
        # A shell of ECS Exec needs to write where its agent lives.
        "readonlyRootFilesystem": not_(settings.exec),
        # Without an init process Python is PID 1 and misses a SIGTERM during its first seconds.
        # Fargate gives a container Docker's default capabilities, of which Python needs none (Amazon ECS API,
        # ``KernelCapabilities``). What ECS Exec's agent needs is said nowhere.
        "linuxParameters": {
            "initProcessEnabled": True,
            "capabilities": {"drop": choose(settings.exec, [], ["ALL"])},
        },
        "stopTimeout": STOP_SECONDS,
        "healthCheck": HEALTH_CHECK,
        "environment": named(hcl(merged(plain, settings.environment))),
        "secrets": named(
            hcl(merged(settings.secrets, {"HATCHET_CLIENT_TOKEN": token_secret_arn})), "valueFrom"
        ),
        "mountPoints": mount_points(WRITABLE),
        # A simulation must not wait for its log.
        "logConfiguration": log_configuration(
            log_group.name, region, NAME, mode="non-blocking", **{"max-buffer-size": "4m"}
        ),
        "portMappings": [],
        "systemControls": [],
        "volumesFrom": [],
    }
    return text(f"jsonencode({hcl([container])})")
