"""The local AWS as a self-hosted engine's stacks find it: who hears of a budget, what a namespace takes along."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local_aws import ACCOUNT_ID, LocalAws


@pytest.fixture(autouse=True)
def nothing_is_there(aws: LocalAws) -> None:
    aws.reset()


def test_a_budgets_subscribers_are_told(aws: LocalAws) -> None:
    budgets = aws.client("budgets")
    month = {"BudgetName": "month", "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    budgets.create_budget(
        AccountId=ACCOUNT_ID, Budget={**month, "BudgetLimit": {"Amount": "10", "Unit": "USD"}}
    )
    subscribers = [{"SubscriptionType": "EMAIL", "Address": "ops@example.org"}]
    about = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "ThresholdType": "PERCENTAGE",
    }
    asked = {"AccountId": ACCOUNT_ID, "BudgetName": "month", "Notification": {**about, "Threshold": 80.0}}
    with pytest.raises(ClientError, match="NotFoundException"):
        budgets.describe_subscribers_for_notification(**asked)
    budgets.create_notification(**asked, Subscribers=subscribers)
    assert budgets.describe_subscribers_for_notification(**asked)["Subscribers"] == subscribers
    with pytest.raises(ClientError, match="NotFoundException"):
        budgets.describe_subscribers_for_notification(**{**asked, "BudgetName": "another"})


def test_a_file_systems_policy_is_deleted(aws: LocalAws) -> None:
    efs = aws.client("efs")
    system = efs.create_file_system(CreationToken="one")["FileSystemId"]
    efs.put_file_system_policy(FileSystemId=system, Policy="{}")
    efs.delete_file_system_policy(FileSystemId=system)
    with pytest.raises(efs.exceptions.PolicyNotFound):
        efs.describe_file_system_policy(FileSystemId=system)
    with pytest.raises(efs.exceptions.FileSystemNotFound):
        efs.delete_file_system_policy(FileSystemId="fs-0123456789abcdef0")


@pytest.mark.slow
def test_an_engines_leftovers_are_told_and_a_namespace_takes_its_zone_along(aws: LocalAws) -> None:
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"]][:2]
    rds, discovery = aws.client("rds"), aws.client("servicediscovery")
    rds.create_db_subnet_group(DBSubnetGroupName="one", DBSubnetGroupDescription="1", SubnetIds=subnets)
    rds.create_db_parameter_group(
        DBParameterGroupName="one", DBParameterGroupFamily="postgres16", Description="1"
    )
    rds.create_db_instance(
        DBInstanceIdentifier="one", DBInstanceClass="db.t4g.small", Engine="postgres", AllocatedStorage=20,
        MasterUsername="one", MasterUserPassword="not-for-anything",
    )  # fmt: skip
    rds.create_db_snapshot(DBInstanceIdentifier="one", DBSnapshotIdentifier="taken")
    aws.client("elbv2").create_load_balancer(Name="one", Subnets=subnets)
    aws.client("elbv2").create_target_group(Name="one", Protocol="HTTP", Port=80, VpcId=vpc)
    files = aws.client("efs").create_file_system(CreationToken="one")["FileSystemId"]
    point = aws.client("efs").create_access_point(FileSystemId=files)["AccessPointId"]
    discovery.create_private_dns_namespace(Name="one.internal", Vpc=vpc)
    topic = aws.client("sns").create_topic(Name="one")["TopicArn"]
    aws.client("events").put_rule(Name="one", ScheduleExpression="rate(1 day)")
    regional = (
        f"access point {point}", "database one", "database parameter group one", "database snapshot taken",
        "database subnet group one", f"file system {files}", "load balancer one", "namespace one.internal", "rule one",
        "target group one", f"topic {topic}",
    )  # fmt: skip
    there = ["global hosted zone one.internal-hz", *(f"us-east-1 {line}" for line in regional)]
    assert aws.leftovers() == there
    (namespace,) = discovery.list_namespaces()["Namespaces"]
    discovery.delete_namespace(Id=namespace["Id"])
    assert aws.leftovers() == [line for line in there if "one.internal" not in line]
