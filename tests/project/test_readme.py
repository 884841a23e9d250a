"""The README: its commands run as they stand, CDKTF's beside them; the picture is the stacks'; links lead somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from environments.loading import FOLDER, load
from local_aws import LocalAws
from ops.export.rendering import render
from ops.picture import PICTURE, Synthesized, draw
from tests.support.command import client_token
from tests.support.project import ROOT
from tests.support.tools.cdktf import cdktf

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return blocks


def copy_of_project(folder: Path) -> Path:
    """What the commands need of the project, in a folder whose state and output are not a person's."""
    for name in ("environments", "modules", "synthesis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cdktf.json", "main.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_commands_deploy_and_destroy(tmp_path: Path) -> None:
    first, *others = commands()
    assert first == "make demo\nmake test\n"
    project = copy_of_project(tmp_path)
    token = client_token()
    with LocalAws.start() as aws:
        answers = {"TF_CLI_ARGS_apply": "-auto-approve", "TF_CLI_ARGS_destroy": "-auto-approve"}
        # A person connects once the stacks are there and the token is stored.
        connect = next(block for block in others if "connect" in block)
        others.remove(connect)
        stored = next(place for place, block in enumerate(others) if "scythe-aws token" in block)
        others.insert(stored + 1, connect)
        said = {}
        for block in others:
            if "destroy" in block:
                _take_over_with_cdktf(project, aws)
            run = subprocess.run(
                ["bash", "-euc", f". .venv/bin/activate\n{block}"],
                cwd=project,
                env=aws.environment | answers,
                input=token,
                capture_output=True,
                text=True,
            )
            assert run.returncode == 0, f"{block}\n{run.stdout[-3000:]}\n{run.stderr}"
            said[block] = run.stdout
        assert said[connect] == "results go to s3://docs-scythe-123456789012-us-east-1/my-project\n"
        assert aws.leftovers() == []
    assert (project / "dist" / "terraform-aws-scythe" / "modules" / "network").is_dir()


def _take_over_with_cdktf(project: Path, aws: LocalAws) -> None:
    """The real CDKTF command line compares, destroys and deploys what Terraform deployed."""
    narrowed = aws.environment | {"SCYTHE_AWS_ENVIRONMENTS": "environments/docs.yaml"}
    compared = cdktf("diff", "docs-workers", project=project, environment=narrowed)
    assert compared.returncode == 0, compared.stdout
    assert "No changes. Your infrastructure matches the configuration." in compared.stdout

    destroyed = cdktf("destroy", "docs-workers", project=project, environment=narrowed)
    assert destroyed.returncode == 0, destroyed.stdout
    assert destroyed.stdout.count("Destroy complete!") == 1, destroyed.stdout

    deployed = cdktf("deploy", "docs-*", project=project, environment=narrowed)
    assert deployed.returncode == 0, deployed.stdout
    assert deployed.stdout.count("Apply complete!") == 3, deployed.stdout
    states = sorted(path.stem for path in (project / "state").glob("*.tfstate"))
    assert states == ["docs-network", "docs-storage", "docs-workers"]


def test_make_demo_is_the_command() -> None:
    """What it does is in tests/ops/commands/test_demo.py."""
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == ".venv/bin/scythe-aws demo"


def test_the_picture_is_what_the_stacks_say(synthesized: Path) -> None:
    assert draw(Synthesized(synthesized, load(FOLDER / "docs.yaml"))) == PICTURE.read_text(), (
        "run: python -m ops.picture"
    )


def test_the_license_is_the_exports() -> None:
    assert (ROOT / "LICENSE").read_text() == render("LICENSE")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", text):
        assert (document.parent / target).exists(), target
