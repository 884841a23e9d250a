"""Environments that together have every choice of the environment file."""

from __future__ import annotations

from typing import Any

import yaml

from local_aws import LocalAws
from tests.deployments.iam_of_keys import KEYS
from tests.support.deployed import Data
from tests.support.project import ROOT

ACCOUNT = "123456789012"
SOMEBODYS = "somebodys-results"
DIGEST = "sha256:" + "0123456789abcdef" * 4
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/team/scythe"
AWS_BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
LEAF: Data = {"role": "leaf"}
LONGEST = "abcdefghijklmnopqrstuvwx"
LONGEST_FLEET = "fleet-of-eight-and-twenty-ch"


def _contract(name: str) -> Data:
    loaded: Data = yaml.safe_load((ROOT / name).read_text())
    return loaded


CERTIFICATE = _contract("tests/support/self-hosted.yaml")["hatchet"]["certificate_arn"]


def image(region: str = "us-east-1") -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{ACCOUNT}.dkr.ecr.{region}.{suffix}/everything/worker@{DIGEST}"


def everything() -> Data:
    """All that a fleet can have, and one beside it."""
    return {
        "name": "everything",
        "account_id": ACCOUNT,
        "permissions_boundary": BOUNDARY,
        "tags": {"owner": "research & development".replace("&", "+"), "a:b/c": "", "cost-center": "4711"},
        "network": {
            "az_count": 6, "nat": "none", "worker_subnets": "public", "interface_endpoints": True,
            "flow_logs": {"retention_days": 3},
        },
        "storage": {"bucket": SOMEBODYS, "existing": True, "prefix": "building-stock/2026"},
        "image": image(),
        "kms": {"logs": KEYS["logs"]},
        "workers": {
            "simulations": {
                "role": "leaf", "cpu": 0.25, "memory": 0.5, "architecture": "arm64", "slots": 3, "exec": True,
                "capacity": {"spot": 4, "on_demand": 1, "on_demand_base": 2, "fallback": {"max": 10, "minutes": 4}},
                "ephemeral_storage_gb": 200,
                "scaling": {"min": 1, "max": 50, "schedule": [
                    {"start": "cron(0 20 ? * FRI *)", "end": "cron(0 6 ? * MON *)", "max": 80, "timezone": "Europe/Paris"},
                    {"start": "at(2030-01-01T00:00:00)", "end": "at(2030-01-02T12:30:00)", "min": 5},
                ]},
                "environment": {"MODEL": '${path.root} %{ if } "quoted"', "EMPTY": ""},
                "secrets": {
                    "LICENSE_KEY": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:license-AbCdEf:key::",
                    "SITE": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/team/site",
                },
                "secrets_key_arns": [KEYS["of-fleets"]],
            },
            "heavy": {**LEAF, "cpu": 16, "memory": 120, "experiments": ["scythe_experiment_annual"],
                      "image": "ghcr.io/example/worker:1.2.3", "capacity": {"on_demand": 1}},
        },
    }  # fmt: skip


def spanning(aws: LocalAws) -> list[Data]:
    """The environments' data; makes in the local AWS what they expect to be there."""
    vpc = make_vpc(aws)
    token = aws.client("secretsmanager").create_secret(Name="theirs", SecretString="a-token")["ARN"]
    aws.client("s3").create_bucket(Bucket=SOMEBODYS)
    state = _contract("tests/support/self-hosted.yaml")["state"]["bucket"]
    ireland: Any = {"LocationConstraint": "eu-west-1"}
    aws.client("s3", "eu-west-1").create_bucket(Bucket=state, CreateBucketConfiguration=ireland)
    zone = aws.client("route53").create_hosted_zone(Name="example.org", CallerReference="ours")["HostedZone"]
    return environments(vpc, token, zone["Id"].rpartition("/")[2])


def environments(vpc: Data, token: str, zone: str) -> list[Data]:
    """The environments' data, with the VPC, the token's secret and the zone that they expect to be there."""
    theirs = {"bucket": SOMEBODYS, "existing": True}
    return [
        _contract("environments/docs.yaml"),
        _contract("tests/support/self-hosted.yaml"),
        everything(),
        {
            "name": "in-theirs", "network": {"existing": vpc, "worker_subnets": "public"}, "storage": theirs,
            "image": "docker.io/example/worker:1.2.3", "hatchet": {"token_secret_arn": token, "token_secret_key_arn": KEYS["of-token"]},
            "kms": {"bucket": KEYS["bucket"]},
            "workers": {"simulations": {**LEAF, "scaling": {"min": 2}, "capacity": {"on_demand": 3}}},
        },
        {
            "name": "hosted", "hatchet": {"mode": "self_hosted", "image_registry": "upstream"}, "image": image(),
            "kms": {use: KEYS[use] for use in ("secrets", "bucket", "logs", "repositories")},
            "backlog": {"spot": False}, "workers": {"simulations": LEAF},
        },
        {
            "name": "zoned", "network": {"existing": vpc}, "storage": theirs, "image": image(),
            "permissions_boundary": AWS_BOUNDARY,
            "hatchet": {
                "mode": "self_hosted", "domain": "hatchet.example.org", "zone_id": zone,
                "allowed_cidrs": ["10.0.0.0/8"], "broker": "amazon_mq", "sign_up": True,
                "engine": {"count": 2, "cpu": 1, "memory": 2, "architecture": "x86_64"},
                "api": {"architecture": "x86_64"}, "dashboard": {"architecture": "x86_64"},
                "database": {"deletion_protection": False, "final_snapshot": False, "backup_days": 0},
            },
            "workers": {"simulations": LEAF, "fanouts": {"role": "fan"}},
        },
        {
            "name": LONGEST, "region": "ap-northeast-1",
            "network": {"az_count": 3, "nat": "per_az", "interface_endpoints": ["logs", "ecr.api"]},
            "tags": {f"tag-{number}": "x" * 256 for number in range(40)},
            "storage": {"lifecycle": {"archive_after_days": 1, "delete_after_days": 2}, "prefix": "a.b_c=d"},
            "workers": {
                LONGEST_FLEET: {
                    **LEAF, "architecture": "arm64", "environment": {f"MODEL_{i}": "x" * 500 for i in range(30)},
                },
                "fan": {"role": "fan", "exec": True},
            },
        },
        {
            "name": "beijing", "region": "cn-north-1", "storage": {"versioning": False, "force_destroy": True},
            "network": {
                "az_count": 1, "cidr": "172.16.4.0/22", "flow_logs": {},
                "interface_endpoints": ["ecr.api", "logs", "monitoring"],
            },
            "image": image("cn-north-1"), "observability": {"log_retention_days": 1, "alarm_email": "a@example.org"},
            "workers": {"simulations": {**LEAF, "scaling": {"max": 5000}}, "fanouts": {"role": "fan"}},
        },
    ]  # fmt: skip


def make_vpc(aws: LocalAws) -> Data:
    """A VPC with two subnets of each kind, as somebody else made it."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.99.{place}.0/24", AvailabilityZone=f"us-east-1{'ab'[place % 2]}"
        )["Subnet"]["SubnetId"]
        for place in range(4)
    ]
    return {"vpc_id": vpc, "public_subnet_ids": subnets[:2], "private_subnet_ids": subnets[2:]}
