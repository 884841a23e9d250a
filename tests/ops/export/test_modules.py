"""The exported modules, applied by a consumer's configuration on the local AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from tests.support.consumer import Consumer
from tests.support.providers import Providers

NETWORKS = """
variable "networks" {
  type = any
}

module "network" {
  source   = "./dist/modules/network"
  for_each = var.networks

  name                = each.key
  tags                = { team = "buildings", cost-center = "42" }
  cidr                = "10.1.0.0/20"
  az_count            = each.value.az_count
  nat                 = each.value.nat
  interface_endpoints = try(each.value.interface_endpoints, false)
  flow_logs           = try(each.value.flow_logs, null)
}

module "existing" {
  source = "./dist/modules/network"

  name           = "existing"
  worker_subnets = "public"
  existing = {
    vpc_id            = module.network["b"].vpc_id
    public_subnet_ids = module.network["b"].public_subnet_ids
  }
}

output "made" {
  value = module.network
}

output "existing" {
  value = module.existing
}
"""

FIRST: dict[str, dict[str, Any]] = {
    "a": {"az_count": 1, "nat": "none", "interface_endpoints": True},
    "b": {"az_count": 3, "nat": "instance"},
    "c": {"az_count": 1, "nat": "single", "flow_logs": {"retention_days": 7}},
    "d": {"az_count": 3, "nat": "per_az", "interface_endpoints": ["ecr.api", "logs"]},
}
SECOND: dict[str, dict[str, Any]] = {
    "a": {"az_count": 1, "nat": "instance"},
    "b": {"az_count": 3, "nat": "none", "interface_endpoints": ["sts"], "flow_logs": {}},
    "c": {"az_count": 1, "nat": "per_az"},
    "d": {"az_count": 3, "nat": "single"},
}

STORAGES = """
module "made" {
  source = "./dist/modules/storage"

  name              = "made"
  tags              = { team = "buildings" }
  prefix            = "stock/2026"
  versioning        = false
  force_destroy     = true
  storage_lifecycle = { archive_after_days = 30, delete_after_days = 365 }
}

module "existing" {
  source = "./dist/modules/storage"

  name     = "existing"
  bucket   = "somebodys-results"
  existing = true
}

output "made" {
  value = module.made
}

output "existing" {
  value = module.existing
}
"""


@pytest.fixture(autouse=True)
def nothing_is_there(aws: LocalAws) -> None:
    aws.reset()


def way_out(aws: LocalAws, vpc_id: str) -> tuple[int, set[str]]:
    """How many private subnets have a default route, and through what kinds of things."""
    filters = [
        {"Name": "vpc-id", "Values": [vpc_id]},
        {"Name": "tag:Name", "Values": ["*-private-*"]},
    ]
    routes = [
        route
        for table in aws.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
        for route in table["Routes"]
        if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    ]
    targets = {route.get("NatGatewayId") or route["NetworkInterfaceId"] for route in routes}
    return len(routes), {target.split("-")[0] + f" {len(targets)}" for target in targets}


def endpoints(aws: LocalAws, vpc_id: str) -> set[str]:
    found = aws.client("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    return {
        endpoint["ServiceName"].split("us-east-1.")[1]
        for endpoint in found["VpcEndpoints"]
        if endpoint["State"] == "available"
    }


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_networks_of_one_and_three_zones_with_every_way_out(
    tmp_path: Path, aws: LocalAws, providers: Providers, modules_repository: dict[str, str]
) -> None:
    consumer = Consumer(tmp_path, aws, providers, NETWORKS, modules_repository)

    _, outputs = consumer.apply(networks=FIRST)
    made = outputs["made"]
    vpcs = {name: network["vpc_id"] for name, network in made.items()}
    assert {name: len(network["private_subnet_ids"]) for name, network in made.items()} == {
        "a": 1, "b": 3, "c": 1, "d": 3,
    }  # fmt: skip
    assert {name: way_out(aws, vpc) for name, vpc in vpcs.items()} == {
        "a": (0, set()), "b": (3, {"eni 1"}), "c": (1, {"nat 1"}), "d": (3, {"nat 3"}),
    }  # fmt: skip
    assert endpoints(aws, vpcs["a"]) == {
        "s3", "ecr.api", "ecr.dkr", "ecs", "kms", "logs", "monitoring", "secretsmanager", "ssm", "ssmmessages",
    }  # fmt: skip
    assert endpoints(aws, vpcs["c"]) == {"s3"}
    assert endpoints(aws, vpcs["d"]) == {"s3", "ecr.api", "logs"}
    assert log_groups(aws) == {"/scythe/c/vpc-flow-logs": 7}
    assert outputs["existing"]["vpc_id"] == vpcs["b"]
    assert outputs["existing"]["worker_subnet_ids"] == made["b"]["public_subnet_ids"]
    assert made["a"]["worker_subnet_ids"] == made["a"]["private_subnet_ids"]
    (vpc,) = aws.client("ec2").describe_vpcs(VpcIds=[vpcs["a"]])["Vpcs"]
    assert {tag["Key"]: tag["Value"] for tag in vpc["Tags"]} == {
        "Name": "a-vpc", "team": "buildings", "cost-center": "42",
    }  # fmt: skip

    plan, outputs = consumer.apply(networks=SECOND)
    kept = ("aws_vpc.", "aws_subnet.", "aws_route_table.", "aws_internet_gateway.")
    assert [address for address in plan.actions if address.split(".", 2)[2].startswith(kept)] == []
    assert {name: network["vpc_id"] for name, network in outputs["made"].items()} == vpcs
    assert {name: way_out(aws, vpc) for name, vpc in vpcs.items()} == {
        "a": (1, {"eni 1"}), "b": (0, set()), "c": (1, {"nat 1"}), "d": (3, {"nat 1"}),
    }  # fmt: skip
    assert endpoints(aws, vpcs["a"]) == {"s3"}
    assert log_groups(aws) == {"/scythe/b/vpc-flow-logs": 30}

    consumer.destroy(networks=SECOND)
    assert aws.leftovers() == []


def log_groups(aws: LocalAws) -> dict[str, int]:
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    return {group["logGroupName"]: group["retentionInDays"] for group in groups}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_bucket_that_is_made_and_one_that_exists(
    tmp_path: Path, aws: LocalAws, providers: Providers, modules_repository: dict[str, str]
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="somebodys-results")
    consumer = Consumer(tmp_path, aws, providers, STORAGES, modules_repository)

    _, outputs = consumer.apply()
    bucket = outputs["made"]["bucket_name"]
    assert bucket == f"made-scythe-{aws.account_id}-us-east-1"
    assert outputs["made"]["bucket_arn"] == f"arn:aws:s3:::{bucket}"
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert {id_: rule["Status"] for id_, rule in rules.items()} == dict.fromkeys(rules, "Enabled")
    assert rules["archive"]["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER_IR"}]
    assert rules["archive"]["Filter"] == {"Prefix": "stock/2026/"}
    assert rules["delete"]["Expiration"]["Days"] == 365
    assert rules["delete-old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "buildings"}]

    assert outputs["existing"]["bucket_name"] == "somebodys-results"
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="somebodys-results")
    repositories = aws.client("ecr").describe_repositories()["repositories"]
    assert {found["repositoryName"] for found in repositories} == {"made/worker", "existing/worker"}

    consumer.destroy()
    assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == ["somebodys-results"]
