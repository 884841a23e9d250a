"""The policies of applied environments allow what is needed and refuse the rest, by their conditions too."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployments import iam_questions as ask
from tests.deployments.conftest import Run, Runs
from tests.deployments.dozen import ACCOUNT, SOMEBODYS
from tests.deployments.iam_questions import Questions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Document = dict[str, Any]
DOCUMENTS = {
    "aws_iam_policy": "policy",
    "aws_iam_role": "assume_role_policy",
    "aws_iam_role_policy": "policy",
    "aws_s3_bucket_policy": "policy",
}
ECR = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository"


def documents(run: Run) -> dict[str, Document]:
    """All policies of an environment, by address."""
    return {
        item["address"]: json.loads(item["values"][DOCUMENTS[item["type"]]])
        for plan in run.plans().values()
        for item in plan["planned_values"]["root_module"]["resources"]
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
    return {
        **ask.fleet("simulations", "everything", results=results, token=stored),
        **ask.fleet("heavy", "everything", results=results, token=stored),
        **ask.backlog("everything", token=stored, repository=f"{ECR}/everything/worker"),
        "aws_iam_role_policy.simulations_execution_image[0]": ask.image(f"{ECR}/everything/worker"),
        "aws_iam_role_policy.simulations_execution_secrets[0]": ask.secret(secrets),
        "aws_iam_role_policy.simulations_execution_parameters[0]": ask.parameter(
            f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/team/site"
        ),
        "aws_iam_role_policy.simulations_task_exec[0]": ask.shell(),
        "aws_iam_role_policy.flow_logs[0]": ask.flow_log(group),
        "aws_iam_role.flow_logs[0]": ask.trust(
            "vpc-flow-logs.amazonaws.com", flow_log, flow_log.replace("vpc-flow-log", "instance")
        ),
        "aws_iam_policy.researcher": [*results, *ask.secret(stored)],
    }


def of_docs(run: Run) -> Questions:
    name = f"docs-scythe-{ACCOUNT}-us-east-1"
    results, stored = ask.bucket(name, "my-project"), token(run)
    image = ask.image(f"{ECR}/docs/worker")
    return {
        **ask.fleet("simulations", "docs", results=results, token=stored),
        **ask.fleet("fanouts", "docs", results=results, token=stored),
        **ask.backlog("docs", token=stored, repository=f"{ECR}/docs/worker"),
        "aws_iam_role_policy.simulations_execution_image[0]": image,
        "aws_iam_role_policy.fanouts_execution_image[0]": image,
        "aws_iam_policy.researcher": [*results, *ask.secret(stored)],
        "aws_s3_bucket_policy.this[0]": ask.tls_only(name),
    }


ASKED = {"everything": of_everything, "docs": of_docs}
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
