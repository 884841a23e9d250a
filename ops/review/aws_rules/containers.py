"""Containers within a task, and what its execution role must allow before they start."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ops.review.aws_rules.planned import Found, Planned, Resource, Rule, document
from ops.review.aws_rules.tasks import ECR_IMAGE, containers


def container_order(planned: Planned) -> Found:
    """A container waits for others of its task: for the end of one that may end, for the health of one that is checked.

    Amazon ECS API Reference, ``ContainerDependency`` (COMPLETE and SUCCESS can't be set on an essential container,
    HEALTHY takes a health check); ``ContainerDefinition`` (one container at least is essential).
    """
    for task in planned.of("aws_ecs_task_definition"):
        named = {container["name"]: container for container in containers(task)}
        if named and not any(_is_essential(container) for container in named.values()):
            yield task, "no container is essential; must be one at least"
        for name, container in named.items():
            for dependency in container.get("dependsOn") or []:
                if message := _unmet(named.get(dependency["containerName"]), dependency["condition"]):
                    yield task, f"{name} waits for {dependency['containerName']}, which {message}"
        if circle := _circle(named):
            yield task, f"{' waits for '.join(circle)}; must not go round"


def container_start(planned: Planned) -> Found:
    """What a container starts is the same wherever it runs: an entryPoint comes with a command.

    With an ``entryPoint`` and an empty ``command``, Docker starts the image's CMD no more, and others give it to the
    program as its arguments (Amazon ECS API Reference, ``ContainerDefinition``, entryPoint and command; AWS
    Containers Blog, "Demystifying ENTRYPOINT and CMD in Docker").
    """
    for task in planned.of("aws_ecs_task_definition"):
        for container in containers(task):
            if container.get("entryPoint") and not container.get("command"):
                yield (
                    task,
                    f"{container['name']} has entryPoint {container['entryPoint']} and no command; must have both, or "
                    "the program in command alone",
                )


def _is_essential(container: Mapping[str, Any]) -> bool:
    return bool(container.get("essential", True))


def _unmet(other: Mapping[str, Any] | None, condition: str) -> str:
    if other is None:
        return "is not in the task"
    if condition in ("COMPLETE", "SUCCESS") and _is_essential(other):
        return f"is essential; must not be for {condition}"
    if condition == "HEALTHY" and not other.get("healthCheck"):
        return "has no healthCheck; must have one for HEALTHY"
    return ""


def _circle(named: Mapping[str, Mapping[str, Any]]) -> list[str]:
    def walk(path: list[str]) -> list[str]:
        for dependency in named[path[-1]].get("dependsOn") or []:
            name = dependency["containerName"]
            if name in path:
                return [*path[path.index(name) :], name]
            if name in named and (found := walk([*path, name])):
                return found
        return []

    return next((found for name in named if (found := walk([name]))), [])


def container_parts(planned: Planned) -> Found:
    """Names, ports, variables and volumes of a task's containers fit together.

    Amazon ECS API Reference, ``ContainerDefinition`` (name: 255 letters, digits, - and _), ``PortMapping`` (with
    awsvpc the host's port is the container's), ``Secret`` (a name once among variables and secrets), ``MountPoint``
    (a volume of the task); Amazon ECS Developer Guide, "Task definition differences for Fargate" (of the limits
    nofile alone; of capabilities only SYS_PTRACE is added; never privileged).
    """
    for task in planned.of("aws_ecs_task_definition"):
        volumes = {volume["name"] for volume in task.blocks("volume")}
        defined = containers(task)
        ports = Counter(port["containerPort"] for each in defined for port in each.get("portMappings") or [])
        names = Counter(each["name"] for each in defined)
        for what, counted in (("port", ports), ("name", names)):
            for item, count in counted.items():
                if count > 1:
                    yield task, f"{count} containers have the {what} {item}; must be one"
        for container in defined:
            for message in _misfits(container, volumes):
                yield task, f"{container['name']} {message}"


def _misfits(container: Mapping[str, Any], volumes: set[str]) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", container["name"]):
        yield "has a name that ECS does not take; must be at most 255 letters, digits, - and _"
    for port in container.get("portMappings") or []:
        if port.get("hostPort") not in (None, 0, port["containerPort"]):
            yield f"maps port {port['hostPort']} to {port['containerPort']}; must be the same with awsvpc"
    given = [*(container.get("environment") or []), *(container.get("secrets") or [])]
    for name, count in Counter(item["name"] for item in given).items():
        if count > 1:
            yield f"has {name} {count} times among variables and secrets; must be once"
    unknown = {mount["sourceVolume"] for mount in container.get("mountPoints") or []} - volumes
    if unknown:
        yield f"mounts {', '.join(sorted(unknown))}; must be a volume of the task"
    yield from _beyond_fargate(container)


def _beyond_fargate(container: Mapping[str, Any]) -> Iterator[str]:
    limits = {limit["name"] for limit in container.get("ulimits") or []}
    if limits - {"nofile"}:
        yield f"has the limits {', '.join(sorted(limits))}; must be nofile alone on Fargate"
    added = ((container.get("linuxParameters") or {}).get("capabilities") or {}).get("add") or []
    if container.get("privileged") or set(added) - {"SYS_PTRACE"}:
        yield "is privileged or adds capabilities; must not on Fargate, SYS_PTRACE aside"


def execution_role(planned: Planned) -> Found:
    """The execution role may do what ECS does with it before a task starts: pull, read secrets, write the log.

    Amazon ECS Developer Guide, "Amazon ECS task execution IAM role". Judged by actions and resources alone; an image
    of ECR's, a secret and a parameter are of the role's own account here.
    """
    roles = planned.by("aws_iam_role", "arn")
    for task in planned.of("aws_ecs_task_definition"):
        role = roles.get(str(task.get("execution_role_arn")))
        if role is None:
            continue
        statements = statements_of(planned, role)
        for action, resource in dict.fromkeys(_needed(task, role)):
            if not allows(statements, action, resource):
                yield task, f"its execution role may not {action} {resource}; must be allowed"


def statements_of(planned: Planned, role: Resource) -> list[Mapping[str, Any]]:
    """The statements of a role's inline policies that allow something."""
    return [
        statement
        for policy in planned.of("aws_iam_role_policy")
        if policy.get("role") == role.get("name")
        for statement in document(policy.get("policy")).get("Statement", [])
        if statement["Effect"] == "Allow"
    ]


def allows(statements: list[Mapping[str, Any]], action: str, resource: str) -> bool:
    """Whether one of the statements allows an action on a resource, conditions aside."""
    return any(
        action in statement["Action"]
        and any(fnmatchcase(resource, pattern) for pattern in statement.get("Resource", ()))
        for statement in statements
    )


def _needed(task: Resource, role: Resource) -> Iterator[tuple[str, str]]:
    _, partition, _, _, account, _ = role.get("arn").split(":", 5)
    for container in containers(task):
        if match := ECR_IMAGE.match(container["image"]):
            name = container["image"][match.end() :].partition("@")[0].partition(":")[0]
            repository = f"arn:{partition}:ecr:{match[2]}:{match[1]}:repository/{name}"
            yield from (
                (f"ecr:{action}", repository) for action in ("BatchGetImage", "GetDownloadUrlForLayer")
            )
            yield "ecr:GetAuthorizationToken", "*"
        for secret in container.get("secrets") or []:
            arn = secret["valueFrom"]
            if ":secretsmanager:" in arn:
                yield "secretsmanager:GetSecretValue", ":".join(arn.split(":")[:7])
            else:
                yield "ssm:GetParameters", arn
        options = (container.get("logConfiguration") or {}).get("options", {})
        if "awslogs-group" in options:
            group = f"arn:{partition}:logs:{options['awslogs-region']}:{account}:log-group:{options['awslogs-group']}"
            yield "logs:PutLogEvents", f"{group}:log-stream:any"


RULES: tuple[Rule, ...] = (container_order, container_start, container_parts, execution_role)
