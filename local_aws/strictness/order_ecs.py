"""The order of things on ECS: what must be there first, and what may not go while something needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_aws.strictness.held import backend, cluster, name_of, service, services, task_definition
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"

_NOT_ASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
)


def _providers(strategy: object) -> set[str]:
    items: Any = strategy or []
    return {item["capacityProvider"] for item in items if item.get("capacityProvider")}


def _unassociated(request: Request) -> str | None:
    wanted = _providers(request.parameters.get("capacityProviderStrategy"))
    found = cluster(request)
    return _NOT_ASSOCIATED if found and wanted - set(found.capacity_providers or []) else None


def _default_unassociated(request: Request) -> str | None:
    wanted = _providers(request.parameters.get("defaultCapacityProviderStrategy"))
    return _NOT_ASSOCIATED if wanted - set(request.parameters.get("capacityProviders") or []) else None


def _provider_in_use(request: Request) -> str | None:
    found = cluster(request)
    if not found:
        return None
    removed = set(found.capacity_providers or []) - set(request.parameters.get("capacityProviders") or [])
    used = {
        provider
        for each in services(request, found.name)
        for provider in _providers(getattr(each, "capacity_provider_strategy", None))
    }
    return "The specified capacity provider is in use and cannot be removed." if removed & used else None


def _cluster_with_services(request: Request) -> str | None:
    found = cluster(request)
    if found and services(request, found.name):
        return "The Cluster cannot be deleted while Services are active."
    return None


def _cluster_with_tasks(request: Request) -> str | None:
    found = cluster(request)
    tasks = backend(request).tasks.get(found.name, {}) if found else {}
    if any(task.last_status != "STOPPED" for task in list(tasks.values())):
        return "The Cluster cannot be deleted while Tasks are active."
    return None


def _inactive_cluster(request: Request) -> str | None:
    named = name_of(request.parameters.get("cluster", "default"))
    found = backend(request).clusters.get(named)
    return "The referenced cluster was inactive." if found and found.status != "ACTIVE" else None


def _service_there(request: Request) -> str | None:
    found = service(request, request.parameters.get("serviceName"))
    return "Creation of service was not idempotent." if found and found.status == "ACTIVE" else None


def _service_gone(request: Request) -> str | None:
    found = service(request, request.parameters.get("service"))
    return "Service was not ACTIVE." if found and found.status != "ACTIVE" else None


def _task_definition_inactive(request: Request) -> str | None:
    named = request.parameters.get("taskDefinition")
    found = task_definition(request, named) if named else None
    return "TaskDefinition is inactive" if found and found.status != "ACTIVE" else None


def _role_gone(request: Request) -> str | None:
    """Only roles of the request's account and partition are looked up."""
    for member in ("taskRoleArn", "executionRoleArn"):
        arn = str(request.parameters.get(member) or "")
        parts = arn.split(":")
        if len(parts) < 6 or parts[4] != request.account:
            continue
        roles = backend(request, "iam").roles.values()
        if not any(role.arn == arn for role in list(roles)):
            return "Role is not valid"
    return None


def _target_group_without_load_balancer(request: Request) -> str | None:
    groups: Mapping[str, Any] = backend(request, "elbv2").target_groups
    for item in request.parameters.get("loadBalancers") or []:
        group = groups.get(item.get("targetGroupArn", ""))
        if group is not None and not _is_attached(request, group.arn):
            return (
                f"The target group with targetGroupArn {group.arn} does not have an associated load balancer."
            )
    return None


def _is_attached(request: Request, target_group: str) -> bool:
    return bool(backend(request, "elbv2")._any_listener_using(target_group))


RULES = (
    Rule(
        "unassociated_capacity_provider",
        ("ecs.CreateService", "ecs.UpdateService", "ecs.RunTask"),
        "A capacity provider strategy with a provider that is not associated with the cluster",
        "InvalidParameterException",
        f"{_API}/API_CreateService.html",
        _unassociated,
    ),
    Rule(
        "unassociated_default_capacity_provider",
        ("ecs.PutClusterCapacityProviders", "ecs.CreateCluster"),
        "A cluster's default strategy with a provider that the cluster does not get",
        "InvalidParameterException",
        f"{_API}/API_PutClusterCapacityProviders.html",
        _default_unassociated,
    ),
    Rule(
        "capacity_provider_in_use",
        ("ecs.PutClusterCapacityProviders",),
        "Capacity providers without one that an active service uses",
        "ResourceInUseException",
        f"{_API}/API_PutClusterCapacityProviders.html",
        _provider_in_use,
    ),
    Rule(
        "cluster_with_services",
        ("ecs.DeleteCluster",),
        "A cluster with active services",
        "ClusterContainsServicesException",
        f"{_API}/API_DeleteCluster.html",
        _cluster_with_services,
    ),
    Rule(
        "cluster_with_tasks",
        ("ecs.DeleteCluster",),
        "A cluster with tasks that have not stopped",
        "ClusterContainsTasksException",
        f"{_API}/API_DeleteCluster.html",
        _cluster_with_tasks,
    ),
    Rule(
        "inactive_cluster",
        ("ecs.CreateService", "ecs.RunTask"),
        "A cluster that was deleted",
        "InvalidParameterException",
        f"{_API}/API_CreateService.html",
        _inactive_cluster,
    ),
    Rule(
        "service_that_exists",
        ("ecs.CreateService",),
        "A service with the name of an active service of the cluster",
        "InvalidParameterException",
        f"{_API}/API_CreateService.html",
        _service_there,
    ),
    Rule(
        "service_that_is_gone",
        ("ecs.UpdateService",),
        "A service that was deleted",
        "ServiceNotActiveException",
        f"{_API}/API_UpdateService.html",
        _service_gone,
    ),
    Rule(
        "inactive_task_definition",
        ("ecs.CreateService", "ecs.UpdateService", "ecs.RunTask"),
        "A task definition that was deregistered",
        "ClientException",
        f"{_API}/API_DeregisterTaskDefinition.html",
        _task_definition_inactive,
    ),
    Rule(
        "role_that_is_gone",
        ("ecs.RegisterTaskDefinition",),
        "A task role or execution role of the account that does not exist",
        "ClientException",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting.html",
        _role_gone,
    ),
    Rule(
        "target_group_without_load_balancer",
        ("ecs.CreateService", "ecs.UpdateService"),
        "A target group that no listener forwards to",
        "InvalidParameterException",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html",
        _target_group_without_load_balancer,
    ),
)
