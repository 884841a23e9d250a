"""Containers, volumes and sizes of a task definition, whatever it runs on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_CONTAINER = f"{_API}/API_ContainerDefinition.html"

MOST_BYTES = 65_536
MOST_CONTAINERS = 10
HEALTH_CHECK = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
"""The least and the most that each value of a health check may be."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SECRET = re.compile(
    r"arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+|ssm:[a-z0-9-]+:\d{12}:parameter/[\w./-]+)"
    r"|[A-Za-z0-9_.,/-]{1,2048}"
)


def _containers(request: Request) -> list[Mapping[str, Any]]:
    return list(request.parameters.get("containerDefinitions") or [])


def _named(request: Request) -> dict[str, Mapping[str, Any]]:
    return {container.get("name", ""): container for container in _containers(request)}


def _bytes(request: Request) -> str | None:
    size = len(
        json.dumps(request.parameters, separators=(",", ":"), ensure_ascii=False, default=str).encode()
    )
    if size > MOST_BYTES:
        return f"Actual length: '{size}'. Max allowed length is '{MOST_BYTES}' bytes."
    return None


def _many(request: Request) -> str | None:
    if len(_containers(request)) > MOST_CONTAINERS:
        return f"A task definition can have at most {MOST_CONTAINERS} containers."
    return None


def _name(request: Request) -> str | None:
    if any(not _NAME.fullmatch(name) for name in _named(request)):
        return "Container.name contains invalid characters."
    return None


def _family(request: Request) -> str | None:
    family = str(request.parameters.get("family", ""))
    return None if _NAME.fullmatch(family) else "Invalid family"


def _twice(request: Request) -> str | None:
    if len(_named(request)) < len(_containers(request)):
        return "Container names must be unique within a task definition"
    return None


def _is_essential(container: Mapping[str, Any]) -> bool:
    return bool(container.get("essential", True))


def _inessential(request: Request) -> str | None:
    containers = _containers(request)
    if containers and not any(map(_is_essential, containers)):
        return "Task definition doesn't have any essential container"
    return None


def _waits_in_vain(request: Request) -> str | None:
    named = _named(request)
    for container in named.values():
        for dependency in container.get("dependsOn") or []:
            other, condition = named.get(dependency.get("containerName", "")), dependency.get("condition")
            if other is None:
                return (
                    f"Cannot depend on container {dependency.get('containerName')} because it does not exist"
                )
            if condition in ("COMPLETE", "SUCCESS") and _is_essential(other):
                return "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
            if condition == "HEALTHY" and not other.get("healthCheck"):
                return "A dependency container with HEALTHY condition must have health check configured"
    return None


def _circle(request: Request) -> str | None:
    waits = {
        name: {dependency.get("containerName") for dependency in container.get("dependsOn") or []}
        for name, container in _named(request).items()
    }
    while free := {name for name, others in waits.items() if not others & waits.keys()}:
        waits = {name: others for name, others in waits.items() if name not in free}
    return "There is a cycle in the container dependencies" if waits else None


def _health_check(request: Request) -> str | None:
    for container in _containers(request):
        check = container.get("healthCheck") or {}
        for key, (least, most) in HEALTH_CHECK.items():
            if key in check and not least <= check[key] <= most:
                return f"Health check {key} must be between {least} and {most}."
    return None


def _host_port(request: Request) -> str | None:
    if request.parameters.get("networkMode") != "awsvpc":
        return None
    for container in _containers(request):
        for mapping in container.get("portMappings") or []:
            if mapping.get("hostPort") not in (None, mapping.get("containerPort")):
                return (
                    "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
                )
    return None


def _variable_twice(request: Request) -> str | None:
    for container in _containers(request):
        variables = {item.get("name") for item in container.get("environment") or []}
        for secret in container.get("secrets") or []:
            if secret.get("name") in variables:
                return (
                    "The secret name must be unique and not shared with any new or existing environment variables "
                    f"set on the container, such as '{secret.get('name')}'."
                )
            variables.add(secret.get("name"))
    return None


def _secrets_role(request: Request) -> str | None:
    if request.parameters.get("executionRoleArn"):
        return None
    if any(container.get("secrets") for container in _containers(request)):
        return (
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )
    return None


def _secret_arn(request: Request) -> str | None:
    """What is no ARN of a secret is read as a parameter's name or ARN."""
    for container in _containers(request):
        for secret in container.get("secrets") or []:
            if not _SECRET.fullmatch(secret.get("valueFrom", "")):
                return (
                    f"The Systems Manager parameter name specified for secret {secret.get('name')} is invalid. The "
                    "parameter name can be up to 2048 characters and include the following letters and symbols: "
                    "a-zA-Z0-9_.-,"
                )
    return None


def _volume(request: Request) -> str | None:
    volumes = {volume.get("name") for volume in request.parameters.get("volumes") or []}
    for container in _containers(request):
        for mount in container.get("mountPoints") or []:
            if mount.get("sourceVolume") not in volumes:
                return f"Unknown volume '{mount.get('sourceVolume')}'."
    return None


def _shares(request: Request) -> str | None:
    total = sum(container.get("cpu") or 0 for container in _containers(request))
    cpu = str(request.parameters.get("cpu") or "")
    if cpu.isdecimal() and total > int(cpu):
        return "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value"
    return None


def _memory(request: Request) -> str | None:
    memory = str(request.parameters.get("memory") or "")
    for container in _containers(request):
        if memory.isdecimal() and (container.get("memory") or 0) > int(memory):
            return (
                f"The 'memory' setting for container '{container.get('name')}' is greater than for the task"
            )
    return None


def _efs(request: Request) -> str | None:
    for volume in request.parameters.get("volumes") or []:
        efs = volume.get("efsVolumeConfiguration") or {}
        access = efs.get("authorizationConfig") or {}
        if access.get("accessPointId") and efs.get("rootDirectory") not in (None, "", "/"):
            return (
                'When using an EFS access point, the root directory must either be set to "/" or be omitted'
            )
        if access.get("iam") == "ENABLED" and efs.get("transitEncryption") != "ENABLED":
            return "EFS IAM authorization requires TransitEncryption to be enabled"
    return None


def _rule(name: str, condition: str, refuses: Any, page: str = _CONTAINER) -> Rule:
    return Rule(name, ("ecs.RegisterTaskDefinition",), condition, "ClientException", page, refuses)


_QUOTAS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"
_DEPENDENCY = f"{_API}/API_ContainerDependency.html"

RULES = (
    _rule("task_definition_size", "A task definition over 64 KiB", _bytes, _QUOTAS),
    _rule("containers_of_a_task", f"More than {MOST_CONTAINERS} containers", _many, _QUOTAS),
    _rule("container_name", "A container name with other characters than letters, digits, - and _", _name),
    _rule(
        "family_name",
        "A family with other characters than letters, digits, - and _",
        _family,
        f"{_API}/API_RegisterTaskDefinition.html",
    ),
    _rule("container_name_twice", "Two containers with one name", _twice),
    _rule("no_essential_container", "No essential container", _inessential),
    _rule(
        "dependency_that_never_holds",
        "A wait for a container that does not exist, for the end of an essential one, or for the health of one without "
        "a health check",
        _waits_in_vain,
        _DEPENDENCY,
    ),
    _rule("circle_of_dependencies", "Containers that wait for each other", _circle, _DEPENDENCY),
    _rule(
        "health_check_of_a_container",
        "A health check with an interval outside 5 to 300 s, a timeout outside 2 to 60 s, retries outside 1 to 10 or a "
        "start period over 300 s",
        _health_check,
        f"{_API}/API_HealthCheck.html",
    ),
    _rule(
        "host_port",
        "A host port other than the container's, with awsvpc",
        _host_port,
        f"{_API}/API_PortMapping.html",
    ),
    _rule("variable_twice", "A secret with the name of another variable", _variable_twice),
    _rule("secrets_without_execution_role", "Secrets without an execution role", _secrets_role),
    _rule(
        "secret_arn",
        "A secret that is neither of Secrets Manager nor of Parameter Store",
        _secret_arn,
        f"{_API}/API_Secret.html",
    ),
    _rule("unknown_volume", "A mount of a volume that is not there", _volume, f"{_API}/API_MountPoint.html"),
    _rule("cpu_of_containers", "Containers with more CPU units than the task", _shares),
    _rule("memory_of_a_container", "A container with more memory than the task", _memory),
    _rule(
        "efs_volume",
        "An EFS volume with an access point and a root directory, or with IAM and no encryption in transit",
        _efs,
        f"{_API}/API_EFSVolumeConfiguration.html",
    ),
)
