"""One wrong value for each variable that has rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.export.given import ATTRIBUTES

OF_TYPE: Mapping[str, Any] = {"string": "?", "number": -1, "list(string)": ["?", "?"]}
"""What no rule of a type lets through."""

WRONG: Mapping[str, Any] = {
    "amazon_mq": {"instance_type": "?"},
    "api": {"cpu": 3},
    "azs": ["eu-west-1a"],
    "capacity": {"spot": -1},
    "create_certificate": True,
    "existing_token_secret": True,
    "dashboard": {"cpu": 3},
    "database": {"storage_gb": 1},
    "engine": {"cpu": 3},
    "enable_budget": True,
    "enable_https": True,
    "enable_mail": True,
    "environment": {"NO SPACES": ""},
    "network.existing": {"vpc_id": "?", "private_subnet_ids": ATTRIBUTES["private_subnet_ids"]},
    "fleets": {},
    "flow_logs": {"retention_days": 2},
    "force_destroy": True,
    "hatchet": {"mode": "self_hosted"},
    "image_digests": {"hatchet-engine": "?"},
    "interface_endpoints": [],
    "rabbitmq": {"cpu": 3},
    "scaling": {"quiet_minutes": -1},
    "secrets": {"KEY": "?"},
    "storage.existing": True,
    "storage_lifecycle": {"archive_after_days": 0},
    "timeouts": {"experiment": {"execution": "?"}},
    "versioning": False,
    "workers": {},
}
"""What the rules of a variable do not let through, where its type alone does not say it; by its name, with its module's
in front where two modules have one of that name."""

BESIDE: Mapping[str, Mapping[str, Any]] = {
    "certificate_arn": {"domain": "hatchet.example.org"},
    "force_destroy": {"bucket": "results", "existing": True},
    "hatchet": {"network": {"az_count": 1}},
    "versioning": {"bucket": "results", "existing": True},
    "zone_id": {"domain": "hatchet.example.org"},
}
"""What else must be given for that to be wrong, or for nothing else to be."""


def faults(module: str, variables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What to give a module so that the rules of a variable refuse it, by the variable.

    Raises:
        KeyError: a variable has rules, and nothing here says what they refuse.
    """
    wrong = {
        **WRONG,
        **{name.partition(".")[2]: value for name, value in WRONG.items() if name.startswith(f"{module}.")},
    }
    return {
        name: {**BESIDE.get(name, {}), name: wrong[name] if name in wrong else OF_TYPE[body["type"]]}
        for name, body in variables.items()
        if body.get("validation")
    }
