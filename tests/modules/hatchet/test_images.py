"""An image that the environment pins is read by its digest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from modules.hatchet.images import UPSTREAM
from tests.support.console import evaluated


@pytest.mark.parametrize("name", sorted(UPSTREAM))
def test_a_task_definition_names_the_digest(
    templates: dict[str, dict[str, Any]], tmp_path: Path, name: str
) -> None:
    written = json.dumps(templates["hatchet"]["resource"]["aws_ecs_task_definition"])
    expression = json.loads(
        '"'
        + re.search(
            rf"image = (try\(local\.hatchet\.image_digests\[\\\"{name}\\\"\].*?), essential", written
        )[1]
        + '"'  # type: ignore[index]
    )
    expression = re.sub(
        r"data\.terraform_remote_state\.\w+\.outputs\.hatchet_repository_urls", "{}", expression
    )
    pinned = {"version": "v0.104.7", "image_digests": {name: "sha256:1"}}
    assert evaluated(expression, tmp_path, hatchet=pinned) == f"{UPSTREAM[name].repository}@sha256:1"
