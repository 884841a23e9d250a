"""The least that each module is given: in its usage and in its tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_ARN = f"{REGION}:{ACCOUNT}"

NAME = "docs"
FLEET = "simulations"

VALUES: Mapping[str, Any] = {
    "name": NAME,
    "fleet": FLEET,
    "role": "leaf",
    "workers": {FLEET: {"role": "leaf"}},
    "fleets": {FLEET: {"role": "leaf"}},
    "workers_cluster": f"{NAME}-workers",
}
"""A value for each variable without a default that is no object of another module's."""

ATTRIBUTES: Mapping[str, Any] = {
    "arn": f"arn:aws:ecs:{_ARN}:cluster/{NAME}-workers",
    "name": f"{NAME}-workers",
    "vpc_id": "vpc-0123456789abcdef0",
    "public_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "private_subnet_ids": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "worker_subnet_ids": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "worker_public_ip": False,
    "has_way_out": True,
    "private_has_way_out": True,
    "has_interface_endpoints": False,
    "endpoint_security_group_id": "",
    "s3_prefix_list_id": "pl-0123456789abcdef0",
    "bucket_name": f"{NAME}-results",
    "bucket_arn": f"arn:aws:s3:::{NAME}-results",
    "bucket_account_id": "",
    "bucket_key_arn": "",
    "prefix": "scythe",
    "repository_url": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}/worker",
    "token_secret_arn": f"arn:aws:secretsmanager:{_ARN}:secret:{NAME}/hatchet-client-token-AbCdEf",
    "token_secret_key_arn": "",
    "hatchet_repository_urls": {},
}
"""A value for each attribute that an object of another module's has."""

HATCHET: Mapping[str, str] = {
    "engine_address": "engine.docs.scythe.internal:7070",
    "engine_url": "http://api.docs.scythe.internal:8080",
    "engine_security_group_id": "sg-0123456789abcdef0",
    "api_security_group_id": "sg-0123456789abcdef1",
}
"""What a self-hosted Hatchet gives."""

OBJECTS: Mapping[str, str] = {
    "cluster": "cluster",
    "network": "network",
    "repositories": "repositories",
    "storage": "storage",
    "token": "client_token",
}
"""The call whose outputs each variable that is an object of another module's takes."""


def values(variables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A value for each variable that has no default."""
    return {
        name: _attributes(body["type"]) if name in OBJECTS else VALUES[name]
        for name, body in variables.items()
        if "default" not in body
    }


def usage(variables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a call beside the other modules' gives each variable that has no default."""
    return {
        name: f"${{module.{OBJECTS[name]}}}" if name in OBJECTS else VALUES[name]
        for name, body in variables.items()
        if "default" not in body
    }


def _attributes(type_: str) -> dict[str, Any]:
    return {name: ATTRIBUTES[name] for name in re.findall(r"(\w+) = ", type_)}
