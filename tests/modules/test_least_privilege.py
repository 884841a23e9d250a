"""What the policies of a self-hosted environment refuse, asked of the evaluator of policies before anything is deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from modules.common.policies import Condition, Statement
from modules.network.settings import NetworkSettings
from modules.storage.settings import StorageSettings
from synthesis.expression import Expression
from synthesis.literals import hcl
from tests.modules.stack import template_of
from tests.support.console import evaluated
from tests.support.tools.iam import Simulation

ACCOUNT, OTHER, REGION = "123456789012", "999999999999", "eu-west-1"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
WORKERS = f"{ECS}:cluster/prod-workers"
TOLD = {
    r"data\.aws_caller_identity\.\w+\.account_id": f'"{ACCOUNT}"',
    r"data\.aws_region\.\w+\.id": f'"{REGION}"',
    r"data\.aws_partition\.\w+\.partition": '"aws"',
    r"\[aws_ecs_cluster\.(\w+)\.arn, aws_ecs_cluster_capacity_providers\.\w+\.id\]\[0\]": rf'"{ECS}:cluster/prod-\1"',
    r"aws_ecs_cluster_capacity_providers\.(\w+)\.cluster_name": r'"prod-\1"',
    r"aws_secretsmanager_secret\.token\[0\]\.arn": f'"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:token-AbCdEf"',
    r"data\.terraform_remote_state\.\w+\.outputs\.": "local.",
}
"""What a plan would know, in the places where the templates ask for it."""

Templates = dict[str, dict[str, Any]]
Document = dict[str, Any]


class Policies:
    """The policies of an environment's templates, evaluated by Terraform."""

    def __init__(self, templates: Templates, folder: Path) -> None:
        self._templates, self.folder = templates, folder

    def __call__(self, stack: str, address: str, key: str = "", **locals_: object) -> Document:
        """The policy of a resource, with other locals where they are given."""
        kind, name = address.split(".")
        written = self._templates[stack]["resource"][kind][name]["policy"]
        for pattern, value in TOLD.items():
            written = re.sub(pattern, value, written)
        written = written.replace("each.key", json.dumps(key))
        locals_of_stack = self._templates[stack].get("locals", {})
        told = {name: locals_of_stack[name] for name in ("name",) if name in locals_of_stack}
        document: Document = json.loads(evaluated(written, self.folder, **{**told, **locals_}))
        return document


@pytest.fixture
def policies(templates: Templates, tmp_path: Path) -> Policies:
    return Policies(templates, tmp_path)


def test_a_worker_protects_the_tasks_of_its_own_fleet_alone(policies: Policies) -> None:
    asks = Simulation([policies("workers", "aws_iam_role_policy.simulations_task_protection")])
    task = f"{ECS}:task/prod-workers/0123"

    def may(fleet: str | None, verb: str = "Update", cluster: str = WORKERS) -> bool:
        tag = {} if fleet is None else {"aws:ResourceTag/scythe:fleet": fleet}
        return asks.allows(f"ecs:{verb}TaskProtection", task, {"ecs:cluster": cluster, **tag})

    assert may("simulations") and may("simulations", "Get")
    for verb in ("Get", "Update"):
        assert not may("heavy", verb)
        assert not may(None, verb)
    assert not may("simulations", cluster=f"{ECS}:cluster/prod-hatchet")


@pytest.mark.parametrize("fleet", ["simulations", "heavy", "fanouts"])
def test_a_fleets_services_hand_their_tasks_the_tag_that_its_policy_asks_for(
    templates: Templates, fleet: str
) -> None:
    services = templates["workers"]["resource"]["aws_ecs_service"]
    assert services[fleet]["tags"]["scythe:fleet"] == fleet
    assert services[fleet]["propagate_tags"] == "SERVICE"


def test_the_set_up_starts_workers_anew_and_changes_nothing_of_them(policies: Policies) -> None:
    asks = Simulation([policies("hatchet", "aws_iam_role_policy.setup_task_roll_workers", name="prod")])
    service, own = f"{ECS}:service/prod-workers/simulations", {"ecs:cluster": WORKERS}
    definition = f"{ECS}:task-definition/foreign:1"
    assert asks.allows("ecs:UpdateService", service, own)
    assert not asks.allows("ecs:UpdateService", service, {**own, "ecs:task-definition": definition})
    for given in ("true", "false"):
        assert not asks.allows("ecs:UpdateService", service, {**own, "ecs:enable-execute-command": given})
    assert asks.allows("ecs:DescribeServices", service, own)


def test_forwarding_takes_its_one_document_and_no_shell_by_default(policies: Policies) -> None:
    asks = Simulation([policies("hatchet", "aws_iam_policy.forward", name="prod")])
    task = f"{ECS}:task/prod-hatchet/0123"
    assert asks.allows("ssm:StartSession", task, {"ssm:SessionDocumentAccessCheck": "true"})
    assert not asks.allows("ssm:StartSession", task, {"ssm:SessionDocumentAccessCheck": "false"})
    document = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/"
    assert asks.allows("ssm:StartSession", f"{document}AWS-StartPortForwardingSessionToRemoteHost")
    assert not asks.allows("ssm:StartSession", f"{document}AWS-StartInteractiveCommand")


BUCKET = "arn:aws:s3:::acme-scythe-results"
OURS, THEIRS = {"aws:ResourceAccount": ACCOUNT}, {"aws:ResourceAccount": OTHER}


def of_bucket(policies: Policies, who: str, *, existing: bool) -> Simulation:
    if who == "researcher":
        storage = StorageSettings(bucket="acme-scythe-results", existing=existing)
        asked = Policies({"storage": template_of("storage", storage=storage)}, policies.folder)
        token = {"token_secret_arn": None, "token_secret_key_arn": None, "existing_token_secret": None}
        document = asked("storage", "aws_iam_policy.researcher", bucket=storage.bucket, hatchet=token)
    else:
        document = policies(
            "workers", "aws_iam_role_policy.simulations_task_bucket", bucket_arn=BUCKET, prefix="scythe",
            bucket_account_id="" if existing else ACCOUNT, bucket_key_arn="",
        )  # fmt: skip
    return Simulation([document])


@pytest.mark.parametrize("who", ["simulations", "researcher"])
@pytest.mark.parametrize("existing", [False, True])
def test_a_bucket_is_the_own_accounts_where_that_is_known(
    policies: Policies, who: str, existing: bool
) -> None:
    asks = of_bucket(policies, who, existing=existing)
    for verb in ("Get", "Put"):
        assert asks.allows(f"s3:{verb}Object", f"{BUCKET}/scythe/a", OURS)
        assert asks.allows(f"s3:{verb}Object", f"{BUCKET}/scythe/a", THEIRS) is existing
    listing = {"s3:prefix": "scythe/a/"}
    assert asks.allows("s3:ListBucket", BUCKET, {**listing, **OURS})
    assert asks.allows("s3:ListBucket", BUCKET, {**listing, **THEIRS}) is existing


@pytest.mark.parametrize("who", ["simulations", "researcher"])
def test_a_listing_names_nothing_beside_the_prefix(policies: Policies, who: str) -> None:
    asks = of_bucket(policies, who, existing=False)
    for prefix, allowed in {
        "scythe/": True, "scythe/a/": True, "scythe": False, "scyth": False, "": False, "scythe-secret/": False,
    }.items():  # fmt: skip
        assert asks.allows("s3:ListBucket", BUCKET, {"s3:prefix": prefix, **OURS}) is allowed, prefix
    assert not asks.allows("s3:ListBucket", BUCKET, OURS)


LAYER = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/0123"
FOREIGN, OWN = {"aws:PrincipalAccount": OTHER}, {"aws:PrincipalAccount": ACCOUNT}
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def through(document: Document) -> Callable[[str, str, Mapping[str, str]], bool]:
    """Whether an endpoint's policy lets a request through: one that its principal's own policies allow."""
    statements = [
        {key: value for key, value in statement.items() if key != "Principal"}
        for statement in document["Statement"]
    ]
    assert {statement["Principal"] for statement in document["Statement"]} == {"*"}
    asks = Simulation([{**document, "Statement": statements}])
    return asks.allows


@pytest.mark.parametrize("network", ["closed", "nat", "public"])
def test_nothing_is_written_through_s3s_endpoint_with_foreign_keys(tmp_path: Path, network: str) -> None:
    settings = NetworkSettings(
        nat="single" if network == "nat" else "none",
        worker_subnets="public" if network == "public" else "private",
    )
    policies = Policies({"network": template_of("network", network=settings)}, tmp_path)
    allows = through(policies("network", "aws_vpc_endpoint.s3"))
    theirs = "arn:aws:s3:::anybodys/a"
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not allows(action, theirs, FOREIGN)
        assert not allows(action, theirs, {})
        assert not allows(action, LAYER, {})
        assert allows(action, f"{BUCKET}/scythe/a", OWN)
    assert allows("s3:GetObject", LAYER, {})
    assert allows("s3:GetObject", LAYER, FOREIGN)
    assert allows("s3:GetObject", theirs, FOREIGN) is (network != "closed")
    assert allows("s3:GetObject", theirs, {}) is (network != "closed")


def test_interface_endpoints_let_the_own_accounts_principals_through(policies: Policies) -> None:
    allows = through(policies("network", "aws_vpc_endpoint.interface", "secretsmanager"))
    secret = f"arn:aws:secretsmanager:{REGION}:{OTHER}:secret:drop-AbCdEf"
    assert allows("secretsmanager:PutSecretValue", secret, OWN)
    assert not allows("secretsmanager:PutSecretValue", secret, FOREIGN)
    assert not allows("secretsmanager:PutSecretValue", secret, {})
    ecr = through(policies("network", "aws_vpc_endpoint.interface", "ecr.api"))
    assert ecr("ecr:GetAuthorizationToken", "*", OWN)
    assert not ecr("ecr:GetAuthorizationToken", "*", FOREIGN)


def test_a_test_that_may_be_left_out_shares_its_name_with_no_other() -> None:
    same = [Condition("StringEquals", "a", ["1"]), Condition("StringEquals", "b", ["2"], Expression("x"))]
    with pytest.raises(ValueError, match="stands alone"):
        hcl(Statement(["s3:GetObject"], ["*"], same).document())
