"""The templates of the contract's self-hosted environment, by the end of the stack's name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from environments.loading import load
from main import synthesize
from tests.support.project import SELF_HOSTED


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each stack says."""
    folder = tmp_path_factory.mktemp("templates")
    file = folder / "prod.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(SELF_HOSTED.read_text())))
    synthesize([load(file)], folder / "out")
    return {
        stack.name.removeprefix("prod-"): json.loads((stack / "cdk.tf.json").read_text())
        for stack in (folder / "out" / "stacks").iterdir()
    }
