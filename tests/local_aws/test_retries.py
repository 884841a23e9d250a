"""A request that is sent again, as an SDK does that missed the answer."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws


def test_a_retry_makes_nothing_twice_and_a_failure_is_tried_again(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")

    def as_one_invocation(request: Any, **_: object) -> None:
        request.headers["amz-sdk-invocation-id"] = invocation

    ec2.meta.events.register("before-send.ec2", as_one_invocation)
    invocation = "first"
    ids = {ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(3)}
    invocation = "second"
    ids.add(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    assert len(ids) == 2

    invocation = "third"
    with pytest.raises(ClientError):
        ec2.create_vpc(CidrBlock="10.0.0.0/7")
    assert ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] not in ids
