"""The images' addresses: by their digest where the environment pins one, upstream or in the environment's ECR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.hatchet.images import ENGINE, UPSTREAM, images_of
from modules.hatchet.settings import HatchetSettings
from tests.support.console import evaluated

DIGEST = f"sha256:{'1' * 64}"


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"image_digests": {name: DIGEST for name in UPSTREAM if name != ENGINE}},
        {"image_digests": {ENGINE: DIGEST}},
        {"version": f"v0.104.7@{DIGEST}"},
    ],
    ids=["tags", "digests", "the engine's digest", "a version with a digest"],
)
@pytest.mark.parametrize("is_mirrored", [False, True], ids=["upstream", "ecr"])
def test_addresses_are_what_is_mirrored(
    templates: dict[str, dict[str, Any]], tmp_path: Path, chosen: dict[str, Any], *, is_mirrored: bool
) -> None:
    settings = HatchetSettings.model_validate({"mode": "self_hosted", **chosen})
    needed = {image.name: image.source for image in images_of(settings)}
    ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/prod"
    urls = {name: f"{ecr}/{name}" for name in needed} if is_mirrored else {}
    written = templates["hatchet"]["locals"]["images"].replace(
        "data.terraform_remote_state.storage.outputs.hatchet_repository_urls", "local.urls"
    )

    found = evaluated(written, tmp_path, hatchet=settings.model_dump(mode="json"), urls=urls)

    assert {name: found[name] for name in needed} == {
        name: source.replace(UPSTREAM[name].repository, urls.get(name, UPSTREAM[name].repository))
        for name, source in needed.items()
    }
