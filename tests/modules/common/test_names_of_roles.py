"""Roles have names of their own in an account, whatever else is deployed there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from environments.schema import Environment
from main import compose
from ops.export.constructs import unwritten_app
from tests.support import console

LONG = "a" * 24


def names(folder: Path, environment: str, fleet: str, region: str) -> set[str]:
    """The names of the roles of an environment's workers."""
    settings = Environment.model_validate(
        {"name": environment, "region": region, "workers": {fleet: {"role": "leaf"}}}
    )
    with unwritten_app() as app:
        compose(app, settings)
        stack: Any = app.node.find_child(f"{environment}-workers")
        stack.prepare_stack()
        roles = stack.to_terraform()["resource"]["aws_iam_role"]
    texts = [json.dumps(role["name"]) for role in roles.values()]
    return set(console.evaluated(f"[{', '.join(texts)}]".replace('\\"', '"'), folder, name=environment))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("docs", "sims", "us-east-1"), ("docs", "sims", "eu-west-1")),
        (("docs", "eu-sims", "us-east-1"), ("docs-eu", "sims", "us-east-1")),
        ((LONG, "b" * 28, "us-east-1"), (LONG, "b" * 28, "ap-southeast-1")),
    ],
)
def test_no_two_have_one_name(tmp_path: Path, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    first, second = names(tmp_path, *one), names(tmp_path, *other)
    assert len(first) == len(second) == 4
    assert first.isdisjoint(second)
    assert all(len(name) <= 64 for name in first | second)
    digest = hashlib.sha256(f"{one[2]}/{one[0]}/{one[1]}-task".encode()).hexdigest()[:8]
    assert any(name.endswith(digest) for name in first)
