"""A local AWS, and environments of their own with their repositories in it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from environments.loading import load
from local_aws import LocalAws
from modules.hatchet.images import images_of
from tests.support.project import SELF_HOSTED

_numbers = count()


def environment_file(folder: Path) -> Path:
    file = folder / f"lab{next(_numbers)}.yaml"
    file.write_text(SELF_HOSTED.read_text().replace("name: prod", f"name: {file.stem}"))
    return file


def create_repositories(aws: LocalAws, file: Path) -> None:
    for image in images_of(load(file).hatchet):
        aws.client("ecr", "eu-west-1").create_repository(
            repositoryName=f"{file.stem}/{image.name}", imageTagMutability="IMMUTABLE"
        )


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
