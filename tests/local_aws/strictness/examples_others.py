"""Examples of the rules about the order of things of other services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import (
    ACCOUNT,
    POLICY,
    Network,
    network,
    refused,
    role,
    service,
)

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"


def _attached(aws: InProcess) -> str:
    role(aws)
    arn: str = aws.client("iam").create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    aws.client("iam").attach_role_policy(RoleName="task", PolicyArn=arn)
    return arn


def _inline(aws: InProcess) -> None:
    role(aws)
    aws.client("iam").put_role_policy(RoleName="task", PolicyName="p", PolicyDocument=POLICY)


def _profile(aws: InProcess) -> None:
    role(aws)
    aws.client("iam").create_instance_profile(InstanceProfileName="nat")
    aws.client("iam").add_role_to_instance_profile(InstanceProfileName="nat", RoleName="task")


def _namespace(aws: InProcess) -> dict[str, Any]:
    client = aws.client("servicediscovery")
    vpc = network(aws).vpc
    client.create_private_dns_namespace(Name="hatchet.internal", Vpc=vpc)
    name = client.list_namespaces()["Namespaces"][0]["Id"]
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    made = client.create_service(Name="engine", NamespaceId=name, DnsConfig=records)["Service"]
    return {"namespace": name, "service": made["Id"], "arn": made["Arn"], "records": records}


def _registered(aws: InProcess) -> dict[str, Any]:
    made = _namespace(aws)
    net = _network_of(aws)
    arguments = service(aws, net, desiredCount=1, serviceRegistries=[{"registryArn": made["arn"]}])
    aws.client("ecs").create_service(**arguments)
    return made


def _network_of(aws: InProcess) -> Network:
    return network(aws, "10.1")


def _zone(aws: InProcess) -> dict[str, Any]:
    client = aws.client("route53")
    zone = client.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
    record = {"Name": "a.example.org", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    return {"Id": zone}


def _group(aws: InProcess, **changes: Any) -> dict[str, Any]:
    net = network(aws)
    image = aws.client("ec2").describe_images()["Images"][0]["ImageId"]
    aws.client("ec2").create_launch_template(
        LaunchTemplateName="nat", LaunchTemplateData={"ImageId": image, "InstanceType": "t4g.nano"}
    )
    return {
        "AutoScalingGroupName": "nat",
        "MinSize": 1,
        "MaxSize": 1,
        "LaunchTemplate": {"LaunchTemplateName": "nat"},
        "VPCZoneIdentifier": net.subnets[0],
        **changes,
    }


def _group_there(aws: InProcess) -> dict[str, Any]:
    arguments = _group(aws)
    aws.client("autoscaling").create_auto_scaling_group(**arguments)
    return arguments


def _scheduled_secret(aws: InProcess) -> None:
    client = aws.client("secretsmanager")
    client.create_secret(Name="token", SecretString="x")
    client.delete_secret(SecretId="token")


ROLE = {"RoleName": "task"}
OTHER_EXAMPLES: Mapping[str, Example] = {
    "namespace_with_services": refused(
        "servicediscovery",
        "delete_namespace",
        "Namespace has associated services",
        lambda made: {"Id": made["namespace"]},
        _namespace,
    ),
    "discovery_service_with_instances": refused(
        "servicediscovery",
        "delete_service",
        "Service contains registered instances",
        lambda made: {"Id": made["service"]},
        _registered,
    ),
    "discovery_service_that_exists": refused(
        "servicediscovery",
        "create_service",
        "Service already exists.",
        lambda made: {"Name": "engine", "NamespaceId": made["namespace"], "DnsConfig": made["records"]},
        _namespace,
    ),
    "role_with_inline_policies": refused("iam", "delete_role", "must delete policies first", ROLE, _inline),
    "role_with_attached_policies": refused(
        "iam", "delete_role", "must detach all policies first", ROLE, _attached
    ),
    "role_of_an_instance_profile": refused(
        "iam", "delete_role", "must remove roles from instance profile first", ROLE, _profile
    ),
    "attached_policy": refused(
        "iam",
        "delete_policy",
        "Cannot delete a policy attached to entities.",
        lambda arn: {"PolicyArn": arn},
        _attached,
    ),
    "instance_profile_with_a_role": refused(
        "iam",
        "delete_instance_profile",
        "must remove roles from instance profile first",
        {"InstanceProfileName": "nat"},
        _profile,
    ),
    "zone_with_records": refused(
        "route53",
        "delete_hosted_zone",
        "contains non-required resource record sets",
        lambda made: made,
        _zone,
    ),
    "autoscaling_group_with_instances": refused(
        "autoscaling",
        "delete_auto_scaling_group",
        "You cannot delete an AutoScalingGroup while there are instances",
        {"AutoScalingGroupName": "nat"},
        _group_there,
    ),
    "autoscaling_group_that_exists": refused(
        "autoscaling",
        "create_auto_scaling_group",
        "AutoScalingGroup by this name already exists",
        lambda made: made,
        _group_there,
    ),
    "bounds_of_an_autoscaling_group": refused(
        "autoscaling",
        "create_auto_scaling_group",
        "Max bound, 1, must be greater than or equal to min bound, 2",
        lambda made: made,
        lambda aws: _group(aws, MinSize=2),
    ),
    "lifetime_of_instances": refused(
        "autoscaling",
        "create_auto_scaling_group",
        "Valid MaxInstanceLifetime values are between 86400 and 31536000 seconds.",
        lambda made: made,
        lambda aws: _group(aws, MaxInstanceLifetime=3600),
    ),
    "topic_that_is_gone": refused(
        "sns",
        "set_topic_attributes",
        "Topic does not exist",
        {"TopicArn": TOPIC, "AttributeName": "DisplayName", "AttributeValue": "x"},
    ),
    "subscription_without_address": refused(
        "sns",
        "subscribe",
        "Invalid parameter: Email address",
        {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "nobody"},
        lambda aws: aws.client("sns").create_topic(Name="alarms"),
    ),
    "event_rule_that_is_gone": refused(
        "events",
        "put_targets",
        "Rule daily does not exist on EventBus default.",
        {"Rule": "daily", "Targets": [{"Id": "t", "Arn": TOPIC}]},
    ),
    "secret_scheduled_for_deletion": refused(
        "secretsmanager",
        "create_secret",
        "already scheduled for deletion",
        {"Name": "token", "SecretString": "x"},
        _scheduled_secret,
    ),
}
