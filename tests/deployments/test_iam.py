"""The policies of applied environments allow what is needed and refuse the rest, by their conditions too."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployments import iam_of_keys as of_keys
from tests.deployments import iam_questions as ask
from tests.deployments.conftest import Run, Runs
from tests.deployments.iam_of_hatchet import Engine
from tests.deployments.iam_questions import Questions
from tests.deployments.spanning import ACCOUNT, SOMEBODYS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

Document = dict[str, Any]
DOCUMENTS = {
    "aws_efs_file_system_policy": "policy",
    "aws_iam_policy": "policy",
    "aws_iam_role": "assume_role_policy",
    "aws_iam_role_policy": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_sns_topic_policy": "policy",
}
ECR = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository"


def documents(run: Run) -> dict[str, Document]:
    """All policies of an environment, by address."""
    return {
        item["address"]: json.loads(item["values"][DOCUMENTS[item["type"]]])
        for plan in run.plans().values()
        for item in plan["planned_values"]["root_module"].get("resources", [])
        if item["type"] in DOCUMENTS
    }


def token(run: Run) -> str:
    arn: str = run.plan("storage")["planned_values"]["outputs"]["token_secret_arn"]["value"]
    return arn


def of_everything(run: Run) -> Questions:
    results = ask.bucket(SOMEBODYS, "building-stock/2026")
    stored, group = token(run), "/scythe/everything/vpc-flow-logs"
    secrets = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:license-AbCdEf"
    flow_log = f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc-flow-log/fl-0123456789abcdef0"
    keys = {
        **of_keys.logs("simulations", "heavy", "backlog"),
        "aws_iam_role_policy.flow_logs": of_keys.key("logs", "logs", writes=True),
        "aws_iam_role_policy.simulations_execution_secrets": [
            *of_keys.key("of-fleets", "secretsmanager"),
            *of_keys.key("of-fleets", "ssm"),
        ],
        "aws_iam_policy.researcher": of_keys.key("logs", "logs"),
    }
    own = {
        **ask.fleet("simulations", "everything", results=results, token=stored),
        **ask.fleet("heavy", "everything", results=results, token=stored),
        **ask.backlog(
            "everything",
            "simulations",
            "simulations-on-demand",
            "heavy",
            token=stored,
            repository=f"{ECR}/everything/worker",
        ),
        "aws_iam_role_policy.simulations_execution_image": ask.image(f"{ECR}/everything/worker"),
        "aws_iam_role_policy.heavy_execution_image": ask.log_in(),
        "aws_iam_role_policy.simulations_execution_secrets": [
            *ask.secret(secrets),
            *ask.parameter(f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/team/site"),
        ],
        "aws_iam_role_policy.simulations_task_exec": ask.shell(),
        "aws_iam_role_policy.flow_logs": ask.flow_log(group),
        "aws_iam_role.flow_logs": ask.trust(
            "vpc-flow-logs.amazonaws.com", flow_log, flow_log.replace("vpc-flow-log", "instance")
        ),
        "aws_iam_policy.researcher": [*results, *ask.secret(stored), *ask.watching("everything")],
    }
    return of_keys.merged(own, keys)


def of_docs(run: Run) -> Questions:
    name = f"docs-scythe-{ACCOUNT}-us-east-1"
    results, stored = ask.bucket(name, "my-project", ACCOUNT), token(run)
    image = ask.image(f"{ECR}/docs/worker")
    return {
        **ask.fleet("simulations", "docs", results=results, token=stored),
        **ask.fleet("fanouts", "docs", results=results, token=stored),
        **ask.backlog("docs", "simulations", "fanouts", token=stored, repository=f"{ECR}/docs/worker"),
        "aws_iam_role_policy.simulations_execution_image": image,
        "aws_iam_role_policy.fanouts_execution_image": image,
        "aws_iam_policy.researcher": [*results, *ask.secret(stored), *ask.watching("docs")],
        "aws_s3_bucket_policy.this": ask.tls_only(name),
    }


def of_hosted(run: Run) -> Questions:
    """A self-hosted engine without a domain, its images from upstream, its own database as the broker."""
    name = f"hosted-scythe-{ACCOUNT}-us-east-1"
    results, stored = ask.bucket(name, "scythe", ACCOUNT), token(run)
    engine = Engine(run, "us-east-1")
    database, server = engine.secret("database_password"), [engine.secret("keys")]
    use_secrets, use_bucket = (
        of_keys.key("secrets", "secretsmanager"),
        of_keys.key("bucket", "s3", writes=True),
    )
    keys = {
        **of_keys.logs("simulations", "backlog", "api", "engine", "dashboard", "setup"),
        **{
            f"aws_iam_role_policy.{name}": use_secrets
            for name in (
                "simulations_execution_token",
                "backlog_execution_token",
                "api_execution_secrets",
                "engine_execution_secrets",
                "setup_execution_secrets",
            )
        },
        "aws_iam_role_policy.setup_task_keep": of_keys.key("secrets", "secretsmanager", writes=True),
        "aws_iam_role_policy.simulations_task_bucket": use_bucket,
        "aws_iam_policy.researcher": [*use_secrets, *use_bucket, *of_keys.key("logs", "logs")],
    }
    own = {
        **ask.fleet("simulations", "hosted", results=results, token=stored),
        **ask.backlog("hosted", "simulations", token=stored, repository=f"{ECR}/everything/worker"),
        "aws_iam_role_policy.simulations_execution_image": ask.image(f"{ECR}/everything/worker"),
        "aws_iam_policy.researcher": [*results, *ask.secret(stored), *ask.watching("hosted")],
        "aws_s3_bucket_policy.this": ask.tls_only(name),
        **engine.service("api", reads=[*server, database]),
        **engine.service("engine", reads=[*server, database]),
        **engine.service("dashboard"),
        "aws_iam_role_policy.dashboard_task_exec[0]": ask.shell(),
        **engine.service("setup", reads=[database]),
        **engine.set_up(stored),
        **engine.access_logs(),
        **engine.forwarding(),
    }
    return of_keys.merged(own, keys)


def of_zoned(run: Run) -> Questions:
    """A self-hosted engine with a domain, in a network and with a bucket of others, its broker on Amazon MQ."""
    results, stored = ask.bucket(SOMEBODYS, "scythe"), token(run)
    engine = Engine(run, "us-east-1")
    broker, database = engine.secret("amazon_mq[0]"), engine.secret("database_password")
    worker = ask.image(f"{ECR}/everything/worker")
    return {
        **ask.fleet("simulations", "zoned", results=results, token=stored),
        **ask.fleet("fanouts", "zoned", results=results, token=stored),
        **ask.backlog("zoned", "simulations", "fanouts", token=stored, repository=f"{ECR}/everything/worker"),
        "aws_iam_role_policy.simulations_execution_image": worker,
        "aws_iam_role_policy.fanouts_execution_image": worker,
        "aws_iam_policy.researcher": [*results, *ask.secret(stored), *ask.watching("zoned")],
        **engine.service("api", reads=[engine.secret("keys"), database, broker]),
        **engine.service("engine", reads=[engine.secret("keys"), database, broker]),
        **engine.service("dashboard"),
        **engine.service("setup", reads=[database, broker]),
        **engine.set_up(stored),
        **engine.access_logs(),
    }


def of_prod(run: Run) -> Questions:
    """A self-hosted engine in a closed network: all images from ECR, RabbitMQ with its files, a topic of alarms."""
    name, region = "acme-scythe-results", "eu-west-1"
    results, stored = ask.bucket(name, "building-stock", ACCOUNT), token(run)
    engine = Engine(run, region)
    database, broker = engine.secret("database_password"), engine.secret("rabbitmq[0]")
    repository = f"arn:aws:ecr:{region}:{ACCOUNT}:repository/prod/worker"
    worker = ask.image(repository)
    license_ = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:license-AbCdEf"
    flow_log = f"arn:aws:ec2:{region}:{ACCOUNT}:vpc-flow-log/fl-0123456789abcdef0"
    fleets: Questions = {}
    for fleet in ("simulations", "heavy", "fanouts"):
        fleets |= ask.fleet(fleet, "prod", results=results, token=stored, region=region)
        fleets[f"aws_iam_role_policy.{fleet}_execution_image"] = worker
    return {
        **fleets,
        **ask.backlog(
            "prod", "simulations", "heavy", "fanouts", token=stored, repository=repository, region=region
        ),
        "aws_iam_role_policy.simulations_execution_secrets": ask.secret(license_),
        "aws_iam_role_policy.flow_logs": ask.flow_log("/scythe/prod/vpc-flow-logs", region),
        "aws_iam_role.flow_logs": ask.trust(
            "vpc-flow-logs.amazonaws.com", flow_log, flow_log.replace("vpc-flow-log", "instance")
        ),
        "aws_iam_policy.researcher": [*results, *ask.secret(stored), *ask.watching("prod", region)],
        "aws_s3_bucket_policy.this": ask.tls_only(name),
        **engine.service("api", reads=[engine.secret("keys"), database, broker], from_ecr=True),
        **engine.service("engine", reads=[engine.secret("keys"), database, broker], from_ecr=True),
        **engine.service("dashboard", from_ecr=True),
        **engine.service("setup", reads=[database], from_ecr=True),
        **engine.service("rabbitmq", reads=[broker], from_ecr=True, index="[0]"),
        **engine.set_up(stored),
        **engine.access_logs(),
        **engine.files(),
        **engine.topic(),
    }


ASKED = {
    "everything": of_everything,
    "docs": of_docs,
    "hosted": of_hosted,
    "zoned": of_zoned,
    "prod": of_prod,
}
environments = pytest.mark.parametrize("name", ASKED)


def wrong(document: Document, questions: list[ask.Question]) -> list[ask.Question]:
    """The questions that a document does not answer as it must."""
    return [question for question in questions if question.answer(document) != question.allowed]


@environments
def test_policies_allow_what_is_needed_and_refuse_the_rest(runs: Runs, name: str) -> None:
    found, asked = documents(runs.runs[name]), ASKED[name](runs.runs[name])
    assert found.keys() == asked.keys(), "every policy must be asked"
    assert {address: missed for address in found if (missed := wrong(found[address], asked[address]))} == {}


@environments
def test_nothing_in_a_policy_can_be_left_out_or_widened(runs: Runs, name: str) -> None:
    found, asked = documents(runs.runs[name]), ASKED[name](runs.runs[name])
    unnoticed = [
        f"{address}: {what}"
        for address, document in found.items()
        for what, mutated in mutations(document)
        if not wrong(mutated, asked[address])
    ]
    assert unnoticed == []


def mutations(document: Document) -> Iterator[tuple[str, Document]]:
    """The document without each condition, action and resource, and open to all resources and principals."""
    for index, statement in enumerate(document["Statement"]):
        for what, change in _changes(statement):
            mutated = copy.deepcopy(document)
            mutated["Statement"][index] = change
            yield f"statement {index} {what}", mutated


def _changes(statement: Document) -> Iterator[tuple[str, Document]]:
    for test, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            fewer = copy.deepcopy(statement)
            del fewer["Condition"][test][key]
            if not fewer["Condition"][test]:
                del fewer["Condition"][test]
            yield f"without {test} {key}", fewer
            for value in values if len(values) > 1 else []:
                less = copy.deepcopy(statement)
                less["Condition"][test][key].remove(value)
                yield f"without {test} {key} {value}", less
    for part in ("Action", "Resource"):
        given = statement.get(part, [])
        for item in given if len(given) > 1 else []:
            yield f"without {item}", {**statement, part: [other for other in given if other != item]}
    if statement["Effect"] == "Allow" and statement.get("Resource", ["*"]) != ["*"]:
        yield "with all resources", {**statement, "Resource": ["*"]}
    if statement.get("Principal", "*") != "*":
        yield "with all principals", {**statement, "Principal": "*"}
