"""Tasks, services and their scaling on Fargate."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from modules.common.fargate import MEMORY_GIB
from modules.worker_fleet.schedules import is_schedule
from ops.review.aws_rules.planned import Found, Planned, Resource, Rule, document

ECR_IMAGE = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")
"""The beginning of an image in ECR: account and region."""

HEALTH_CHECK = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}


def containers(task: Resource) -> list[Mapping[str, Any]]:
    """The containers of a task definition; none where they are not known yet."""
    return list(document(task.get("container_definitions")) or [])


def fargate_sizes(planned: Planned) -> Found:
    """A task has a pair of vCPU and memory that Fargate has, and 21 to 200 GiB of disk.

    Amazon ECS Developer Guide, "Troubleshoot Amazon ECS task definition invalid CPU or memory errors" and "Fargate
    task ephemeral storage for Amazon ECS".
    """
    for task in planned.of("aws_ecs_task_definition"):
        cpu, memory = task.get("cpu"), task.get("memory")
        if cpu is not None and memory is not None:
            sizes = MEMORY_GIB.get(int(cpu) / 1024, ())
            if int(memory) / 1024 not in sizes:
                yield task, f"cpu {cpu} with memory {memory}; must be a pair that Fargate has"
        for disk in task.blocks("ephemeral_storage"):
            if not 21 <= disk.get("size_in_gib", 21) <= 200:
                yield task, f"ephemeral_storage is {disk['size_in_gib']} GiB; must be 21 to 200"


def fargate_network(planned: Planned) -> Found:
    """A task on Fargate has a network interface of its own.

    Amazon ECS Developer Guide, "Amazon ECS task definition differences for Fargate" (``networkMode`` awsvpc).
    """
    for task in planned.of("aws_ecs_task_definition"):
        if task.get("network_mode") != "awsvpc":
            yield task, f"network_mode is {task.get('network_mode')}; must be awsvpc"


def task_definition_size(planned: Planned) -> Found:
    """A task definition has at most 64 KiB.

    Amazon ECS Developer Guide, "Amazon ECS service quotas" (Task definition size limit). Measured are the
    containers, which are all but some hundred bytes of it.
    """
    for task in planned.of("aws_ecs_task_definition"):
        size = len(json.dumps(containers(task)).encode()) + 2048
        if size > 64 * 1024:
            yield task, f"the task definition has about {size} bytes; must have at most 65536"


def container_times(planned: Planned) -> Found:
    """A container stops within 120 seconds, and its health check keeps ECS's limits.

    Amazon ECS API Reference, ``ContainerDefinition`` (stopTimeout) and ``HealthCheck``.
    """
    for task in planned.of("aws_ecs_task_definition"):
        for container in containers(task):
            stop = container.get("stopTimeout")
            if stop is not None and not 0 < stop <= 120:
                yield task, f"stopTimeout is {stop}; must be at most 120"
            check = container.get("healthCheck") or {}
            for key, (least, most) in HEALTH_CHECK.items():
                if key in check and not least <= check[key] <= most:
                    yield task, f"healthCheck.{key} is {check[key]}; must be {least} to {most}"


def exec_needs_to_write(planned: Planned) -> Found:
    """ECS Exec opens no shell where the root file system is read-only.

    Amazon ECS Developer Guide, "Monitor Amazon ECS containers with ECS Exec" (considerations).
    """
    tasks = planned.by("aws_ecs_task_definition", "arn")
    for service in planned.of("aws_ecs_service"):
        task = tasks.get(str(service.get("task_definition")))
        closed = task and any(container.get("readonlyRootFilesystem") for container in containers(task))
        if service.get("enable_execute_command") and closed:
            yield service, "enable_execute_command is on, but readonlyRootFilesystem too; must be one of them"


def capacity_strategy(planned: Planned) -> Found:
    """A capacity provider strategy has a weight, one base, and ECS's limits.

    Amazon ECS API Reference, ``CapacityProviderStrategyItem``: weights of 0 to 1,000, not all 0; a base of 0 to
    100,000, for one provider only.
    """
    for service in planned.of("aws_ecs_service"):
        items = service.blocks("capacity_provider_strategy")
        weights = [item.get("weight") or 0 for item in items]
        bases = [item.get("base") or 0 for item in items]
        if items and not any(weights):
            yield service, "all weights are 0; must have one"
        if any(not 0 <= weight <= 1000 for weight in weights):
            yield service, f"weights are {weights}; must be 0 to 1000"
        if sum(base > 0 for base in bases) > 1 or any(not 0 <= base <= 100_000 for base in bases):
            yield service, f"bases are {bases}; must be 0 to 100000, and of one provider only"


def rollout(planned: Planned) -> Found:
    """A rollout has room to stop or to start tasks, and moves none between zones without room for more.

    Amazon ECS API Reference, ``DeploymentConfiguration``; Amazon ECS Developer Guide, "Balancing an Amazon ECS
    service across Availability Zones" (a maximum over 100 %).
    """
    for service in planned.of("aws_ecs_service"):
        least = service.get("deployment_minimum_healthy_percent")
        most = service.get("deployment_maximum_percent")
        if least is None or most is None:
            continue
        if least >= 100 and most <= 100:
            yield service, f"a rollout keeps {least} % and starts at most {most} %; must leave room"
        if service.get("availability_zone_rebalancing") == "ENABLED" and most <= 100:
            yield service, f"rebalances zones with a maximum of {most} %; must be more than 100"


def scaling_bounds(planned: Planned) -> Found:
    """A service has 0 to 5,000 tasks, the minimum not over the maximum.

    Amazon ECS Developer Guide, "Amazon ECS service quotas" (Tasks per service); Application Auto Scaling API
    Reference, ``RegisterScalableTarget``, ``ScalableTargetAction``.
    """
    targets = [(target, target.values) for target in planned.of("aws_appautoscaling_target")]
    actions = [
        (action, bounds)
        for action in planned.of("aws_appautoscaling_scheduled_action")
        for bounds in action.blocks("scalable_target_action")
    ]
    for resource, values in targets + actions:
        least, most = (values.get(f"{end}_capacity") for end in ("min", "max"))
        if least is None or most is None:
            continue
        if not 0 <= int(least) <= int(most) <= 5000:
            yield (
                resource,
                f"capacity is {least} to {most}; must be 0 to 5000, the minimum not over the maximum",
            )


def schedules(planned: Planned) -> Found:
    """A scheduled action has an expression and a time zone that Application Auto Scaling reads.

    Application Auto Scaling API Reference, ``PutScheduledAction`` (Schedule, Timezone).
    """
    for action in planned.of("aws_appautoscaling_scheduled_action"):
        schedule, zone = action.get("schedule"), action.get("timezone")
        if schedule is not None and not is_schedule(schedule):
            yield action, f"schedule is {schedule!r}; must be at(...), rate(...) or cron(...) with six fields"
        if zone is not None and zone not in available_timezones():
            yield action, f"timezone is {zone!r}; must be an IANA time zone"


RULES: tuple[Rule, ...] = (
    fargate_sizes,
    fargate_network,
    task_definition_size,
    container_times,
    exec_needs_to_write,
    capacity_strategy,
    rollout,
    scaling_bounds,
    schedules,
)
