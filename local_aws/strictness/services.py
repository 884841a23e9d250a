"""ECS services: their capacity, deployment, network and load balancers."""

from __future__ import annotations

import re
from typing import Any

from local_aws.strictness.held import security_groups, service, subnets, task_definition
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_CREATE = f"{_API}/API_CreateService.html"

MOST_SUBNETS, MOST_GROUPS = 16, 5
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def _definition(request: Request) -> Any | None:
    """The task definition that the service has after the request."""
    named = request.parameters.get("taskDefinition")
    if not named and request.operation == "UpdateService":
        held = service(request, request.parameters.get("service"))
        named = held.task_definition if held else None
    return task_definition(request, named) if named else None


def _name(request: Request) -> str | None:
    names = [request.parameters.get("serviceName"), request.parameters.get("clusterName")]
    if any(name is not None and not _NAME.fullmatch(name) for name in names):
        return "Invalid name: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed."
    return None


def _strategy(request: Request) -> list[Any]:
    return list(request.parameters.get("capacityProviderStrategy") or [])


def _both(request: Request) -> str | None:
    if _strategy(request) and request.parameters.get("launchType"):
        return "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
    return None


def _weightless(request: Request) -> str | None:
    items = _strategy(request)
    if items and not any(item.get("weight") for item in items):
        return (
            "There are no capacity providers in the capacity provider strategy with a weight value greater than zero. "
            "Specify a weight value greater than zero and try again."
        )
    return None


def _two_bases(request: Request) -> str | None:
    if sum(bool(item.get("base")) for item in _strategy(request)) > 1:
        return (
            "There are multiple capacity providers in the specified capacity provider strategy with a base value "
            "defined."
        )
    return None


def _percent(request: Request, key: str, default: int) -> int:
    """A percentage after the request: its own, else the service's, else AWS's default."""
    own = request.parameters.get("deploymentConfiguration") or {}
    held = (
        service(request, request.parameters.get("service")) if request.operation == "UpdateService" else None
    )
    kept = getattr(held, "deployment_configuration", None) or {}
    return int(own.get(key, kept.get(key, default)))


def _blocked(request: Request) -> str | None:
    if _percent(request, "maximumPercent", 200) == _percent(request, "minimumHealthyPercent", 100) == 100:
        return "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments"
    return None


def _rebalancing(request: Request) -> str | None:
    """AWS's default is ENABLED where the service can have it, so only what is said counts."""
    said = request.parameters.get("availabilityZoneRebalancing")
    if said == "ENABLED" and _percent(request, "maximumPercent", 200) <= 100:
        return "AvailabilityZoneRebalancing does not support maximumPercent <= 100"
    return None


def _no_network(request: Request) -> str | None:
    definition = _definition(request)
    if definition is None or definition.network_mode != "awsvpc":
        return None
    if (request.parameters.get("networkConfiguration") or {}).get("awsvpcConfiguration"):
        return None
    return "Network Configuration must be provided when networkMode 'awsvpc' is specified."


def _network(request: Request) -> dict[str, Any]:
    return (request.parameters.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}


def _large_network(request: Request) -> str | None:
    for member, most in (("subnets", MOST_SUBNETS), ("securityGroups", MOST_GROUPS)):
        if len(_network(request).get(member) or []) > most:
            return f"{member} can have at most {most} items."
    return None


def _group_elsewhere(request: Request) -> str | None:
    vpcs = {subnet.vpc_id for subnet in subnets(request, _network(request).get("subnets") or [])}
    for group in security_groups(request, _network(request).get("securityGroups") or []):
        if vpcs and group.vpc_id not in vpcs:
            return (
                f"Security group {group.id} does not appear to belong to the same VPC as the input subnets."
            )
    return None


def _balanced_container(request: Request) -> str | None:
    definition = _definition(request)
    if definition is None:
        return None
    ports = {
        each["name"]: {mapping.get("containerPort") for mapping in each.get("portMappings") or []}
        for each in definition.container_definitions
    }
    for item in request.parameters.get("loadBalancers") or []:
        name, port = item.get("containerName"), item.get("containerPort")
        if name not in ports:
            return f"The container {name} does not exist in the task definition."
        if port not in ports[name]:
            return f"The container {name} did not have a container port {port} defined."
    return None


def _grace(request: Request) -> str | None:
    balancers = request.parameters.get("loadBalancers")
    if balancers is None and request.operation == "UpdateService":
        held = service(request, request.parameters.get("service"))
        balancers = held.load_balancers if held else None
    if request.parameters.get("healthCheckGracePeriodSeconds") and not balancers:
        return "Health check grace period is only valid for services configured to use load balancers"
    return None


def _exec(request: Request) -> str | None:
    definition = _definition(request)
    if not request.parameters.get("enableExecuteCommand") or definition is None:
        return None
    if getattr(definition, "task_role_arn", None):
        return None
    done = {"CreateService": "service couldn't be created", "UpdateService": "service couldn't be updated"}
    return (
        f"The {done.get(request.operation, 'task could not be run')} because a valid taskRoleArn is not being used. "
        "Specify a valid task role in your task definition and try again."
    )


_BOTH = ("ecs.CreateService", "ecs.UpdateService")
_ALL = (*_BOTH, "ecs.RunTask")


def _rule(name: str, operations: tuple[str, ...], condition: str, refuses: Any, page: str = _CREATE) -> Rule:
    return Rule(name, operations, condition, "InvalidParameterException", page, refuses)


RULES = (
    _rule(
        "service_name",
        ("ecs.CreateService", "ecs.CreateCluster"),
        "A service's or cluster's name with other characters than letters, digits, - and _",
        _name,
    ),
    _rule("launch_type_and_strategy", _ALL, "A launch type beside a capacity provider strategy", _both),
    _rule(
        "strategy_without_weight",
        _ALL,
        "A capacity provider strategy without a weight",
        _weightless,
        f"{_API}/API_CapacityProviderStrategyItem.html",
    ),
    _rule(
        "strategy_with_two_bases",
        _ALL,
        "A capacity provider strategy with two bases",
        _two_bases,
        f"{_API}/API_CapacityProviderStrategyItem.html",
    ),
    _rule(
        "deployment_that_is_blocked",
        _BOTH,
        "A minimum and a maximum of 100 % of the tasks",
        _blocked,
        f"{_API}/API_DeploymentConfiguration.html",
    ),
    _rule(
        "rebalancing_without_room",
        _BOTH,
        "Rebalancing between zones with a maximum of 100 % of the tasks or less",
        _rebalancing,
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html",
    ),
    _rule(
        "service_without_network",
        ("ecs.CreateService", "ecs.RunTask"),
        "Tasks with awsvpc without a network configuration",
        _no_network,
    ),
    _rule(
        "large_network",
        _ALL,
        f"More than {MOST_SUBNETS} subnets or {MOST_GROUPS} security groups",
        _large_network,
        f"{_API}/API_AwsVpcConfiguration.html",
    ),
    _rule(
        "security_group_of_another_vpc",
        _ALL,
        "A security group of another VPC than the subnets'",
        _group_elsewhere,
        f"{_API}/API_AwsVpcConfiguration.html",
    ),
    _rule(
        "load_balanced_container",
        _BOTH,
        "A load balancer for a container or a port that is not in the task definition",
        _balanced_container,
        f"{_API}/API_LoadBalancer.html",
    ),
    _rule(
        "grace_without_load_balancer",
        _BOTH,
        "A health check grace period without a load balancer",
        _grace,
    ),
    _rule(
        "exec_without_task_role",
        _ALL,
        "ECS Exec for tasks without a task role",
        _exec,
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html",
    ),
)
