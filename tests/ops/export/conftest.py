"""The exported repository, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.export import write
from ops.export.repository import repository


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository; nothing changes it."""
    folder = tmp_path_factory.mktemp("exported") / "terraform-aws-scythe"
    write(folder, repository(None))
    return folder
