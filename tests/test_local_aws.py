"""The local AWS: how it starts, stops and isolates, and each correction of moto by its AWS API."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from local_aws import ACCOUNT_ID, LocalAws, LocalAwsError

TAGS = {"project": "every"}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws.start() as aws:
        yield aws


@pytest.fixture
def empty(aws: LocalAws) -> LocalAws:
    aws.reset()
    return aws


def test_it_is_gone_when_its_parent_is_killed() -> None:
    program = (
        "import sys\nfrom local_aws import LocalAws\n"
        "with LocalAws.start() as aws:\n    print(aws.endpoint_url, flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        endpoint = parent.stdout.readline().strip()
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
        child.wait(timeout=10)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(endpoint, timeout=5)


def test_it_is_gone_after_its_block_and_two_share_nothing() -> None:
    with LocalAws.start() as one, LocalAws.start(region="eu-west-1") as other:
        one.client("s3").create_bucket(Bucket="only-in-one")
        assert one.leftovers() == ["global bucket only-in-one"]
        assert other.leftovers() == []
        assert other.client("ec2").meta.region_name == "eu-west-1"
    for aws in (one, other):
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(aws.endpoint_url, timeout=5)


def test_a_start_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(LocalAwsError, match=r"^the local AWS did not start: .*$"), LocalAws.start():
        pass


def test_no_setting_of_the_user_leads_elsewhere(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN"):
        monkeypatch.setenv(name, "the-users-own")
    assert "the-users-own" not in aws.environment.values()
    assert aws.environment["PATH"] == os.environ["PATH"]
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    said = subprocess.run(
        [sys.executable, "-c", program], env=aws.environment, capture_output=True, text=True
    )
    assert said.stdout.strip() == ACCOUNT_ID, said.stderr
    assert aws.client("sts", "eu-west-1").get_caller_identity()["Account"] == ACCOUNT_ID


def test_requests_are_in_the_log_and_nowhere_else(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with LocalAws.start(log=tmp_path / "requests.log") as aws:
        aws.client("sts").get_caller_identity()
    assert "POST /" in (tmp_path / "requests.log").read_text()
    assert capfd.readouterr() == ("", "")


def test_reset_empties_it(empty: LocalAws) -> None:
    aws = empty
    aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert [line.split()[:2] for line in aws.leftovers()] == [["us-east-1", "vpc"]]
    aws.reset()
    assert aws.leftovers("us-east-1", "eu-west-1") == []


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("budgets", "describe_budget_performance_history", {"AccountId": ACCOUNT_ID, "BudgetName": "none"}),
        ("autoscaling", "describe_account_limits", {}),
        ("ec2", "describe_id_format", {}),
    ],
)
def test_an_action_that_moto_lacks_is_refused_at_once(
    aws: LocalAws, service: str, operation: str, arguments: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match=operation) as refused:
        getattr(aws.client(service), operation)(**arguments)
    metadata = refused.value.response["ResponseMetadata"]
    assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (501, 0)


def fargate_service(aws: LocalAws) -> dict[str, Any]:
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="workers")
    ecs.register_task_definition(
        family="leaf", containerDefinitions=[{"name": "worker", "image": "x", "memory": 512}]
    )
    ecs.create_service(
        cluster="workers",
        serviceName="leaf",
        taskDefinition="leaf",
        desiredCount=0,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}],
        deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 0},
        availabilityZoneRebalancing="DISABLED",
        enableECSManagedTags=True,
    )
    service: dict[str, Any] = ecs.describe_services(cluster="workers", services=["leaf"])["services"][0]
    return service


def test_ecs_keeps_the_settings_of_a_service(aws: LocalAws) -> None:
    service = fargate_service(aws)
    assert service["capacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}
    ]
    assert "launchType" not in service
    assert service["deploymentConfiguration"] == {"maximumPercent": 100, "minimumHealthyPercent": 0}
    assert service["availabilityZoneRebalancing"] == "DISABLED"
    assert service["enableECSManagedTags"] is True


def test_ecs_keeps_an_updated_capacity_strategy(aws: LocalAws) -> None:
    fargate_service(aws)
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 2}]
    ecs = aws.client("ecs")
    ecs.update_service(cluster="workers", service="leaf", capacityProviderStrategy=strategy)
    described = ecs.describe_services(cluster="workers", services=["leaf"])["services"][0]
    assert described["capacityProviderStrategy"] == strategy


def test_application_auto_scaling_keeps_tags(aws: LocalAws) -> None:
    fargate_service(aws)
    scaling = aws.client("application-autoscaling")
    arn = scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/workers/leaf",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=0,
        MaxCapacity=5,
        Tags=TAGS,
    )["ScalableTargetARN"]
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == TAGS
    scaling.tag_resource(ResourceARN=arn, Tags={"a": "b"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["project"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b"}


def test_budgets_keep_tags(aws: LocalAws) -> None:
    budgets = aws.client("budgets")
    budget = {
        "BudgetName": "month",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "100", "Unit": "USD"},
    }
    tags = [{"Key": "project", "Value": "every"}]
    arn = f"arn:aws:budgets::{ACCOUNT_ID}:budget/month"
    budgets.create_budget(AccountId=ACCOUNT_ID, Budget=budget, ResourceTags=tags)
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "a", "Value": "b"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["project"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "a", "Value": "b"}]
    budgets.delete_budget(AccountId=ACCOUNT_ID, BudgetName="month")
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == []


def private_network(aws: LocalAws) -> tuple[str, str]:
    """A VPC and a subnet in the first AZ of us-east-1."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZone="us-east-1a")
    return vpc, subnet["Subnet"]["SubnetId"]


def test_security_group_rules_keep_their_descriptions(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc, _ = private_network(aws)
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    prefix_list = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    peers: list[dict[str, Any]] = [
        {"UserIdGroupPairs": [{"GroupId": group, "Description": "HTTPS"}]},
        {"PrefixListIds": [{"PrefixListId": prefix_list, "Description": "HTTPS"}]},
        {"IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "HTTPS"}]},
    ]
    for peer in peers:
        rules = ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **peer}]
        )["SecurityGroupRules"]
        assert [rule["Description"] for rule in rules] == ["HTTPS"]


def test_a_launch_templates_tags_are_not_in_its_data(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    of_instances = {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}
    ec2.create_launch_template(
        LaunchTemplateName="tagged",
        LaunchTemplateData={"TagSpecifications": [of_instances]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "c", "Value": "d"}]}],
    )
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["TagSpecifications"] == [of_instances]
    (template,) = ec2.describe_launch_templates(LaunchTemplateNames=["tagged"])["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "c", "Value": "d"}]


def test_an_autoscaling_group_launches_with_the_templates_interface_and_gives_it_back(
    empty: LocalAws,
) -> None:
    aws = empty
    ec2, scaling = aws.client("ec2"), aws.client("autoscaling")
    _, subnet = private_network(aws)
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    template = {
        "ImageId": "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        "InstanceType": "t4g.nano",
        "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": interface}],
    }
    ec2.create_launch_template(LaunchTemplateName="nat", LaunchTemplateData=template)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="nat",
        LaunchTemplate={"LaunchTemplateName": "nat"},
        AvailabilityZones=["us-east-1a"],
        MinSize=1,
        MaxSize=1,
    )
    (instance,) = ec2.describe_instances()["Reservations"][0]["Instances"]
    assert [nic["NetworkInterfaceId"] for nic in instance["NetworkInterfaces"]] == [interface]

    changed = {"UserData": base64.b64encode(b"#!/bin/sh").decode()}
    ec2.create_launch_template_version(
        LaunchTemplateName="nat", SourceVersion="1", LaunchTemplateData=template | changed
    )
    ec2.modify_launch_template(LaunchTemplateName="nat", DefaultVersion="2")
    assert scaling.start_instance_refresh(AutoScalingGroupName="nat")["InstanceRefreshId"]
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    (refreshed,) = ec2.describe_instances(Filters=running)["Reservations"][0]["Instances"]
    assert refreshed["InstanceId"] != instance["InstanceId"]
    assert [nic["NetworkInterfaceId"] for nic in refreshed["NetworkInterfaces"]] == [interface]

    scaling.delete_auto_scaling_group(AutoScalingGroupName="nat", ForceDelete=True)
    (left,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (left["NetworkInterfaceId"], left["Status"]) == (interface, "available")
    assert "Attachment" not in left


def test_a_nat_gateways_interface_goes_with_it(empty: LocalAws) -> None:
    aws = empty
    ec2 = aws.client("ec2")
    _, subnet = private_network(aws)
    gateway = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"][
        "NatGatewayId"
    ]
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
