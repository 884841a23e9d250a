"""A fleet of values and the module of the same code: what the one has, the other counts, whatever is chosen."""

from __future__ import annotations

import json
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from environments.schema import Environment
from main import compose
from ops.export.constructs import Module, unwritten_app
from synthesis.stack import literal
from tests.support.console import evaluated

KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:licence-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/licence"
DAILY = {"start": "rate(1 day)", "end": "rate(2 days)"}


def fleets() -> st.SearchStrategy[dict[str, Any]]:
    """What decides what a fleet is made of."""
    schedules = st.lists(st.integers(0, 3000), max_size=3).map(
        lambda most: [
            {**DAILY, "timezone": zone, "max": each} for zone, each in zip(ZONES, most, strict=False)
        ]
    )
    scaling = st.fixed_dictionaries(
        {"max": st.sampled_from([0, 1, 10, 11, 100, 2500, 5000]), "schedule": schedules}
    )
    secrets = st.sampled_from([{}, {"A": SECRET}, {"A": PARAMETER}, {"A": f"{SECRET}:key::", "B": PARAMETER}])
    capacity = st.sampled_from([{}, {"fallback": {"max": 5}}, {"spot": 0, "on_demand": 1}])
    images = st.sampled_from(
        [None, "public.example.org/a:1", "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1"]
    )
    return st.fixed_dictionaries(
        {
            "scaling": scaling, "secrets": secrets, "capacity": capacity, "image": images, "exec": st.booleans(),
            "environment": st.sampled_from([{}, {"SITE": "${a} %{if b} \"c\" \\n"}]),
        }
    ).map(lambda data: {"role": "leaf", **data, "secrets_key_arns": [KEY] if data["secrets"] else []})  # fmt: skip


ZONES = ("UTC", "Europe/Paris", "Asia/Tokyo")


@cache
def module() -> Module:
    with unwritten_app() as app:
        return Module.of(app, "worker-fleet")


@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(fleets())
def test_a_stack_has_what_the_module_counts(data: dict[str, Any]) -> None:
    environment = Environment.model_validate({"name": "lab", "workers": {"one": data}})
    with unwritten_app() as app:
        compose(app, environment)
        stack: Any = app.node.find_child("lab-workers")
        stack.prepare_stack()
        there = _resources(stack.to_terraform(), "one")
    assert there == _counted(module(), environment.workers["one"].model_dump(mode="json"))


def _resources(template: dict[str, Any], prefix: str) -> set[str]:
    found = set()
    for kind, named in template["resource"].items():
        for name, body in named.items():
            if name == prefix or name.startswith(f"{prefix}_"):
                assert "count" not in body, f"{kind}.{name} is decided by Terraform"
                found.add(f"{kind}.{name.removeprefix(prefix).removeprefix('_') or 'this'}")
    return found


def _counted(module: Module, fleet: dict[str, Any]) -> set[str]:
    """The resources of the module with a count of 1, as Terraform counts them."""
    counts = {
        f"{element.labels[0]}.{element.labels[1]}": element.body.get("count", 1)
        for element in module.of_kind("resource")
    }
    variables = {
        **{name: body.get("default") for name, body in module.synthesis["variable"].items()},
        **literal(fleet),  # type: ignore[dict-item]
    }
    known = {
        "hatchet": "${null}",
        "network": {"has_way_out": True, "has_interface_endpoints": False},
        "storage": {"repository_url": "123456789012.dkr.ecr.us-east-1.amazonaws.com/lab"},
    }
    locals_ = {f"var_{name}": value for name, value in {**variables, **known}.items()}
    locals_ |= {
        name: _read(text) for name, text in module.synthesis.get("locals", {}).items() if "data." not in text
    }
    texts = {
        address: re.sub(r"^\$\{(.*)\}$", r"\1", str(count), flags=re.DOTALL)
        for address, count in counts.items()
    }
    listed = ", ".join(f"{json.dumps(address)} = {_read(text)}" for address, text in texts.items())
    with tempfile.TemporaryDirectory() as folder:
        answers = evaluated(f"{{ {listed} }}", Path(folder), **locals_)
    return {address for address, count in answers.items() if count}


def _read(text: str) -> str:
    return re.sub(r"\bvar\.(\w+)", r"local.var_\1", text)
