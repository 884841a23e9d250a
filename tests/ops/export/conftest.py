"""The exported repository, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.export import write


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, modules_repository: dict[str, str]) -> Path:
    """The repository; nothing changes it."""
    folder = tmp_path_factory.mktemp("exported") / "terraform-aws-scythe"
    write(folder, modules_repository)
    return folder
