"""One environment, all the way: validated, synthesized, planned, applied, planned again, destroyed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from environments.loading import FOLDER, load
from local_aws import LocalAws
from tests.support.command import scythe_aws
from tests.support.deployed import Deployed
from tests.support.providers import Providers


@pytest.mark.timeout(600)
def test_dev_is_deployed_without_changes_afterwards_and_nothing_is_left(
    tmp_path: Path, aws: LocalAws, providers: Providers
) -> None:
    before = aws.leftovers()
    for command in (("validate", "dev"), ("synth", "dev")):
        ran = scythe_aws(*command, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
    dev = Deployed(aws, tmp_path, load(FOLDER / "dev.yaml"), providers=providers)

    def deploy(part: str) -> None:
        with dev.command(part) as terraform:
            terraform.validate()
            plan = tmp_path / f"{part}.plan"
            assert set(terraform.plan(plan).actions.values()) <= {"create", "read"}
            terraform.apply(plan)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(deploy, ("network", "storage")))
    deploy("workers")

    assert {part: dict(dev.plan(part).actions) for part in dev.parts} == {part: {} for part in dev.parts}
    dev.destroy()
    assert sorted(set(aws.leftovers()) - set(before)) == []
