"""What Fargate asks of a task definition and of the subnets of its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.strictness.held import subnets, task_definition
from local_aws.strictness.rule import Request, Rule

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_DIFFERENCES = f"{_GUIDE}/fargate-tasks-services.html"

MEMORY_MIB: Mapping[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""Memory that Fargate has for a number of CPU units."""

WITHOUT_FARGATE = ("apne1-az3", "cac1-az3", "cnn1-az3", "use1-az3", "usw1-az2")
"""Availability zones without Fargate."""

LONGEST_STOP = 120
LEAST_STORAGE, MOST_STORAGE = 21, 200
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")


def _containers(request: Request) -> Iterator[Mapping[str, Any]]:
    if "FARGATE" in (request.parameters.get("requiresCompatibilities") or []):
        yield from request.parameters.get("containerDefinitions") or []


def _is_fargate(request: Request) -> bool:
    return "FARGATE" in (request.parameters.get("requiresCompatibilities") or [])


def _size(request: Request) -> str | None:
    if not _is_fargate(request):
        return None
    cpu, memory = request.parameters.get("cpu"), request.parameters.get("memory")
    for name, value in (("cpu", cpu), ("memory", memory)):
        if value is None:
            return f"Fargate requires that '{name}' be defined at the task level."
    if not (str(cpu).isdecimal() and str(memory).isdecimal()):
        return None  # "1 vCPU" and "2 GB" are allowed too, and not sent by the stacks
    if int(str(memory)) in MEMORY_MIB.get(int(str(cpu)), ()):
        return None
    return f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."


def _network_mode(request: Request) -> str | None:
    if _is_fargate(request) and request.parameters.get("networkMode") != "awsvpc":
        return "Fargate only supports network mode ‘awsvpc’."
    return None


def _stop(request: Request) -> str | None:
    for container in _containers(request):
        stop = container.get("stopTimeout")
        if stop is not None and stop > LONGEST_STOP:
            return f"The stopTimeout value {stop} is invalid. For Fargate it must be at most {LONGEST_STOP} seconds."
    return None


def _privileged(request: Request) -> str | None:
    if any(container.get("privileged") for container in _containers(request)):
        return "Fargate requires that the 'privileged' setting be 'false'"
    return None


def _capability(request: Request) -> str | None:
    for container in _containers(request):
        added = ((container.get("linuxParameters") or {}).get("capabilities") or {}).get("add") or []
        for capability in added:
            if capability != "SYS_PTRACE":
                return f"{capability} is not allowed on Fargate."
    return None


def _storage(request: Request) -> str | None:
    size = (request.parameters.get("ephemeralStorage") or {}).get("sizeInGiB")
    if size is None or LEAST_STORAGE <= size <= MOST_STORAGE:
        return None
    least = size < LEAST_STORAGE
    return (
        f"EphemeralStorage size should be at {f'least {LEAST_STORAGE}' if least else f'most {MOST_STORAGE}'}"
    )


def _execution_role(request: Request) -> str | None:
    if request.parameters.get("executionRoleArn"):
        return None
    for container in _containers(request):
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            return (
                "Fargate requires task definition to have execution role ARN to support log driver awslogs."
            )
        if ".dkr.ecr." in container.get("image", ""):
            return "Fargate requires task definition to have execution role ARN to support ECR images."
    return None


def _log_driver(request: Request) -> str | None:
    for container in _containers(request):
        driver = (container.get("logConfiguration") or {}).get("logDriver")
        if driver is not None and driver not in _LOG_DRIVERS:
            return f"Fargate supports only the log drivers awslogs, splunk and awsfirelens, not {driver}."
    return None


def _log_prefix(request: Request) -> str | None:
    for container in _containers(request):
        log = container.get("logConfiguration") or {}
        if log.get("logDriver") == "awslogs" and "awslogs-stream-prefix" not in (log.get("options") or {}):
            return "Fargate requires log configuration options to include awslogs-stream-prefix"
    return None


def _zone(request: Request) -> str | None:
    """AWS accepts the service and says so in its events for each task; a refusal is seen by tests."""
    definition = task_definition(request, request.parameters.get("taskDefinition") or "")
    if definition is None or "FARGATE" not in (definition.compatibilities or []):
        return None
    network = (request.parameters.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    for subnet in subnets(request, network.get("subnets") or []):
        if subnet.availability_zone_id in WITHOUT_FARGATE:
            return (
                f"The requested availability zone {subnet.availability_zone} ({subnet.availability_zone_id}) of "
                f"{subnet.id} is not supported by Fargate."
            )
    return None


def _rule(name: str, condition: str, page: str, refuses: Any) -> Rule:
    return Rule(name, ("ecs.RegisterTaskDefinition",), condition, "ClientException", page, refuses)


RULES = (
    _rule(
        "fargate_size",
        "A pair of CPU and memory that Fargate does not have",
        f"{_GUIDE}/task-cpu-memory-error.html",
        _size,
    ),
    _rule("fargate_network_mode", "A network mode other than awsvpc", _DIFFERENCES, _network_mode),
    _rule(
        "fargate_stop_timeout",
        f"A stop timeout over {LONGEST_STOP} seconds",
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html",
        _stop,
    ),
    _rule("fargate_privileged", "A privileged container", _DIFFERENCES, _privileged),
    _rule(
        "fargate_capability",
        "A capability other than SYS_PTRACE",
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html",
        _capability,
    ),
    _rule(
        "fargate_storage",
        f"Ephemeral storage of less than {LEAST_STORAGE} or more than {MOST_STORAGE} GiB",
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EphemeralStorage.html",
        _storage,
    ),
    _rule(
        "fargate_execution_role",
        "Logs in CloudWatch or images in ECR without an execution role",
        f"{_GUIDE}/task_execution_IAM_role.html",
        _execution_role,
    ),
    _rule(
        "fargate_log_driver",
        "A log driver other than awslogs, splunk and awsfirelens",
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html",
        _log_driver,
    ),
    _rule(
        "fargate_log_prefix",
        "The driver awslogs without a stream prefix",
        f"{_GUIDE}/specify-log-config.html",
        _log_prefix,
    ),
    Rule(
        "zone_without_fargate",
        ("ecs.CreateService", "ecs.UpdateService", "ecs.RunTask"),
        "A subnet in an availability zone without Fargate",
        "PlatformTaskDefinitionIncompatibilityException",
        f"{_GUIDE}/AWS_Fargate-Regions.html",
        _zone,
    ),
)
