"""The foreign tools say what they must on inputs small enough to judge by eye."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import ROOT
from tests.support.tools import checkov
from tests.support.tools.cdktf import cdktf
from tests.support.tools.iam import QuestionError, Simulation
from tests.support.tools.installation import ensure_installed
from tests.support.tools.node import CDKTF_CLI, IAM_SIMULATE

pytestmark = pytest.mark.slow  # each installs its tool first

ACCOUNT = "123456789012"
BUCKET = "arn:aws:s3:::results"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/docs-simulations-task"


def policy(**statement: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


def without_conditions(document: Mapping[str, Any]) -> dict[str, Any]:
    statements = [
        {key: part for key, part in statement.items() if key != "Condition"}
        for statement in document["Statement"]
    ]
    return {**document, "Statement": statements}


LIST_A_PREFIX = policy(
    Action="s3:ListBucket",
    Resource=BUCKET,
    Condition={"StringLike": {"s3:prefix": ["experiments", "experiments/*"]}},
)
READ_ALL = policy(Action="s3:GetObject", Resource=f"{BUCKET}/*")
TLS_ONLY = policy(
    Effect="Deny",
    Principal="*",
    Action="s3:*",
    Resource=[BUCKET, f"{BUCKET}/*"],
    Condition={"Bool": {"aws:SecureTransport": "false"}},
)
TRUST = policy(
    Action="sts:AssumeRole",
    Principal={"Service": "ecs-tasks.amazonaws.com"},
    Condition={
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"},
    },
)
OUR_TASK = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/workers/1"}


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        ({"s3:prefix": "experiments/run-1"}, True),
        ({"s3:prefix": "experiments"}, True),
        ({"s3:prefix": "experiments-of-others"}, False),
        ({"s3:prefix": ""}, False),
        ({}, False),
    ],
)
def test_a_prefix_limits_listing(context: dict[str, str], allowed: bool) -> None:
    assert Simulation([LIST_A_PREFIX]).allows("s3:ListBucket", BUCKET, context) is allowed
    assert Simulation([without_conditions(LIST_A_PREFIX)]).allows("s3:ListBucket", BUCKET, context)


@pytest.mark.parametrize(
    "context",
    [
        {**OUR_TASK, "aws:SourceAccount": "999999999999"},
        {**OUR_TASK, "aws:SourceArn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/workers/1"},
        {},
    ],
)
def test_a_trust_policy_is_for_one_account_and_region(context: dict[str, str]) -> None:
    assert Simulation.of_trust(TRUST).allows("sts:AssumeRole", ROLE, OUR_TASK)
    assert not Simulation.of_trust(TRUST).allows("sts:AssumeRole", ROLE, context)
    assert not Simulation.of_trust(TRUST, "lambda.amazonaws.com").allows("sts:AssumeRole", ROLE, OUR_TASK)
    assert Simulation.of_trust(without_conditions(TRUST)).allows("sts:AssumeRole", ROLE, context)


def test_a_bucket_policy_refuses_plain_http() -> None:
    def decide(bucket_policy: dict[str, Any], secure: str) -> str:
        asked = Simulation([READ_ALL], resource_policy=bucket_policy)
        return asked.decision("s3:GetObject", f"{BUCKET}/a", {"aws:SecureTransport": secure})

    assert decide(TLS_ONLY, "true") == "Allowed"
    assert decide(TLS_ONLY, "false") == "ExplicitlyDenied"
    assert decide(without_conditions(TLS_ONLY), "true") == "ExplicitlyDenied"


@pytest.mark.parametrize(
    ("documents", "action", "resource", "context", "complaint"),
    [
        ([READ_ALL], "s3:GetObjekt", f"{BUCKET}/a", {}, "invalid.action"),
        ([READ_ALL], "s3:GetObject", BUCKET, {}, "no.resource.types"),
        ([READ_ALL], "s3:GetObject", f"{BUCKET}/a", {"s3:prefix": "a"}, "no context key s3:prefix"),
        ([policy(Aktion="s3:GetObject")], "s3:GetObject", f"{BUCKET}/a", {}, "Aktion"),
    ],
)
def test_a_question_that_aws_would_not_get_is_an_error(
    documents: list[dict[str, Any]], action: str, resource: str, context: dict[str, str], complaint: str
) -> None:
    with pytest.raises(QuestionError, match=re.escape(complaint)):
        Simulation(documents).allows(action, resource, context)


def test_lock_files_name_no_registry() -> None:
    for folder in (CDKTF_CLI, IAM_SIMULATE):
        packages = json.loads((folder / "package-lock.json").read_text())["packages"]
        assert [name for name, package in packages.items() if "resolved" in package] == []
    requirements = (ROOT / "requirements-checkov.lock").read_text()
    assert "://" not in requirements and "--hash=sha256:" in requirements


def test_an_installation_is_made_anew_for_another_lock_file_or_after_a_failure(tmp_path: Path) -> None:
    folder, lock_file = tmp_path / "tool", tmp_path / "lock"
    made = []

    def install() -> None:
        made.append(lock_file.read_text())
        folder.mkdir()
        if lock_file.read_text() == "broken":
            raise RuntimeError

    for versions in ("1", "1", "2"):
        lock_file.write_text(versions)
        ensure_installed(folder, lock_file, install)
    lock_file.write_text("broken")
    for _ in range(2):
        with pytest.raises(RuntimeError):
            ensure_installed(folder, lock_file, install)
    assert made == ["1", "2", "broken", "broken"]


def cdktf_project(folder: Path, program: str) -> Path:
    (folder / "main.py").write_text(program)
    settings = {
        "language": "python",
        "app": "python main.py",
        "projectId": "tiny",
        "sendCrashReports": "false",
    }
    (folder / "cdktf.json").write_text(json.dumps(settings))
    return folder


def test_cdktf_gives_the_status_and_words_of_a_failure(tmp_path: Path) -> None:
    result = cdktf("deploy", project=cdktf_project(tmp_path, "raise SystemExit('no such environment')"))
    assert result.returncode != 0
    assert "no such environment" in result.stdout


LOGS_APP = """
from cdktf import App, TerraformResource, TerraformStack
from synthesis.suppression import suppress

stack = TerraformStack(app := App(), "logs")
provider = {"region": "us-east-1", "access_key": "a", "secret_key": "a", "skip_credentials_validation": True}
stack.add_override("provider.aws", [provider | {"skip_requesting_account_id": True}])
stack.add_override("terraform.required_providers.aws", {"source": "hashicorp/aws", "version": "5.100.0"})

def log_group(name, **reasons):
    group = TerraformResource(stack, name, terraform_resource_type="aws_cloudwatch_log_group")
    group.add_override("name", name)
    group.add_override("for_each", '${toset(["a.b[0]", "c"])}')
    suppress(group, reasons)

log_group("open")
log_group("answered", CKV_AWS_158="AWS's own key.", CKV_AWS_18="That is for buckets.")
app.synth()
"""


def test_checkov_reports_what_no_resource_answers_for(tmp_path: Path) -> None:
    def run(*command: str) -> str:
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    folder = cdktf_project(tmp_path, LOGS_APP)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run(sys.executable, "main.py")
    folder = tmp_path / "cdktf.out" / "stacks" / "logs"
    run("terraform", "init", "-input=false")
    run("terraform", "plan", "-input=false", "-out=plan")
    plan = tmp_path / "plan.json"
    plan.write_text(run("terraform", "show", "-json", "plan"))

    scan = checkov.scan({plan: folder / "cdk.tf.json"})

    instances = ['["a.b[0]"]', '["c"]']
    assert [(finding.check, finding.address) for finding in scan.failed] == [
        ("CKV_AWS_158", f"aws_cloudwatch_log_group.open{instance}") for instance in instances
    ]
    assert [(finding.address, finding.reason) for finding in scan.suppressed] == [
        (f"aws_cloudwatch_log_group.answered{instance}", "AWS's own key.") for instance in instances
    ]
    assert [(unused.address, unused.check) for unused in scan.unused] == [
        ("aws_cloudwatch_log_group.answered", "CKV_AWS_18")
    ]

    broken = tmp_path / "broken.json"
    broken.write_text(plan.read_text().replace("planned_values", "planed_values"))
    with pytest.raises(checkov.CheckovError, match=r"broken\.json"):
        checkov.scan({plan: folder / "cdk.tf.json", broken: folder / "cdk.tf.json"})


def test_checkov_refuses_what_is_no_plan(tmp_path: Path) -> None:
    empty = tmp_path / "plan.json"
    empty.write_text("{}")
    with pytest.raises(checkov.CheckovError, match=r"plan\.json"):
        checkov.scan({empty: empty})
