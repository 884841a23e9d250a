"""The exported HCL plans what the environment's stacks plan."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

from environments.checking import check
from environments.loading import load
from environments.schema import Environment
from local_aws import LocalAws
from main import synthesize
from ops.export import write
from ops.export.repository import repository
from ops.terraform import Terraform
from tests.deployments.providers import Providers

DOCS = Path(__file__).parents[1] / "environments/docs.yaml"

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "large": {
        "network": {"az_count": 3, "nat": "per_az", "interface_endpoints": True, "flow_logs": {}},
        "storage": {
            "bucket": "our-results", "prefix": "a/b", "versioning": False, "force_destroy": True,
            "lifecycle": {"archive_after_days": 30, "delete_after_days": 400, "delete_old_versions_after_days": 7},
        },
    },
    "small": {
        "network": {"az_count": 1, "cidr": "10.9.0.0/22", "interface_endpoints": ["logs", "ecr.api"]},
        "storage": {"bucket": "somebodys-results", "existing": True},
    },
    "existing": {
        "network": {"existing": {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}},
        "storage": {},
    },
}  # fmt: skip

STACKS = [
    *(f"{name}-network" for name in ("docs", *ENVIRONMENTS)),
    *(f"{name}-storage" for name in ("large", "small")),
]

PROVIDER = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
    "provider": {"aws": {"region": "us-east-1"}},
}

OF_THE_STACK_ALONE = {
    "storage": {"aws_secretsmanager_secret.token[0]", "aws_iam_policy.researcher"},
    "network": set[str](),
}
"""What other constructs make in the stack of the same name."""

Resources = Mapping[str, Any]


def environments() -> dict[str, Environment]:
    workers = {"simulations": {"role": "leaf"}}
    return {"docs": load(DOCS)} | {
        name: check({"name": name, "workers": workers, **parts}) for name, parts in ENVIRONMENTS.items()
    }


def resources(plan: Mapping[str, Any], module: str = "") -> Resources:
    """What a plan would make, by address below the module: arguments, what is unknown of them, dependencies."""
    found = {
        change["address"].removeprefix(module): {
            "after": untagged(change["change"]["after"]),
            "unknown": untagged(change["change"]["after_unknown"]),
        }
        for change in plan.get("resource_changes", [])
        if change["address"].startswith(module)
    }
    configuration = plan["configuration"]["root_module"]
    if module:
        configuration = configuration["module_calls"][module.split(".")[1]]["module"]
    for resource in configuration["resources"]:
        for address, planned in found.items():
            if address.partition("[")[0] == resource["address"]:
                planned["depends_on"] = resource.get("depends_on")
    return found


def untagged(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in {"tags", "tags_all"}}


def differences(one: Resources, other: Resources) -> set[str]:
    return {address for address in one.keys() | other.keys() if one.get(address) != other.get(address)}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws.start() as started:
        started.client("s3").create_bucket(Bucket="somebodys-results")
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meaning")
    write(folder / "dist", repository(None))
    synthesize(environments().values(), folder / "cdktf.out")
    return folder


def plan_of(folder: Path, aws: LocalAws, providers: Providers) -> dict[str, Any]:
    """The plan of a configuration in a folder."""
    with providers.one(folder) as provider:
        terraform = Terraform(folder, {**aws.environment, **provider})
        terraform.init()
        terraform.plan(folder / "plan")
        return terraform.show_json(folder / "plan")


def plans_of_stacks(folder: Path, aws: LocalAws, providers: Providers) -> dict[str, dict[str, Any]]:
    """The plan of each stack."""
    return {stack: plan_of(folder / "cdktf.out/stacks" / stack, aws, providers) for stack in STACKS}


def plan_of_modules(folder: Path, aws: LocalAws, providers: Providers) -> dict[str, Any]:
    """The plan of a configuration with a module for each stack, and one with a module that was changed."""
    shutil.copytree(folder / "dist", folder / "changed")
    changed = folder / "changed/modules/network"
    for name, before, after in CHANGES:
        text = (changed / name).read_text()
        assert text.count(before) == 1, before
        (changed / name).write_text(text.replace(before, after))
    calls = {}
    for stack in STACKS:
        name, _, part = stack.rpartition("-")
        settings = getattr(environments()[name], part).model_dump(mode="json")
        if part == "storage":
            settings["storage_lifecycle"] = settings.pop("lifecycle")
        calls[stack] = {"source": f"./dist/modules/{part}", "name": name, **settings}
    calls["changed"] = calls["docs-network"] | {"source": "./changed/modules/network"}
    outputs = {name: {"value": f"${{module.{name}}}"} for name in calls}
    (folder / "main.tf.json").write_text(json.dumps({**PROVIDER, "module": calls, "output": outputs}))
    return plan_of(folder, aws, providers)


CHANGES = [
    ("subnets.tf", "cidrsubnet(var.cidr, 3, i)", "cidrsubnet(var.cidr, 3, i + 1)"),
    ("nat.tf", 'domain = "vpc"\n\n  tags = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })\n\n  depends_on = [aws_route.internet]', 'domain = "vpc"'),
    ("main.tf", "enable_dns_hostnames = true", "enable_dns_hostnames = false"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_stacks_and_modules_plan_the_same(folder: Path, aws: LocalAws) -> None:
    with Providers.of(aws.environment) as providers:
        stacks = plans_of_stacks(folder, aws, providers)
        modules = plan_of_modules(folder, aws, providers)

    for name, stack in stacks.items():
        theirs = resources(modules, f"module.{name}.")
        assert bool(theirs) == (name != "existing-network"), name
        assert differences(resources(stack), theirs) == OF_THE_STACK_ALONE[name.rpartition("-")[2]], name
        assert_same_outputs(stack["output_changes"], modules["output_changes"][name])

    seen = differences(resources(stacks["docs-network"]), resources(modules, "module.changed."))
    assert {address.partition("[")[0] for address in seen} == {
        "aws_eip.nat", "aws_subnet.private", "aws_vpc.this",
    }  # fmt: skip


def assert_same_outputs(stack: Mapping[str, Any], module: Mapping[str, Any]) -> None:
    known, unknown = module["after"], module["after_unknown"] or {}
    assert {"vpc_id", "bucket_name"} & (known.keys() | unknown.keys())
    for output in known.keys() | unknown.keys():
        assert (output, stack[output].get("after")) == (output, known.get(output))
        assert (output, stack[output]["after_unknown"]) == (output, unknown.get(output, False))


def test_a_resource_has_the_same_arguments_and_blocks_in_both(folder: Path) -> None:
    for part in ("network", "storage"):
        synthesized = json.loads((folder / f"cdktf.out/stacks/docs-{part}/cdk.tf.json").read_text())
        written = {kind: blocks(folder / "dist/modules" / part, kind) for kind in ("resource", "data")}
        for kind, names in written.items():
            for (type_, name), body in names.items():
                expected = synthesized[kind][type_][name]
                lifecycle = expected.get("lifecycle", {})
                assert body.keys() - {"tags"} == expected.keys() - {"//", "tags"}, (type_, name)
                assert {key for block in body.get("lifecycle", [{}]) for key in block} - {
                    "__is_block__"
                } == lifecycle.keys(), (type_, name)


def blocks(folder: Path, kind: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for path in sorted(folder.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            parsed = hcl2.load(file)
        for block in parsed.get(kind, []):
            for type_, names in block.items():
                for name, body in names.items():
                    if name != "__is_block__":
                        body.pop("__is_block__", None)
                        body.pop("__comments__", None)
                        found[type_.strip('"'), name.strip('"')] = body
    return found
