"""Every role that any construct makes is within the boundary that the environment's account asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments.loading import load_all
from main import synthesize
from tests.support.project import ROOT, SELF_HOSTED

FILES = (ROOT / "environments" / "docs.yaml", SELF_HOSTED)


def _stacks(out: Path) -> Iterator[dict[str, Any]]:
    for template in out.glob("stacks/*/cdk.tf.json"):
        yield json.loads(template.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("boundary", [None, "arn:aws:iam::123456789012:policy/team/scythe"])
def test_every_role_has_the_environments_boundary(tmp_path: Path, boundary: str | None) -> None:
    given = {} if boundary is None else {"permissions_boundary": boundary}
    copies = [tmp_path / file.name for file in FILES]
    for copy, file in zip(copies, FILES, strict=True):
        copy.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **given}))
    synthesize(load_all(copies), tmp_path / "out")
    stacks = list(_stacks(tmp_path / "out"))
    # Left out it is a null of Terraform's, which is no argument at all.
    assert {stack["locals"]["permissions_boundary"] for stack in stacks} == {boundary or "${null}"}
    roles = [role for stack in stacks for role in stack.get("resource", {}).get("aws_iam_role", {}).values()]
    assert len(roles) > 20
    assert {role.get("permissions_boundary") for role in roles} == {"${local.permissions_boundary}"}
