"""The rules say the same to Terraform as to Python: the real Terraform evaluates their conditions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, get_args

from pydantic import create_model

from environments.schema import Environment
from environments.sections import StateSettings
from modules.hatchet.settings import Database, HatchetSettings, RabbitMq
from modules.network.settings import NetworkSettings
from modules.observability.settings import ObservabilitySettings
from modules.storage.settings import Lifecycle, StorageSettings
from modules.worker_fleet.scaling import Capacity, Scaling
from modules.worker_fleet.settings import FleetSettings
from synthesis.functions import given
from synthesis.lists import collect_entries
from synthesis.literals import hcl
from synthesis.rules import CrossRule, ItemRule, Rule, Settings
from synthesis.typed import settings_of, typed

KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
TOKEN_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf"

VALUES: dict[tuple[type[Settings], str], list[Any]] = {
    (NetworkSettings, "cidr"): [
        "10.0.0.0/16", "172.31.0.0/22", "100.64.0.0/20", "10.0.0.1/16", "10.0.0.0/8", "10.0.0.0/24", "11.0.0.0/16",
        "10.0.0.0", "10.0.0.0/16 ", "10.0.0.0/16\n", "", "fd00::/16", "10.0.0.0.0/16", "10.00.0.0/16", "172.32.0.0/16",
    ],
    (NetworkSettings, "az_count"): [1, 6, 0, 7, -1],
    (NetworkSettings, "nat"): ["none", "per_az", "", "no"],
    (NetworkSettings, "interface_endpoints"): [True, False, ["ecr.api"], ["ecr.api", "ecr.api"], ["x"], []],
    (StorageSettings, "bucket"): [
        "abc", "a.b-c", "ab", "a..b", "Abc", "1.2.3.4", "xn--abc", "abc-s3alias", "a" * 63, "a" * 64, "-abc", "a\n",
    ],
    (StorageSettings, "prefix"): ["scythe", "a/b.c", "/a", "a/", "a//b", "a/../b", ".", "*", "${a}", "a b", ""],
    (Lifecycle, "archive_after_days"): [1, 36500, 0],
    (FleetSettings, "role"): ["leaf", "fan", "Leaf"],
    (FleetSettings, "cpu"): [0.25, 16, 3],
    (FleetSettings, "slots"): [1, 0, 1001],
    (FleetSettings, "image"): ["a/b:1", f"a@sha256:{'0' * 64}", "a/b:latest", "a/b", "A/b:1"],
    (FleetSettings, "experiments"): [["a"], [], ["a", "a"], ["scythe_scatter_gather"], ["a b"]],
    (HatchetSettings, "broker"): ["postgres", "amazon_mq", "elasticache"],
    (HatchetSettings, "version"): ["v0.104.7", "latest", "0.104.7"],
    (HatchetSettings, "allowed_cidrs"): [["203.0.113.0/24", "0.0.0.0/0"], ["203.0.113.1/24"], ["203.0.113.1/33"], ["x"]],
    (HatchetSettings, "domain"): ["a.example.org", "A.example.org", "a", "-a.org"],
    (HatchetSettings, "token_days"): [3, 4, 3650],
    (RabbitMq, "cpu"): [0.25, 0.5, 16],
    (Database, "engine_version"): ["16", "17.2", "9", "sixteen"],
}  # fmt: skip

BARE: dict[type[Settings], type[Settings]] = {}

DAILY = {"start": "rate(1 day)", "end": "rate(2 days)"}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:license-AbCdEf"
LAB: dict[str, Any] = {"name": "lab", "workers": {"simulations": {"role": "leaf"}}}
ANNUAL = {"role": "leaf", "experiments": ["annual"]}
CLOSED: dict[str, Any] = {
    "network": {"nat": "none", "interface_endpoints": True}, "hatchet": {"mode": "self_hosted"},
}  # fmt: skip
VPC = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}
DIGEST = f"sha256:{64 * '0'}"
COMBINATIONS: list[tuple[type[Settings], dict[str, Any]]] = [
    (NetworkSettings, {}),
    (
        NetworkSettings,
        {"nat": "none", "existing": {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}},
    ),
    (NetworkSettings, {"existing": {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}}),
    (
        NetworkSettings,
        {"existing": {"vpc_id": "vpc-12345678"}, "interface_endpoints": ["ecr.api"], "flow_logs": {}},
    ),
    (NetworkSettings, {"worker_subnets": "public", "existing": {"vpc_id": "vpc-12345678"}}),
    (NetworkSettings, {"az_count": 3, "cidr": "10.1.0.0/16", "existing": {"vpc_id": "vpc-12345678"}}),
    (StorageSettings, {}),
    (StorageSettings, {"existing": True, "bucket": "abc", "force_destroy": True}),
    (StorageSettings, {"existing": True}),
    (StorageSettings, {"existing": True, "bucket": "abc"}),
    (
        StorageSettings,
        {"existing": True, "bucket": "abc", "lifecycle": {"delete_after_days": 5}, "versioning": False},
    ),
    (
        StorageSettings,
        {"existing": True, "bucket": "abc", "lifecycle": {"delete_old_versions_after_days": 5}},
    ),
    (Lifecycle, {}),
    (Lifecycle, {"archive_after_days": 5}),
    (Lifecycle, {"archive_after_days": 5, "delete_after_days": 5}),
    (Lifecycle, {"archive_after_days": 4, "delete_after_days": 5}),
    (
        FleetSettings,
        {"role": "leaf", "environment": {"MODEL": "a", "DB_TOKEN": "b"}, "secrets": {"MODEL": SECRET}},
    ),
    (FleetSettings, {"role": "leaf", "environment": {"SITE": "eyJabcdefgh.abcdefgh", "HOME": "/"}}),
    (FleetSettings, {"role": "leaf", "environment": {"SITE": "https://a.b/c", "AWS_REGIONS": "x"}}),
    (
        FleetSettings,
        {"role": "leaf", "environment": {"SITE": "https://me:mine@a.b"}, "secrets": {"ECS_X": SECRET}},
    ),
    *(
        (FleetSettings, {"role": "leaf", "environment": dict.fromkeys([f"N{n}" for n in range(100)], value)})
        for value in (
            "x" * 274,
            "x" * 275,
            "x" * 1000,
            "ü" * 130,
            "ü" * 140,
            "<" * 40,
            "<" * 50,
            "\\" * 130,
            "\\" * 140,
            "\u2028" * 50,
        )
    ),
    (Environment, LAB),
    (Environment, {**LAB, "network": {"nat": "none"}}),
    (Environment, {**LAB, "network": {"nat": "none", "worker_subnets": "public"}}),
    (Environment, {**LAB, **CLOSED}),
    (Environment, {**LAB, **CLOSED, "hatchet": {"mode": "self_hosted", "image_registry": "upstream"}}),
    (Environment, {**LAB, "hatchet": {"mode": "self_hosted"}, "network": {"az_count": 1}}),
    (Environment, {**LAB, "hatchet": {"mode": "self_hosted"}, "network": {"cidr": "10.0.0.0/22"}}),
    (Environment, {**LAB, "hatchet": {"mode": "self_hosted"}, "network": {"existing": VPC}}),
    (Environment, {**LAB, "workers": {"a": {**ANNUAL}, "b": {**ANNUAL}, "c": {"role": "leaf"}}}),
    (Environment, {**LAB, "workers": {"a": {"role": "leaf"}, "b": {"role": "leaf"}, "c": {"role": "fan"}}}),
    (Capacity, {"spot": 0}),
    (Capacity, {"on_demand_base": 1}),
    (Capacity, {"on_demand": 1}),
    (Capacity, {"spot": 0, "on_demand": 1, "fallback": {"max": 5}}),
    (Capacity, {"fallback": {"max": 5}}),
    (Scaling, {"min": 3, "max": 2}),
    (Scaling, {"schedule": [{**DAILY, "timezone": zone} for zone in ("UTC", "UTC")]}),
    (Scaling, {"schedule": [{**DAILY, "timezone": zone} for zone in ("UTC", "Europe/Paris")]}),
    *(
        (FleetSettings, {"role": "leaf", "environment": {name: value}})
        for name in (
            "DB_PASSWORD",
            "MYSQL_PWD",
            "MAX_TOKEN",
            "GRB_WLSSECRET",
            "home",
            "Hatchet_Client_Token",
            "PLAIN",
        )
        for value in ("4096", "true", "", "redis://:a@b", "https://a.b:80/x@y", "x?token=abcdef", "hunter2")
    ),
    (FleetSettings, {"role": "leaf"}),
    (FleetSettings, {"role": "leaf", "cpu": 0.25, "memory": 0.5}),
    (FleetSettings, {"role": "leaf", "cpu": 8, "memory": 18}),
    (FleetSettings, {"role": "fan", "experiments": ["a"]}),
    (FleetSettings, {"role": "leaf", "secrets_key_arns": [KEY]}),
    (FleetSettings, {"role": "leaf", "secrets_key_arns": [KEY], "secrets": {"A": TOKEN_ARN}}),
    (StateSettings, {"backend": "s3"}),
    (StateSettings, {"bucket": "abc"}),
    (StateSettings, {"kms_key_id": "alias/a"}),
    (StateSettings, {"backend": "s3", "bucket": "abc", "kms_key_id": "alias/a"}),
    (Database, {"storage_gb": 100, "max_storage_gb": 109}),
    (Database, {"storage_gb": 100, "max_storage_gb": 110}),
    (HatchetSettings, {}),
    (HatchetSettings, {"mode": "self_hosted"}),
    (HatchetSettings, {"token_secret_key_arn": KEY}),
    (HatchetSettings, {"token_secret_key_arn": KEY, "token_secret_arn": TOKEN_ARN}),
    (HatchetSettings, {"mode": "self_hosted", "zone_id": "Z123"}),
    (NetworkSettings, {"azs": ["us-east-1a"]}),
    (NetworkSettings, {"azs": ["us-east-1a", "us-east-1b"]}),
    (
        NetworkSettings,
        {
            "azs": ["us-east-1a", "us-east-1b"],
            "existing": {"vpc_id": "vpc-01234567", "private_subnet_ids": ["subnet-01234567"]},
        },
    ),
    (HatchetSettings, {"existing_token_secret": True}),
    (HatchetSettings, {"existing_token_secret": True, "token_secret_arn": TOKEN_ARN}),
    (HatchetSettings, {"mode": "self_hosted", "enable_https": True}),
    (HatchetSettings, {"mode": "self_hosted", "create_certificate": True}),
    (ObservabilitySettings, {"enable_mail": True}),
    (ObservabilitySettings, {"enable_budget": True, "monthly_budget_usd": 5}),
    (ObservabilitySettings, {"enable_budget": False, "monthly_budget_usd": 5}),
    (
        HatchetSettings,
        {"mode": "self_hosted", "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1"},
    ),
    (HatchetSettings, {"mode": "self_hosted", "domain": "a.org"}),
    (HatchetSettings, {"mode": "self_hosted", "database": {"instance_class": "db.t4g.micro"}}),
    (
        HatchetSettings,
        {"mode": "self_hosted", "database": {"instance_class": "db.t4g.micro"}, "engine": {"count": 2}},
    ),
    *(
        (
            HatchetSettings,
            {"mode": "self_hosted", "version": version, "image_digests": {"hatchet-engine": DIGEST}},
        )
        for version in (f"v0.104.7@sha256:{64 * '1'}", f"v0.104.7@{DIGEST}", "v0.104.7")
    ),
    (HatchetSettings, {"mode": "self_hosted", "engine": {"count": 5}}),
    (HatchetSettings, {"mode": "self_hosted", "engine": {"count": 4}}),
    (
        HatchetSettings,
        {"mode": "self_hosted", "database": {"instance_class": "db.r6g.12xlarge"}, "api": {"count": 20}},
    ),
    (
        HatchetSettings,
        {"mode": "self_hosted", "database": {"instance_class": "db.x2g.metal"}, "api": {"count": 20}},
    ),
    (HatchetSettings, {"mode": "self_hosted", "allowed_cidrs": ["0.0.0.0/0"]}),
    (
        HatchetSettings,
        {"mode": "self_hosted", "domain": "a.org", "zone_id": "Z123", "allowed_cidrs": ["0.0.0.0/0"]},
    ),
    (
        HatchetSettings,
        {"mode": "self_hosted", "domain": "a.org", "admin_email": "a@b.org", "zone_id": "Z123"},
    ),
    (
        HatchetSettings,
        {
            "mode": "self_hosted",
            "domain": "a.org",
            "zone_id": "Z1234",
            "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
        },
    ),
]


def evaluated(conditions: list[str], folder: Path) -> list[bool]:
    """What Terraform says of conditions."""
    # A line of the console's has at most 64 KiB.
    lines = ",\n".join(f"({condition})" for condition in conditions)
    (folder / "main.tf").write_text(f"locals {{\n  answers = [{lines}]\n}}\n")
    ran = subprocess.run(
        ["terraform", "console"],
        cwd=folder,
        input="jsonencode(local.answers)\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = json.loads(json.loads(ran.stdout))
    assert isinstance(answers, list)
    return answers


def literal(value: object) -> str:
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def rule_of(model: type[Settings], name: str) -> Rule:
    field = model.model_fields[name]
    found = [*field.metadata, *(extra for part in get_args(field.annotation) for extra in get_args(part))]
    return next(item for item in found if isinstance(item, Rule))


def test_a_rule_on_one_value(tmp_path: Path) -> None:
    cases = [(key, value) for key, values in VALUES.items() for value in values]

    answers = evaluated(
        [hcl(rule_of(*key).check(expression(*key, literal(value)))) for key, value in cases], tmp_path
    )

    said = [(key, value, rule_of(*key).check(value)) for key, value in cases]
    assert said == [(key, value, answer) for (key, value), answer in zip(cases, answers, strict=True)]


def test_null_passes_where_a_value_may_be_left_out(tmp_path: Path) -> None:
    conditions = [hcl(given(expression(*key, "null"), rule_of(*key).check, otherwise=True)) for key in VALUES]

    assert all(evaluated(conditions, tmp_path))


def test_rules_on_several_values(tmp_path: Path) -> None:
    cases = []
    for model, data in COMBINATIONS:
        # What the rules are asked about is built without them, the defaults filled in by validation of its parts.
        settings = unchecked(model, data)
        whole = settings.model_dump(mode="json")
        expressions = settings_of(
            model, {name: expression(model, name, literal(value)) for name, value in whole.items()}
        )
        cases += [(rule, settings, condition_of(rule, expressions)) for rule in model.rules]

    answers = evaluated([condition for _, _, condition in cases], tmp_path)

    said = [(str(settings), str(rule), not [*rule.faults(settings)]) for rule, settings, _ in cases]
    assert said == [
        (str(settings), str(rule), answer) for (rule, settings, _), answer in zip(cases, answers, strict=True)
    ]
    refused = {
        (type(settings), str(rule))
        for (rule, settings, _), answer in zip(cases, answers, strict=True)
        if not answer
    }
    assert refused == {(type(settings), str(rule)) for rule, settings, _ in cases}, (
        "a rule that nothing here breaks"
    )


def condition_of(rule: CrossRule | ItemRule, expressions: Any) -> str:
    if isinstance(rule, CrossRule):
        return hcl(rule.check(expressions))
    items = getattr(expressions, rule.key)
    each = collect_entries(items, lambda name, value: rule.check(expressions, name, value))
    return f"alltrue({hcl(each)})"


def expression(model: type[Settings], name: str, text: str) -> Any:
    return typed(model.model_fields[name].annotation, text)


def unchecked(model: type[Settings], given: dict[str, Any]) -> Settings:
    bare = create_model(model.__name__, __base__=model)
    bare.rules = ()
    return BARE.setdefault(model, bare).model_validate(given)
