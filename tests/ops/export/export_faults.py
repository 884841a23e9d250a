"""Faults of the exported modules' variables: for each module what is given, as the environment file has it."""

from __future__ import annotations

from typing import Any

Case = tuple[str, dict[str, Any]]
"""A module's name, empty for the root, and the keys of its section with their values."""

VPC = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
NAMED = {"domain": "hatchet.example.org", "certificate_arn": CERTIFICATE}
KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
ALIAS = "arn:aws:kms:us-east-1:123456789012:alias/ours"
TOKEN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf"
NIGHT = {"start": "cron(0 20 ? * * *)", "end": "cron(0 6 ? * * *)"}
LEAF: dict[str, Any] = {"role": "leaf"}
FAN: dict[str, Any] = {"role": "fan"}
ANNUAL = {**LEAF, "experiments": ["annual"]}
DIGEST = f"sha256:{64 * '0'}"
HOSTED = {"mode": "self_hosted"}
PUBLIC = {"vpc_id": "vpc-12345678", "public_subnet_ids": ["subnet-12345678", "subnet-23456789"]}

NETWORK: list[dict[str, Any]] = [
    {"azs": ["here"]},
    {"azs": ["us-east-1a"]},
    {
        "azs": ["us-east-1a", "us-east-1b"],
        "existing": {"vpc_id": "vpc-01234567", "private_subnet_ids": ["subnet-01234567"]},
    },
    {"cidr": "10.0.0.1/16"},
    {"cidr": "11.0.0.0/16"},
    {"az_count": 0},
    {"az_count": 7},
    {"az_count": 1.5},
    {"nat": "gateway"},
    {"interface_endpoints": ["ecr.api", "no-such"]},
    {"interface_endpoints": []},
    {"interface_endpoints": "all"},
    {"flow_logs": {"retention_days": 2}},
    {"worker_subnets": "both"},
    {"existing": {**VPC, "vpc_id": "my-vpc"}},
    {"existing": {**VPC, "private_subnet_ids": ["subnet-12345678", "subnet-12345678"]}},
    {"existing": {**VPC, "public_subnet_ids": ["x"]}},
    {"existing": VPC, "worker_subnets": "public"},
    {"existing": VPC, "cidr": "10.1.0.0/16"},
    {"existing": VPC, "az_count": 3},
    {"existing": VPC, "nat": "none"},
    {"existing": VPC, "interface_endpoints": ["ecr.api"]},
    {"existing": VPC, "flow_logs": {}},
    {"cidr": "10.0.0.0/30", "az_count": 9, "nat": "no"},
]

STORAGE: list[dict[str, Any]] = [
    {"bucket": "Results"},
    {"bucket": "results-s3alias"},
    {"prefix": "/results"},
    {"prefix": "a/../b"},
    {"existing": True},
    {"existing": True, "bucket": "results", "versioning": False},
    {"existing": True, "bucket": "results", "force_destroy": True},
    {"existing": True, "bucket": "results", "lifecycle": {"delete_after_days": 5}},
    {"lifecycle": {"archive_after_days": 0}},
    {"lifecycle": {"delete_after_days": 40000}},
    {"lifecycle": {"delete_old_versions_after_days": 0.5}},
    {"lifecycle": {"archive_after_days": 30, "delete_after_days": 30}},
]

HATCHET: list[dict[str, Any]] = [
    {"version": "latest"},
    {"domain": "Hatchet", "certificate_arn": CERTIFICATE},
    {**NAMED, "certificate_arn": TOKEN},
    {"certificate_arn": CERTIFICATE},
    {"domain": "hatchet.example.org"},
    {**NAMED, "zone_id": "Z0123456789ABC"},
    {"domain": "hatchet.example.org", "zone_id": "example.org."},
    {"zone_id": "Z0123456789ABC"},
    {"enable_https": True},
    {"create_certificate": True},
    {**NAMED, "allowed_cidrs": ["203.0.113.1/24"]},
    {**NAMED, "allowed_cidrs": ["1.0.0.0/7"]},
    {"allowed_cidrs": ["10.0.0.0/8"]},
    {"admin_email": "me"},
    {"broker": "redis"},
    {"database": {"engine_version": "14"}},
    {"database": {"instance_class": "t4g.small"}},
    {"engine": {"count": 8}, "database": {"instance_class": "db.t4g.micro"}},
    {"database": {"storage_gb": 19, "max_storage_gb": 70000, "backup_days": 36, "password_version": 0}},
    {"database": {"storage_gb": 100, "max_storage_gb": 109}},
    {"broker": "rabbitmq", "rabbitmq": {"cpu": 3}},
    {"broker": "rabbitmq", "rabbitmq": {"memory": 0.25}},
    {"broker": "rabbitmq", "rabbitmq": {"cpu": 0.5, "memory": 8}},
    {"broker": "amazon_mq", "amazon_mq": {"instance_type": "m7g.large"}},
    *(
        {service: given}
        for service in ("engine", "api", "dashboard")
        for given in ({"cpu": 3}, {"count": 0, "architecture": "arm"}, {"memory": 121}, {"cpu": 4, "memory": 5})
    ),
    {"token_days": 0},
    {"database": {"ca_certificate": "ours"}},
    {"image_digests": {"nginx": DIGEST, "postgres": "sha256:1"}},
    {"version": f"v0.73.0@{DIGEST}", "image_digests": {"hatchet-engine": DIGEST.replace("0", "1")}},
]  # fmt: skip

CAPACITY: list[dict[str, Any]] = [
    {"spot": -1},
    {"on_demand": 1001, "on_demand_base": 5001},
    {"fallback": {"max": 0, "minutes": 2}},
    {"spot": 0},
    {"on_demand_base": 1},
    {"spot": 0, "on_demand": 1, "fallback": {"max": 3}},
]

FLEET: list[dict[str, Any]] = [
    {"role": "worker"},
    {"cpu": 3},
    {"memory": 0.25},
    {"memory": 17},
    {"cpu": 0.25, "memory": 3},
    {"cpu": 8, "memory": 17},
    {"role": "fan", "cpu": 1, "memory": 9},
    {"architecture": "x86"},
    {"slots": 0},
    {"slots": 1.5},
    {"experiments": []},
    {"experiments": ["scythe_scatter_gather"]},
    {"role": "fan", "experiments": ["scythe_experiment_annual"]},
    *({"capacity": capacity} for capacity in CAPACITY),
    {"scaling": {"min": -1}},
    {"scaling": {"max": 5001, "quiet_minutes": 0}},
    {"scaling": {"min": 101}},
    {"role": "fan", "scaling": {"min": 11}},
    {"scaling": {"min": 3, "max": 2}},
    {
        "scaling": {
            "schedule": [{**NIGHT, "start": f"cron({minute} 1 ? * * *)", "max": 5} for minute in range(21)]
        }
    },
    {"scaling": {"schedule": [{**NIGHT, "max": 5}, {"start": "at night", "end": "later", "max": 5}]}},
    {"scaling": {"schedule": [{**NIGHT, "min": -1, "max": 5001}]}},
    {"scaling": {"schedule": [{**NIGHT, "max": 5, "timezone": "in Paris"}]}},
    {
        "scaling": {
            "schedule": [{**NIGHT, "min": 101}, {**NIGHT, "start": "rate(7 days)", "min": 7, "max": 6}]
        }
    },
    {"scaling": {"schedule": [{"start": NIGHT["start"], "end": NIGHT["start"], "max": 5}]}},
    {"scaling": {"schedule": [{**NIGHT, "max": 5}, {**NIGHT, "max": 6}]}},
    {"ephemeral_storage_gb": 20},
    {"environment": {f"MODEL_{number}": "" for number in range(101)}},
    {"environment": {"MODEL-A": "a", "MODEL": "two\nlines"}},
    {"environment": {"API_TOKEN": "abc", "ALSO": "AKIAIOSFODNN7EXAMPLE"}},
    {"environment": {"SCYTHE_X": "a", "HOME": "/"}},
    {"environment": {f"MODEL_{number}": "<" * 999 for number in range(9)}},
    {"secrets": {f"SECRET_{number}": TOKEN for number in range(51)}},
    {"secrets": {"A-B": TOKEN, "LICENSE": "the license"}},
    {"secrets": {"AWS_REGION": TOKEN}},
    {"secrets": {"SITE": TOKEN}, "secrets_key_arns": [ALIAS]},
    {"secrets_key_arns": [KEY]},
    {"secrets": {"SITE": TOKEN}, "environment": {"SITE": "a"}},
    {"timeouts": {"scatter_gather": {"schedule": "1d", "execution": "0h"}}},
    {"timeouts": {"experiment": {"schedule": "1", "execution": "1 h"}}},
    {"image": "example/worker"},
    {"image": "example/worker:latest"},
]

BACKLOG: list[dict[str, Any]] = [
    {},
    {f"fleet-{number}": LEAF for number in range(51)},
    {"Simulations": LEAF, "hatchet": LEAF},
    {"simulations": {"role": "worker"}},
    {"simulations": {**LEAF, "architecture": "x86", "slots": 0, "experiments": []}},
    {"simulations": {**LEAF, "environment": {f"MODEL_{number}": "" for number in range(101)}}},
    {"simulations": {**LEAF, "environment": {"MODEL-A": "a", "MODEL": "two\nlines"}}},
    {"simulations": {**LEAF, "timeouts": {"scatter_gather": {"schedule": "1d", "execution": "0h"}}}},
    {"simulations": {**LEAF, "timeouts": {"experiment": {"schedule": "1", "execution": "1 h"}}}},
    {"simulations": {**LEAF, "image": "example/worker:latest"}},
    *({"simulations": {**LEAF, "capacity": capacity}} for capacity in CAPACITY),
]

FAULTS: list[Case] = [
    *(("network", given) for given in NETWORK),
    *(("storage", given) for given in STORAGE),
    *(("hatchet", {"mode": "self_hosted", **given}) for given in HATCHET),
    ("client-token", {"token_secret_arn": CERTIFICATE}),
    ("client-token", {"token_secret_arn": TOKEN, "token_secret_key_arn": ALIAS}),
    ("client-token", {"token_secret_key_arn": KEY}),
    ("repositories", {"mode": "hosted"}),
    ("repositories", {"mode": "self_hosted", "broker": "redis"}),
    ("repositories", {"mode": "self_hosted", "image_registry": "docker"}),
    *(("worker-fleet", {**LEAF, **given}) for given in FLEET),
    *(("backlog", given) for given in BACKLOG),
    ("observability", {"alarm_email": "me"}),
    ("observability", {"monthly_budget_usd": 0}),
    ("observability", {"enable_mail": True}),
    ("observability", {"enable_budget": True}),
    ("client-token", {"existing_token_secret": True}),
    ("", {"name": "Docs"}),
    ("", {"name": "a-name-of-more-than-24-letters"}),
    ("", {"permissions_boundary": "arn:aws:iam::123456789012:role/boundary"}),
    ("", {"image": "example/worker:latest"}),
    ("", {"workers": {}}),
    ("", {"workers": {f"fleet-{number}": FAN for number in range(51)}}),
    ("", {"workers": {"Simulations": FAN, "backlog": FAN, "leaf-on-demand": FAN}}),
    ("", {"network": {"nat": "none"}}),
    (
        "",
        {
            "network": {"nat": "none", "interface_endpoints": True},
            "hatchet": {**HOSTED, "image_registry": "upstream"},
        },
    ),
    ("", {"network": {"az_count": 1}, "hatchet": HOSTED}),
    ("", {"network": {"cidr": "10.0.0.0/22"}, "hatchet": HOSTED}),
    ("", {"network": {"existing": VPC}, "hatchet": HOSTED}),
    ("", {"network": {"existing": PUBLIC, "worker_subnets": "public"}, "hatchet": HOSTED}),
    ("", {"workers": {"a": ANNUAL, "b": ANNUAL, "c": LEAF}}),
    ("", {"workers": {"a": LEAF, "b": LEAF, "c": FAN}}),
]

OF_NO_SECTION: list[Case] = [
    ("researcher", {"workers_cluster": "a cluster"}),
    ("cluster", {"part": "Workers"}),
    ("hatchet", {"workers_cluster": "a cluster", "log_retention_days": 2}),
    ("worker-fleet", {"fleet": "backlog"}),
    ("worker-fleet", {"experiments_elsewhere": ["scythe_scatter_gather"], "log_retention_days": 2}),
    ("backlog", {"alarm_topic": "a topic", "log_retention_days": 2}),
    *(
        (module, {f"{kind}_key_arn": ALIAS for kind in kinds})
        for module, kinds in {
            "network": ["logs"],
            "storage": ["bucket", "repositories"],
            "client-token": ["secrets"],
            "repositories": ["repositories"],
            "worker-fleet": ["logs"],
            "backlog": ["logs"],
            "hatchet": ["secrets", "logs"],
            "researcher": ["logs"],
        }.items()
    ),
]
"""Faults of what modules are told beside their settings, by variable."""

VALID: list[Case] = [
    ("network", {}),
    ("network", {"az_count": 6, "nat": "per_az", "interface_endpoints": True, "flow_logs": {}}),
    ("network", {"interface_endpoints": ["ecr.api"], "flow_logs": {"retention_days": 3653}}),
    ("network", {"existing": VPC}),
    ("storage", {}),
    ("storage", {"bucket": "results", "existing": True}),
    ("storage", {"lifecycle": {"archive_after_days": 1, "delete_after_days": 2}, "versioning": False}),
    ("hatchet", {"mode": "self_hosted"}),
    ("hatchet", {"mode": "self_hosted", **NAMED, "allowed_cidrs": ["0.0.0.0/0", "10.0.0.0/8"]}),
    ("hatchet", {"mode": "self_hosted", "broker": "rabbitmq", "rabbitmq": {"cpu": 0.5, "memory": 2}}),
    ("hatchet", {"mode": "self_hosted", "database": {"storage_gb": 100, "max_storage_gb": 110}}),
    ("worker-fleet", LEAF),
    ("worker-fleet", {"role": "fan", "scaling": {"min": 10}}),
    ("worker-fleet", {**LEAF, "cpu": 0.25, "capacity": {"spot": 0, "on_demand": 1}, "secrets": {"SITE": TOKEN}}),
    ("worker-fleet", {**LEAF, "scaling": {"min": 100, "schedule": [{**NIGHT, "max": 200, "min": 150}]}}),
    ("backlog", {"simulations": LEAF, "fan": {"role": "fan"}}),
    ("observability", {"alarm_email": "a@example.org", "monthly_budget_usd": 1}),
    ("", {"name": "a-name-of-just-24-letter"}),
    ("", {"permissions_boundary": "arn:aws-cn:iam::aws:policy/PowerUserAccess"}),
]  # fmt: skip
