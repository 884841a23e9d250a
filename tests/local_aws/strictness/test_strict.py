"""The application that asks the rules: what it reads, how it refuses, and that it is asked once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local_aws import LocalAws
from local_aws.local_aws import ACCOUNT_ID
from local_aws.retries import OnceOnly
from local_aws.strictness.rule import Request, Rule
from tests.local_aws.strictness.in_process import InProcess, empty

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("ecs", "create_cluster", {"clusterName": "workers"}),
    ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}),
    ("iam", "create_role", {"RoleName": "task", "AssumeRolePolicyDocument": "{}"}),
    ("rds", "create_db_parameter_group", {"DBParameterGroupName": "p", "DBParameterGroupFamily": "postgres16", "Description": "d"}),
    ("s3", "create_bucket", {"Bucket": "records"}),
    ("s3", "put_object", {"Bucket": "records", "Key": "a/b", "Body": b"x"}),
    ("s3control", "put_public_access_block", {"AccountId": "123456789012", "PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}),
    ("route53", "create_hosted_zone", {"Name": "example.org.", "CallerReference": "1"}),
    ("efs", "create_file_system", {"CreationToken": "1"}),
    ("mq", "create_broker", {"BrokerName": "b", "DeploymentMode": "SINGLE_INSTANCE", "EngineType": "RABBITMQ"}),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["a"]}),
    ("elbv2", "delete_load_balancer", {"LoadBalancerArn": "arn:x"}),
    ("servicediscovery", "create_http_namespace", {"Name": "n"}),
]  # fmt: skip
"""A request in each protocol."""


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    empty()
    yield
    empty()


@pytest.mark.parametrize(("service", "method", "arguments"), CALLS)
def test_a_refusal_reaches_boto3_in_every_protocol(
    service: str, method: str, arguments: dict[str, Any]
) -> None:
    asked: list[Request] = []

    def refuses(request: Request) -> str:
        asked.append(request)
        return "AWS's text & <more>"

    aws = InProcess([Rule("all", ("*",), "everything", "AwsCode", "https://example.org", refuses, 409)])
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service), method)(**arguments)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("AwsCode", "AWS's text & <more>")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    (request,) = asked
    assert request.name == f"{service}.{refused.value.operation_name}"
    assert request.parameters.items() >= arguments.items()
    assert (request.account, request.region) == ("123456789012", "us-east-1")
    assert aws.strict.operations == set()


def test_what_no_rule_refuses_is_carried_out_and_recorded() -> None:
    aws = InProcess([Rule("none", ("ecs.*",), "nothing", "Never", "https://example.org", lambda _: None)])
    aws.client("ecs").create_cluster(clusterName="workers")
    assert aws.client("ecs").list_clusters()["clusterArns"]
    aws.client("s3").create_bucket(Bucket="records")
    aws.client("s3").put_object(Bucket="records", Key="k", Body=b"body")
    assert aws.client("s3").get_object(Bucket="records", Key="k")["Body"].read() == b"body"
    assert aws.strict.operations >= {"ecs.CreateCluster", "ecs.ListClusters", "s3.CreateBucket"}


def test_rules_are_asked_about_their_operations_alone() -> None:
    rules = [
        Rule("one", ("ecs.CreateCluster",), "c", "One", "https://example.org", lambda _: "one"),
        Rule("rest", ("ecs.*",), "c", "Rest", "https://example.org", lambda _: "rest"),
    ]
    ecs = InProcess(rules).client("ecs")
    for method, code in (("create_cluster", "One"), ("delete_cluster", "Rest")):
        with pytest.raises(ClientError) as refused:
            getattr(ecs, method)(**({"cluster": "x"} if method == "delete_cluster" else {}))
        assert refused.value.response["Error"]["Code"] == code


def test_a_rule_sees_what_is_under_way_beside_a_request() -> None:
    arrived, go_on = threading.Event(), threading.Event()
    beside: list[list[str]] = []

    def look(request: Request) -> None:
        beside.append([other.name for other in request.beside])
        if request.operation == "CreateCluster":
            arrived.set()
            go_on.wait(5)

    aws = InProcess([Rule("look", ("*",), "nothing", "Never", "https://example.org", look)])
    ecs, other = aws.client("ecs"), aws.client("iam")
    thread = threading.Thread(target=ecs.create_cluster)
    thread.start()
    assert arrived.wait(5)
    other.list_roles()
    go_on.set()
    thread.join()
    other.list_roles()
    assert beside == [[], ["ecs.CreateCluster"], []]


def test_a_change_is_held_for_as_long_as_aws_takes_and_a_read_is_not() -> None:
    beside: dict[str, list[str]] = {}

    def look(request: Request) -> None:
        beside[request.name] = [other.name for other in request.beside]

    aws = InProcess([Rule("look", ("*",), "Nothing", "Never", "https://example.org", look)], {"ecs": 0.4})
    ecs, iam = aws.client("ecs"), aws.client("iam")
    iam.list_roles()
    ecs.list_clusters()
    thread = threading.Thread(target=ecs.create_cluster)
    thread.start()
    while "ecs.CreateCluster" not in aws.strict.operations:
        time.sleep(0.01)
    iam.list_users()
    thread.join()
    iam.list_groups()
    assert beside["iam.ListUsers"] == ["ecs.CreateCluster"]
    assert beside["iam.ListGroups"] == []


def test_a_retry_of_what_succeeded_is_not_asked_again() -> None:
    asked: list[str] = []

    def refuses(request: Request) -> str:
        asked.append(request.parameters["clusterName"])
        return refused

    aws = InProcess([Rule("look", ("*",), "Nothing", "Refused", "https://example.org", refuses)])
    aws.http = Client(OnceOnly(aws.strict), Response)
    ecs = aws.client("ecs")

    def as_one_invocation(request: Any, **_: object) -> None:
        request.headers["amz-sdk-invocation-id"] = invocation

    ecs.meta.events.register_first("before-send", as_one_invocation)
    invocation, refused = "first", ""
    ecs.create_cluster(clusterName="one")
    refused = "an answer that was given is given again"
    ecs.create_cluster(clusterName="one")
    invocation = "second"
    with pytest.raises(ClientError, match=refused):
        ecs.create_cluster(clusterName="two")
    refused = ""
    ecs.create_cluster(clusterName="two")
    assert asked == ["one", "two", "two"]


def test_a_refusal_is_in_the_log_with_its_rule(tmp_path: Path) -> None:
    with LocalAws.start(log=tmp_path / "log") as aws, pytest.raises(ClientError):
        aws.client("logs").create_log_group(logGroupName="of a fleet")
    assert (
        "logs.CreateLogGroup is refused by the rule pattern_of_model: 1 validation error detected: "
        "Value 'of a fleet' at 'logGroupName'"
    ) in (tmp_path / "log").read_text()


def test_a_request_makes_no_partition_that_nobody_uses() -> None:
    """Each would have 1,582 policies of AWS's own, made anew after each reset."""
    strict = InProcess(())
    iam_backends.pop(ACCOUNT_ID, None)
    for _ in range(2):
        strict.client("iam").list_roles()
    assert list(iam_backends[ACCOUNT_ID]) == ["aws"]
