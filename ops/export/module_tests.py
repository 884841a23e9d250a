"""Each module's ``tests/*.tftest.hcl``: its defaults, its choices, and what its rules refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.export import given
from ops.export.blocks import argument, block, joined
from ops.export.choices import CHOICES, Choice
from ops.export.faults import faults
from ops.export.layout import STEP
from ops.export.rendering import render
from ops.export.syntax import expression

DATA: Mapping[str, Mapping[str, Any]] = {
    "aws_availability_zones": {
        "names": [f"{given.REGION}{zone}" for zone in "abcdef"],
        "zone_ids": [f"euw1-az{number}" for number in range(1, 7)],
    },
    "aws_caller_identity": {"account_id": given.ACCOUNT},
    "aws_ec2_managed_prefix_list": {"id": given.ATTRIBUTES["s3_prefix_list_id"]},
    "aws_partition": {"dns_suffix": "amazonaws.com", "partition": "aws"},
    "aws_region": {"id": given.REGION},
    "aws_route53_zone": {"name": "example.org", "private_zone": False},
    "aws_secretsmanager_secret_versions": {"versions": [{"version_id": "01234567"}]},
    "aws_vpc": {"cidr_block": "10.0.0.0/16", "enable_dns_hostnames": True, "enable_dns_support": True},
}
"""What data sources answer, by their type."""

_WITHOUT_A_REQUEST = ("aws_default_tags", "aws_partition", "aws_region")

MOCKS = "tests/mocks"


def mocks() -> dict[str, str]:
    """The answers of a mocked provider, which the submodules share."""
    blocks = [
        block("mock_data", (type_,), [[argument("defaults", values)]]) for type_, values in DATA.items()
    ]
    return {f"{MOCKS}/aws.tfmock.hcl": joined(blocks)}


def tests_of(
    name: str, variables: Mapping[str, Mapping[str, Any]], data: Iterable[str], *, has_ephemerals: bool
) -> dict[str, str]:
    """The tests of a module, by their paths in its folder.

    Args:
        name: the submodule's; empty for the root.
        variables: its variables in Terraform's JSON syntax.
        data: the addresses of the data sources in it and below.
        has_ephemerals: whether it has ephemeral resources or calls a module that has: mocks know none.
    """
    head = _provider(name, data, has_ephemerals=has_ephemerals)
    head += block("variables", (), [[argument(key, value) for key, value in given.values(variables).items()]])
    refused = [
        _run(f"refuses_{variable}", values, {"expect_failures": f"[var.{variable}]"})
        for variable, values in faults(name, variables).items()
    ]
    return {
        "tests/choices.tftest.hcl": joined([head, *map(_chosen, CHOICES[name])]),
        "tests/validation.tftest.hcl": joined([head, *refused]),
    }


def _provider(name: str, data: Iterable[str], *, has_ephemerals: bool) -> str:
    if not has_ephemerals:
        return render("tests/mock.tftest.hcl", mocks=f"../../{MOCKS}")
    overrides = [
        block("override_data", (), [[f"{STEP}target = {address}", argument("values", DATA[_type(address)])]])
        for address in data
        if _type(address) not in _WITHOUT_A_REQUEST
    ]
    template = "tests/real.tftest.hcl" if name else "tests/root.tftest.hcl"
    token = given.ATTRIBUTES["token_secret_arn"]
    hatchet = argument("outputs", given.HATCHET)
    return render(template, region=given.REGION, token=token, hatchet=hatchet, overrides="\n".join(overrides))


def _type(address: str) -> str:
    return address.rpartition("data.")[2].split(".")[0]


def _chosen(choice: Choice) -> str:
    checks = [
        f"{STEP}assert {{\n{argument('condition', f'${{{fact} == {expression(value)}}}', STEP * 2)}\n"
        f"{argument('error_message', _message(fact, value), STEP * 2)}\n{STEP}}}"
        for fact, value in choice.facts.items()
    ]
    return _run(choice.name, choice.given, {}, checks)


def _message(fact: str, value: Any) -> str:
    return f"{fact} must be {expression(value)}".replace("${", "$${")


def _run(name: str, values: Mapping[str, Any], last: Mapping[str, str], checks: Iterable[str] = ()) -> str:
    inner = [argument(key, value, STEP * 2) for key, value in values.items()]
    groups = [[f"{STEP}command = plan"]]
    groups += [[f"{STEP}variables {{", *inner, f"{STEP}}}"]] if inner else []
    groups += [[check] for check in checks]
    groups += [[f"{STEP}{key} = {text}" for key, text in last.items()]] if last else []
    return block("run", (name,), groups)
