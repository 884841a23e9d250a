"""The local AWS: how it starts, stops and isolates, and each correction of moto by its AWS API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from local_aws import ACCOUNT_ID, LocalAws, LocalAwsError
from local_aws.forked import SOCKET, template

TAGS = {"project": "every"}


@pytest.fixture
def empty(aws: LocalAws) -> LocalAws:
    aws.reset()
    return aws


def test_a_certificate_is_held_issued_from_the_start() -> None:
    arn = f"arn:aws:acm:eu-west-1:{ACCOUNT_ID}:certificate/1"
    with LocalAws.start(certificates=[arn]) as aws:
        held = aws.client("acm", "eu-west-1").describe_certificate(CertificateArn=arn)["Certificate"]
    assert held["Status"] == "ISSUED"


def test_it_is_gone_when_its_parent_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SOCKET, raising=False)
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


@pytest.mark.slow
def test_it_is_gone_after_its_block_and_two_share_nothing() -> None:
    with LocalAws.start() as one, LocalAws.start(region="eu-west-1") as other:
        one.client("s3").create_bucket(Bucket="only-in-one")
        assert one.leftovers() == ["global bucket only-in-one"]
        assert other.leftovers() == []
        assert other.client("ec2").meta.region_name == "eu-west-1"
    for aws in (one, other):
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(aws.endpoint_url, timeout=5)


def test_forks_of_a_template_share_nothing_and_end(tmp_path: Path) -> None:
    with template(tmp_path), LocalAws.start(log=tmp_path / "log") as one, LocalAws.start() as other:
        vpcs = {aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"] for aws in (one, other)}
        assert len(vpcs) == 2, "both draw the same ids"
        one.client("s3").create_bucket(Bucket="only-in-one")
        assert other.client("s3").list_buckets()["Buckets"] == []
        processes = [psutil.Process(aws.process_id) for aws in (one, other)]
    psutil.wait_procs(processes, timeout=10)
    assert not any(process.is_running() for process in processes)
    assert "PUT /only-in-one" in (tmp_path / "log").read_text()


def test_a_start_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SOCKET, raising=False)
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


@pytest.mark.slow
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
    aws.reset()
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="workers", capacityProviders=["FARGATE", "FARGATE_SPOT"])
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


def test_reads_with_and_without_tags_do_not_meddle(aws: LocalAws) -> None:
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="tagged", tags=[{"key": "team", "value": "buildings"}])

    def tags(*include: str) -> int:
        return len(ecs.describe_clusters(clusters=["tagged"], include=include)["clusters"][0].get("tags", []))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda turn: tags(*["TAGS"] * (turn % 2)), range(400)))
    assert found == [0, 1] * 200


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


def test_rds_tells_instances_apart(aws: LocalAws) -> None:
    rds = aws.client("rds")
    for name in ("one", "other"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t4g.small", Engine="postgres")
    found = rds.describe_db_instances()["DBInstances"]
    ids = {instance["DbiResourceId"]: instance["DBInstanceIdentifier"] for instance in found}
    assert len(ids) == 2
    for id_, name in ids.items():
        (instance,) = rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": [id_]}])[
            "DBInstances"
        ]
        assert instance["DBInstanceIdentifier"] == name


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


@pytest.mark.parametrize(("secure", "refused"), [("false", False), ("true", True)])
def test_a_bucket_that_refuses_plain_http_takes_objects(empty: LocalAws, secure: str, refused: bool) -> None:
    s3 = empty.client("s3")
    s3.create_bucket(Bucket="private")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::private/*"}
    condition = {"Condition": {"Bool": {"aws:SecureTransport": secure}}}
    s3.put_bucket_policy(Bucket="private", Policy=json.dumps({"Statement": [{**statement, **condition}]}))
    if refused:
        with pytest.raises(ClientError, match="403"):
            s3.put_object(Bucket="private", Key="a", Body=b"a")
    else:
        s3.put_object(Bucket="private", Key="a", Body=b"a")


def test_a_bucket_is_emptied_after_its_versioning_is_suspended(empty: LocalAws) -> None:
    s3 = empty.client("s3")
    s3.create_bucket(Bucket="versioned")
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": status})
        if status == "Enabled":
            s3.put_object(Bucket="versioned", Key="a", Body=b"a")
            s3.delete_object(Bucket="versioned", Key="a")
    listed = s3.list_object_versions(Bucket="versioned")
    versions = [
        {"Key": each["Key"], "VersionId": each["VersionId"]}
        for each in listed["Versions"] + listed["DeleteMarkers"]
    ]
    s3.delete_objects(Bucket="versioned", Delete={"Objects": versions})
    s3.delete_bucket(Bucket="versioned")
