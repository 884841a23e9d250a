"""A VPC that exists is looked at before anything is made in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from modules.network.resolution import DNS
from ops.export.constructs import Module, unwritten_app
from ops.terraform import TerraformError
from tests.deployments.spanning import make_vpc
from tests.support.deployed import Deployed
from tests.support.providers import Providers


@pytest.mark.timeout(120)
def test_a_vpc_without_dns_is_refused_by_the_plan(
    tmp_path: Path, aws: LocalAws, providers: Providers
) -> None:
    network = make_vpc(aws)
    ec2: Any = aws.client("ec2")
    data = {"name": "theirs", "network": {"existing": network}, "workers": {"simulations": {"role": "leaf"}}}
    theirs = Deployed.synthesized(aws, tmp_path, data, providers=providers)
    for name, option in [("DNS support", "EnableDnsSupport"), ("DNS host names", "EnableDnsHostnames")]:
        ec2.modify_vpc_attribute(VpcId=network["vpc_id"], **{option: {"Value": False}})
        with pytest.raises(TerraformError) as refused:
            theirs.plan("network")
        said = re.sub(r"[\s│]+", " ", str(refused.value) + " ".join(theirs.said))
        assert (
            f"the VPC {network['vpc_id']} has no {name}; must have it: aws ec2 modify-vpc-attribute" in said
        )
        ec2.modify_vpc_attribute(VpcId=network["vpc_id"], **{option: {"Value": True}})
    assert theirs.plan("network").actions == {}


def test_modules_look_at_a_vpc_that_they_are_given() -> None:
    with unwritten_app() as app:
        templates = [Module.of(app, name).synthesis for name in ("network", "hatchet")]
    for template in templates:
        (vpc,) = template["data"]["aws_vpc"].values()
        conditions = {item["condition"] for item in vpc["lifecycle"]["postcondition"]}
        assert conditions == {f"${{self.{attribute}}}" for attribute in DNS}
