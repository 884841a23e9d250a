"""Examples of the rules about ECS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import (
    balancer,
    cluster,
    forwarding,
    network,
    running,
    service,
    subnet,
    target_group,
)


def created(text: str, **changes: Any) -> Example:
    """A service that ECS refuses."""
    return Example("ecs", "create_service", lambda made: made, text, lambda aws: service(aws, **changes))


def _unassociated(aws: InProcess) -> dict[str, Any]:
    arguments = service(aws)
    aws.client("ecs").put_cluster_capacity_providers(
        cluster="workers", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )
    return arguments


def _inactive_definition(aws: InProcess) -> dict[str, Any]:
    arguments = service(aws)
    aws.client("ecs").deregister_task_definition(taskDefinition="leaf:1")
    return arguments


def _inactive_cluster(aws: InProcess) -> dict[str, Any]:
    arguments = service(aws, capacityProviderStrategy=[], launchType="FARGATE")
    aws.client("ecs").delete_cluster(cluster="workers")
    return arguments


def _gone(aws: InProcess) -> None:
    running(aws, desiredCount=0)
    aws.client("ecs").delete_service(cluster="workers", service="leaf")


def _there(aws: InProcess) -> dict[str, Any]:
    arguments = service(aws)
    aws.client("ecs").create_service(**arguments)
    return arguments


def _with_task(aws: InProcess) -> str:
    net = network(aws)
    # Moto's task wants a host name.
    aws.client("ec2").modify_vpc_attribute(VpcId=net.vpc, EnableDnsHostnames={"Value": True})
    arguments = service(aws, net)
    aws.client("ecs").run_task(
        cluster="workers",
        taskDefinition="leaf:1",
        launchType="FARGATE",
        networkConfiguration=arguments["networkConfiguration"],
    )
    return "workers"


def _balanced(aws: InProcess, **changes: Any) -> dict[str, Any]:
    net = network(aws, gateway=True)
    group, arn = target_group(aws, net.vpc), balancer(aws, net)
    aws.client("elbv2").create_listener(
        LoadBalancerArn=arn, Port=80, Protocol="HTTP", DefaultActions=forwarding(group)
    )
    balanced = {"targetGroupArn": group, "containerName": "worker", "containerPort": 80, **changes}
    return service(aws, net, loadBalancers=[balanced])


def _lonely_target_group(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    group = target_group(aws, net.vpc)
    balanced = {"targetGroupArn": group, "containerName": "worker", "containerPort": 80}
    return service(aws, net, loadBalancers=[balanced])


def _foreign_group(aws: InProcess) -> dict[str, Any]:
    net, other = network(aws), network(aws, "10.1")
    return service(aws, net._replace(group=other.group))


def _zone_without_fargate(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    zones = aws.client("ec2").describe_availability_zones()["AvailabilityZones"]
    (zone,) = (each["ZoneName"] for each in zones if each["ZoneId"] == "use1-az3")
    lost = subnet(aws, net.vpc, "10.0.7.0/24", zone[-1])
    return service(aws, net._replace(subnets=[*net.subnets, lost]))


ECS_EXAMPLES: Mapping[str, Example] = {
    "unassociated_capacity_provider": Example(
        "ecs", "create_service", lambda made: made, "is not associated with the cluster", _unassociated
    ),
    "unassociated_default_capacity_provider": Example(
        "ecs",
        "put_cluster_capacity_providers",
        {
            "cluster": "workers",
            "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        },
        "is not associated with the cluster",
        cluster,
    ),
    "capacity_provider_in_use": Example(
        "ecs",
        "put_cluster_capacity_providers",
        {"cluster": "workers", "capacityProviders": [], "defaultCapacityProviderStrategy": []},
        "The specified capacity provider is in use and cannot be removed.",
        running,
    ),
    "cluster_with_services": Example(
        "ecs",
        "delete_cluster",
        {"cluster": "workers"},
        "The Cluster cannot be deleted while Services are active.",
        running,
    ),
    "cluster_with_tasks": Example(
        "ecs",
        "delete_cluster",
        {"cluster": "workers"},
        "The Cluster cannot be deleted while Tasks are active.",
        _with_task,
    ),
    "inactive_cluster": Example(
        "ecs", "create_service", lambda made: made, "The referenced cluster was inactive.", _inactive_cluster
    ),
    "service_that_exists": Example(
        "ecs", "create_service", lambda made: made, "Creation of service was not idempotent.", _there
    ),
    "service_that_is_gone": Example(
        "ecs",
        "update_service",
        {"cluster": "workers", "service": "leaf", "desiredCount": 1},
        "Service was not ACTIVE.",
        _gone,
    ),
    "inactive_task_definition": Example(
        "ecs", "create_service", lambda made: made, "TaskDefinition is inactive", _inactive_definition
    ),
    "target_group_without_load_balancer": Example(
        "ecs",
        "create_service",
        lambda made: made,
        "does not have an associated load balancer",
        _lonely_target_group,
    ),
    "overlapping_capacity_providers": Example(
        "ecs",
        "put_cluster_capacity_providers",
        {"cluster": "workers", "capacityProviders": [], "defaultCapacityProviderStrategy": []},
        "The specified cluster is in a busy state.",
        cluster,
        (("ecs", "put_cluster_capacity_providers", {"cluster": "workers"}),),
    ),
    "zone_without_fargate": Example(
        "ecs", "create_service", lambda made: made, "use1-az3", _zone_without_fargate
    ),
    "service_name": created("letters (uppercase and lowercase), numbers", serviceName="a.b"),
    "launch_type_and_strategy": created("both a launch type and capacity provider", launchType="FARGATE"),
    "strategy_without_weight": created(
        "with a weight value greater than zero",
        capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 0}],
    ),
    "strategy_with_two_bases": created(
        "with a base value defined",
        capacityProviderStrategy=[
            {"capacityProvider": name, "weight": 1, "base": 1} for name in ("FARGATE", "FARGATE_SPOT")
        ],
    ),
    "deployment_that_is_blocked": created(
        "cannot be 100 as this will block deployments",
        deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 100},
    ),
    "rebalancing_without_room": created(
        "AvailabilityZoneRebalancing does not support maximumPercent <= 100",
        availabilityZoneRebalancing="ENABLED",
        deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 0},
    ),
    "service_without_network": Example(
        "ecs",
        "create_service",
        lambda made: {name: value for name, value in made.items() if name != "networkConfiguration"},
        "Network Configuration must be provided",
        service,
    ),
    "large_network": Example(
        "ecs",
        "create_service",
        lambda made: {
            **made,
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": made["networkConfiguration"]["awsvpcConfiguration"]["subnets"],
                    "securityGroups": made["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
                    * 6,
                }
            },
        },
        "securityGroups can have at most 5 items.",
        service,
    ),
    "security_group_of_another_vpc": Example(
        "ecs",
        "create_service",
        lambda made: made,
        "does not appear to belong to the same VPC",
        _foreign_group,
    ),
    "load_balanced_container": Example(
        "ecs",
        "create_service",
        lambda made: made,
        "The container worker did not have a container port 81 defined.",
        lambda aws: _balanced(aws, containerPort=81),
    ),
    "grace_without_load_balancer": created(
        "Health check grace period is only valid", healthCheckGracePeriodSeconds=60
    ),
    "exec_without_task_role": created(
        "The service couldn't be created because a valid taskRoleArn is not being used",
        enableExecuteCommand=True,
    ),
}
