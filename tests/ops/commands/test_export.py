"""`scythe-aws export`: what can be typed, what is said, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import scythe_aws
from tests.support.project import ROOT

DOCS = ROOT / "environments" / "docs.yaml"


@pytest.mark.slow
def test_a_folder_is_up_to_date_until_something_in_it_changes(tmp_path: Path) -> None:
    wrote = scythe_aws("export", "--out", "dist", cwd=tmp_path)
    assert wrote.returncode == 0, wrote.stderr
    assert "dist/main.tf" in wrote.stdout.splitlines()
    same = scythe_aws("export", "--out", "dist", "--check", cwd=tmp_path)
    assert (same.returncode, same.stdout) == (0, "dist is up to date.\n")

    outputs = tmp_path / "dist/outputs.tf"
    before = outputs.read_text()
    outputs.write_text(before.replace("Id of the VPC.", "The VPC."))
    (tmp_path / "dist/locals.tf").unlink()
    other = scythe_aws("export", "--out", "dist", "--check", cwd=tmp_path)
    assert other.returncode == 1
    assert "--- dist/outputs.tf" in other.stdout and "+++ export/locals.tf" in other.stdout
    assert '-  description = "The VPC."' in other.stdout.splitlines()
    assert "The VPC." in outputs.read_text()


@pytest.mark.slow
def test_an_environment_calls_the_modules_of_a_registry(tmp_path: Path) -> None:
    address = "app.terraform.io/acme/scythe/aws"
    wrote = scythe_aws(
        *("export", "--environment", DOCS, "--out", "here", "--source", address, "--version", "1.0.0"),
        cwd=tmp_path,
    )
    assert wrote.returncode == 0, wrote.stderr
    folders = {path.name for path in (tmp_path / "here").iterdir() if path.is_dir()}
    assert folders == {"docs-network", "docs-storage", "docs-workers"}
    main = (tmp_path / "here/docs-network/main.tf").read_text()
    assert f'  source  = "{address}//modules/network"\n  version = "1.0.0"\n' in main
    assert "backend" not in (tmp_path / "here/docs-network/terraform.tf").read_text()
    workers = (tmp_path / "here/docs-workers/main.tf").read_text()
    assert 'path = "../docs-network/terraform.tfstate"' in workers


@pytest.mark.slow
def test_without_a_registry_the_modules_are_beside_it(tmp_path: Path) -> None:
    wrote = scythe_aws("export", "--environment", DOCS, cwd=tmp_path)
    assert wrote.returncode == 0, wrote.stderr
    assert 'source = "../modules/network"' in (tmp_path / "dist/docs/docs-network/main.tf").read_text()
    assert (tmp_path / "dist/docs/modules/network/main.tf").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--version", "v1"], "--version: got v1; must be a release such as "),
        (["--source", "acme/scythe/aws"], "--source: goes with --environment"),
        (["--environment", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, typed: list[str], said: str) -> None:
    refused = scythe_aws("export", *typed, cwd=tmp_path)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert said in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_state_of_a_stack_that_makes_nothing_goes_along(tmp_path: Path) -> None:
    """Its outputs are what the other stacks read."""
    existing = {
        "vpc_id": "vpc-01234567",
        "public_subnet_ids": ["subnet-01234567"],
        "private_subnet_ids": ["subnet-89abcdef"],
    }
    file = tmp_path / "lab.yaml"
    file.write_text(
        json.dumps(
            {"name": "lab", "network": {"existing": existing}, "workers": {"simulations": {"role": "leaf"}}}
        )
    )
    (tmp_path / "state").mkdir()
    for stack in ("lab-network", "lab-storage", "lab-workers"):
        (tmp_path / f"state/{stack}.tfstate").write_text(json.dumps({"lineage": stack, "serial": 1}))
    wrote = scythe_aws("export", "--environment", file, "--out", "here", cwd=tmp_path)
    assert wrote.returncode == 0, wrote.stderr
    for stack in ("lab-network", "lab-storage", "lab-workers"):
        assert json.loads((tmp_path / "here" / stack / "terraform.tfstate").read_text())["lineage"] == stack
    assert not (tmp_path / "here/lab-network/moved.tf").exists()
