"""A network with a zone less: what uses the zone's subnets lets go of them before they are deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_aws import LocalAws
from tests.support.deployed import Data, Deployed
from tests.support.providers import Providers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def fewer(zones: int) -> Data:
    network = {"az_count": zones, "nat": "per_az", "interface_endpoints": ["logs", "ecr.api"]}
    return {"name": "fewer", "network": network, "workers": {"simulations": {"role": "leaf"}}}


def test_a_network_of_fewer_zones_is_applied_in_one_go(tmp_path: Path) -> None:
    with LocalAws.start(log=tmp_path / "local-aws.log") as aws, Providers.of(aws.environment) as providers:
        before = Deployed.synthesized(aws, tmp_path, fewer(3), providers=providers)
        before.apply(["network"])
        after = before.changed(fewer(1), tmp_path / "after")
        after.apply(["network"])
        assert after.plan("network").actions == {}
        subnets = aws.client("ec2").describe_subnets(
            Filters=[{"Name": "tag:environment", "Values": ["fewer"]}]
        )
        assert {subnet["AvailabilityZone"] for subnet in subnets["Subnets"]} == {"us-east-1a"}
        kept = {
            resource["instances"][0]["attributes"]["id"]
            for state in (before, after)
            for resource in json.loads(state.state("network"))["resources"]
            if resource["type"] == "aws_vpc"
        }
        assert len(kept) == 1
        after.destroy(["network"])
