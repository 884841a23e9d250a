"""AWS's prices: one table, from which every price is computed or tested that this project writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modules.worker_fleet.settings import FleetSettings

REGION = "us-east-1"
DATE = "2026-11-28"
"""The day of the table. Other regions cost up to half more; free tiers and taxes are not in it."""

HOURS = 730
"""A month's hours, as AWS's price pages count them."""

DAYS = HOURS / 24

_EC2, _EBS = "https://aws.amazon.com/ec2/pricing/on-demand/", "https://aws.amazon.com/ebs/pricing/"
_FARGATE, _CLOUDWATCH = (
    "https://aws.amazon.com/fargate/pricing/",
    "https://aws.amazon.com/cloudwatch/pricing/",
)
_VPC, _PRIVATELINK = "https://aws.amazon.com/vpc/pricing/", "https://aws.amazon.com/privatelink/pricing/"
_RDS, _ELB = (
    "https://aws.amazon.com/rds/postgresql/pricing/",
    "https://aws.amazon.com/elasticloadbalancing/pricing/",
)
_SECRETS, _KMS = "https://aws.amazon.com/secrets-manager/pricing/", "https://aws.amazon.com/kms/pricing/"
_S3, _ECR, _EFS = (f"https://aws.amazon.com/{it}/pricing/" for it in ("s3", "ecr", "efs"))


@dataclass(frozen=True)
class Price:
    """A price in US dollars.

    Attributes:
        usd: how much.
        per: for what amount.
        source: AWS's page.
    """

    usd: float
    per: str
    source: str


TABLE: Mapping[str, Price] = {
    "fargate vCPU, x86_64": Price(0.04048, "vCPU-hour", _FARGATE),
    "fargate vCPU, arm64": Price(0.03238, "vCPU-hour", _FARGATE),
    "fargate memory, x86_64": Price(0.004445, "GiB-hour", _FARGATE),
    "fargate memory, arm64": Price(0.00356, "GiB-hour", _FARGATE),
    "fargate disk": Price(0.000111, "GiB-hour beyond 20 GiB", _FARGATE),
    "alarm, high resolution": Price(0.30, "metric of an alarm with periods below 60 seconds, a month", _CLOUDWATCH),
    "alarm": Price(0.10, "metric of another alarm, a month", _CLOUDWATCH),
    "custom metric": Price(0.30, "month, prorated by the hours in which the metric gets data", _CLOUDWATCH),
    "PutMetricData": Price(0.00001, "request", _CLOUDWATCH),
    "logs taken in": Price(0.50, "GB, vended logs too", _CLOUDWATCH),
    "logs kept": Price(0.03, "GB-month", _CLOUDWATCH),
    "NAT gateway": Price(0.045, "hour", _VPC),
    "NAT gateway's data": Price(0.045, "GB", _VPC),
    "public IPv4 address": Price(0.005, "hour", _VPC),
    "interface endpoint": Price(0.01, "hour and zone", _PRIVATELINK),
    "interface endpoint's data": Price(0.01, "GB", _PRIVATELINK),
    "t4g.nano": Price(0.0042, "hour", _EC2),
    "EBS gp3": Price(0.08, "GB-month", _EBS),
    "secret": Price(0.40, "month", _SECRETS),
    "KMS key": Price(1.00, "month", _KMS),
    "S3 Standard": Price(0.023, "GB-month", _S3),
    "ECR": Price(0.10, "GB-month", _ECR),
    "EFS": Price(0.30, "GB-month", _EFS),
    "load balancer": Price(0.0225, "hour", _ELB),
    "load balancer's LCU": Price(0.008, "LCU-hour", _ELB),
    "db.t4g.small": Price(0.032, "hour, in one zone", _RDS),
    "db.t4g.large": Price(0.129, "hour, in one zone", _RDS),
    "RDS gp3": Price(0.115, "GB-month, in one zone", _RDS),
    "RDS snapshot": Price(0.095, "GB-month", _RDS),
}  # fmt: skip
"""In US dollars, in `REGION`, of the day `DATE`; Fargate's for Linux, on demand."""

FREE_DISK_GIB = 20

SPOT = Price(0.3, 'part of Fargate\'s on-demand price: "up to a 70% discount"', _FARGATE)
"""Spot's price changes with supply, and disk has no discount."""

SOURCE = "Fargate's prices in us-east-1, Spot at 70 % off (aws.amazon.com/fargate/pricing)"


def usd(name: str) -> float:
    """A price of the table."""
    return TABLE[name].usd


def task_usd_per_hour(cpu: float, memory: float, architecture: str, *, spot: bool = False) -> float:
    """The price of a task of Fargate's with its free disk."""
    compute = cpu * usd(f"fargate vCPU, {architecture}") + memory * usd(f"fargate memory, {architecture}")
    return compute * (SPOT.usd if spot else 1)


def usd_per_hour(fleet: FleetSettings, *, spot: bool) -> float:
    """The price of a task of a fleet. Disk costs the same on Spot."""
    disk = max(0, fleet.ephemeral_storage_gb - FREE_DISK_GIB) * usd("fargate disk")
    return task_usd_per_hour(fleet.cpu, fleet.memory, fleet.architecture, spot=spot) + disk
