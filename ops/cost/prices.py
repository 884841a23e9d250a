"""What a Fargate task costs."""

from __future__ import annotations

from modules.worker_fleet.settings import FleetSettings

PER_VCPU_HOUR = {"x86_64": 0.04048, "arm64": 0.03238}
PER_GIB_HOUR = {"x86_64": 0.004445, "arm64": 0.00356}
"""On-demand, Linux, us-east-1 (https://aws.amazon.com/fargate/pricing/); other regions cost up to half more."""

PER_DISK_GIB_HOUR = 0.000111
FREE_DISK_GIB = 20

SPOT = 0.3
"""Spot's part of the on-demand price, at AWS's "up to 70 %" off (the same page); it changes with supply."""

SOURCE = "Fargate's prices in us-east-1, Spot at 70 % off (aws.amazon.com/fargate/pricing)"


def usd_per_hour(fleet: FleetSettings, *, spot: bool) -> float:
    """The price of a task of a fleet. Disk costs the same on Spot."""
    compute = fleet.cpu * PER_VCPU_HOUR[fleet.architecture] + fleet.memory * PER_GIB_HOUR[fleet.architecture]
    disk = max(0, fleet.ephemeral_storage_gb - FREE_DISK_GIB) * PER_DISK_GIB_HOUR
    return compute * (SPOT if spot else 1) + disk
