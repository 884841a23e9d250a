"""What still exists in an AWS account of the kinds of resource that the project makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import jmespath

Client = Callable[[str, str], Any]
"""Makes the boto3 client of a service in a region."""


class Kind(NamedTuple):
    """A kind of resource and how AWS lists it."""

    name: str
    service: str
    operation: str
    ids: str
    """JMESPath from the answer to the identifiers, AWS's own resources left out."""
    arguments: Mapping[str, Any] = {}


_REGIONAL = (
    Kind("vpc", "ec2", "describe_vpcs", "Vpcs[?!IsDefault].VpcId"),
    Kind("subnet", "ec2", "describe_subnets", "Subnets[?!DefaultForAz].SubnetId"),
    Kind("internet gateway", "ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    Kind("NAT gateway", "ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    Kind("elastic IP", "ec2", "describe_addresses", "Addresses[].AllocationId"),
    Kind("network interface", "ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    Kind("VPC endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    Kind("flow log", "ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    Kind(
        "security group", "ec2", "describe_security_groups", "SecurityGroups[?GroupName!='default'].GroupId"
    ),
    Kind("launch template", "ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateName"),
    Kind(
        "instance",
        "ec2",
        "describe_instances",
        "Reservations[].Instances[?State.Name!='terminated'].InstanceId[]",
    ),
    Kind("volume", "ec2", "describe_volumes", "Volumes[].VolumeId"),
    Kind(
        "autoscaling group",
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups[].AutoScalingGroupName",
    ),
    Kind("log group", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    Kind("alarm", "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    Kind("ECR repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
    Kind("secret", "secretsmanager", "list_secrets", "SecretList[].Name", {"IncludePlannedDeletion": True}),
    Kind(
        "scalable target",
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets[].ResourceId",
        {"ServiceNamespace": "ecs"},
    ),
    Kind(
        "scheduled action",
        "application-autoscaling",
        "describe_scheduled_actions",
        "ScheduledActions[].ScheduledActionName",
        {"ServiceNamespace": "ecs"},
    ),
    Kind("task definition", "ecs", "list_task_definitions", "taskDefinitionArns[]", {"status": "ACTIVE"}),
    Kind("database", "rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    Kind(
        "database snapshot",
        "rds",
        "describe_db_snapshots",
        "DBSnapshots[?SnapshotType!='automated'].DBSnapshotIdentifier",
    ),
    Kind("database subnet group", "rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName"),
    Kind(
        "database parameter group",
        "rds",
        "describe_db_parameter_groups",
        "DBParameterGroups[?!starts_with(DBParameterGroupName, 'default.')].DBParameterGroupName",
    ),
    Kind("load balancer", "elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerName"),
    Kind("target group", "elbv2", "describe_target_groups", "TargetGroups[].TargetGroupName"),
    Kind("file system", "efs", "describe_file_systems", "FileSystems[].FileSystemId"),
    Kind("access point", "efs", "describe_access_points", "AccessPoints[].AccessPointId"),
    Kind("broker", "mq", "list_brokers", "BrokerSummaries[].BrokerName"),
    Kind("namespace", "servicediscovery", "list_namespaces", "Namespaces[].Name"),
    Kind("discovery service", "servicediscovery", "list_services", "Services[].Name"),
    Kind("topic", "sns", "list_topics", "Topics[].TopicArn"),
    Kind("rule", "events", "list_rules", "Rules[].Name"),
)

_GLOBAL = (
    Kind("bucket", "s3", "list_buckets", "Buckets[].Name"),
    Kind("role", "iam", "list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName"),
    Kind("policy", "iam", "list_policies", "Policies[].PolicyName", {"Scope": "Local"}),
    Kind("instance profile", "iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    Kind("hosted zone", "route53", "list_hosted_zones", "HostedZones[].Name"),
)


def leftovers(client: Client, regions: Iterable[str]) -> list[str]:
    """List what exists, as sorted lines `<region> <kind> <id>`, `global` for what has no region.

    A default VPC and what belongs to it, default security groups and service-linked roles are AWS's own.

    Args:
        client: Makes the clients to ask.
        regions: The regions to look into; what is global is always looked at.
    """
    found: set[str] = set()
    # One client for each service: making one takes longer than asking it.
    asked = cache(client)
    for region in regions:
        for kind in _REGIONAL:
            found.update(f"{region} {kind.name} {name}" for name in _ids(asked(kind.service, region), kind))
        found.update(f"{region} {line}" for line in _ecs(asked("ecs", region)))
        for kind in _GLOBAL:
            found.update(f"global {kind.name} {name}" for name in _ids(asked(kind.service, region), kind))
        account = asked("sts", region).get_caller_identity()["Account"]
        budgets = Kind(
            "budget", "budgets", "describe_budgets", "Budgets[].BudgetName", {"AccountId": account}
        )
        found.update(f"global budget {name}" for name in _ids(asked("budgets", region), budgets))
    return sorted(found)


def _ids(client: Any, kind: Kind) -> list[str]:
    if client.can_paginate(kind.operation):
        pages = client.get_paginator(kind.operation).paginate(**kind.arguments)
    else:
        pages = [getattr(client, kind.operation)(**kind.arguments)]
    return [name for page in pages for name in jmespath.search(kind.ids, page) or []]


def _ecs(client: Any) -> list[str]:
    """Clusters, services and tasks that are not INACTIVE, which AWS still lists for a while when deleted."""
    lines: list[str] = []
    clusters = client.list_clusters()["clusterArns"]
    for cluster in client.describe_clusters(clusters=clusters)["clusters"] if clusters else []:
        if cluster["status"] == "INACTIVE":
            continue
        name = cluster["clusterName"]
        lines.append(f"cluster {name}")
        lines.extend(f"task {arn}" for arn in client.list_tasks(cluster=name)["taskArns"])
        for arn in client.list_services(cluster=name)["serviceArns"]:
            service = client.describe_services(cluster=name, services=[arn])["services"][0]
            if service["status"] != "INACTIVE":
                lines.append(f"service {name}/{service['serviceName']}")
    return lines
