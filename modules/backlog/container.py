"""The backlog service's containers, as a task definition says them."""

from __future__ import annotations

from collections.abc import Mapping

from modules.backlog.settings import NAME
from modules.common.container import given_values, log_configuration, mount_points, named
from modules.worker_fleet.container import USER, WRITABLE
from synthesis.expression import Expression, text
from synthesis.literals import hcl

REGISTER = "register"
VOLUME = "tmp"
"""Where the service marks its publications for the health check; one of the worker image's own volumes."""

HEALTH_CHECK = {
    "command": ["CMD", "python", "-m", "scythe_worker", "backlog", "health"],
    "interval": 60,
    "timeout": 10,
    "retries": 2,
    "startPeriod": 60,
}


def container_definitions(
    *,
    image: str,
    variables: Mapping[str, object],
    registers: Mapping[str, object],
    shared: Expression,
    token_secret_arn: Expression,
    log_group: Expression,
    region: Expression,
) -> str:
    """The JSON of the task's two containers, written by Terraform.

    The first registers the experiments, and ends. The service begins thereafter, however that went: the fleets of
    what has been registered before must wake all the same. Without a ``startTimeout`` there is no limit to how long
    it takes (Amazon ECS API, ``ContainerDefinition``).

    Args:
        image: the worker image.
        variables: plain environment variables of the service; null leaves one out.
        registers: likewise of what registers.
        shared: further variables of what registers.
        token_secret_arn: the secret of Hatchet's client token.
        log_group: where both log.
        region: of the log group.
    """

    def container(name: str, given: str, paths: Mapping[str, str]) -> dict[str, object]:
        return {
            "name": name,
            "image": image,
            "command": ["python", "-m", "scythe_worker", name],
            "user": USER,
            "readonlyRootFilesystem": True,
            "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
            "stopTimeout": 30,
            "environment": named(given),
            "secrets": [{"name": "HATCHET_CLIENT_TOKEN", "valueFrom": text(token_secret_arn)}],
            "mountPoints": mount_points(paths),
            "logConfiguration": log_configuration(log_group.name, region, name),
            "portMappings": [],
            "systemControls": [],
            "volumesFrom": [],
        }

    containers = [
        {
            **container(REGISTER, f"merge({shared}, {hcl(given_values(registers))})", WRITABLE),
            "essential": False,
        },
        {
            **container(NAME, hcl(given_values(variables)), {VOLUME: WRITABLE[VOLUME]}),
            "essential": True,
            "dependsOn": [{"containerName": REGISTER, "condition": "COMPLETE"}],
            "healthCheck": HEALTH_CHECK,
        },
    ]
    return text(f"jsonencode({hcl(containers)})")
