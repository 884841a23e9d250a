"""The real CDKTF command line on the project itself: deploy, diff and destroy an environment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local_aws import LocalAws
from tests.support.project import ROOT
from tests.support.tools.cdktf import cdktf


def copy_of_project(folder: Path) -> Path:
    """What `cdktf` needs of the project, in a folder whose state and output are not a person's."""
    for name in ("environments", "modules", "synthesis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cdktf.json", "main.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cdktf_deploys_compares_and_destroys_an_environment(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    with LocalAws.start() as aws:
        narrowed = aws.environment | {"SCYTHE_AWS_ENVIRONMENTS": "environments/docs.yaml"}

        deployed = cdktf("deploy", "*", project=project, environment=narrowed)
        assert deployed.returncode == 0, deployed.stdout
        assert deployed.stdout.count("Apply complete!") == 3, deployed.stdout
        states = sorted(path.stem for path in (project / "state").glob("*.tfstate"))
        assert states == ["docs-network", "docs-storage", "docs-workers"]

        compared = cdktf("diff", "docs-workers", project=project, environment=narrowed)
        assert compared.returncode == 0, compared.stdout
        assert "No changes. Your infrastructure matches the configuration." in compared.stdout

        destroyed = cdktf("destroy", "docs-*", project=project, environment=narrowed)
        assert destroyed.returncode == 0, destroyed.stdout
        assert destroyed.stdout.count("Destroy complete!") == 3
        assert aws.leftovers() == []
