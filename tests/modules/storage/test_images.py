"""The deployed image does not expire from ECR, however many are pushed after it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.console import evaluated

DAYS = 400


@dataclass
class Image:
    """An image in a repository; `of` is the place of the index that lists it."""

    pushed: int
    tagged: bool = False
    of: int | None = None


def expired(images: list[Image], rules: list[dict[str, Any]], today: int) -> set[int]:
    """What ECR's lifecycle evaluator expires.

    Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies" (lifecycle policy evaluation
    rules): an image that an index lists stays until the index is gone.
    """
    gone: set[int] = set()
    for rule in sorted(rules, key=lambda rule: int(rule["rulePriority"])):
        selection = rule["selection"]
        chosen = [
            place
            for place, image in enumerate(images)
            if selection["tagStatus"] == "any" or image.tagged == (selection["tagStatus"] == "tagged")
        ]
        newest = sorted(chosen, key=lambda place: images[place].pushed, reverse=True)
        if selection["countType"] == "imageCountMoreThan":
            gone |= set(newest[selection["countNumber"] :])
        else:
            gone |= {place for place in chosen if today - images[place].pushed > selection["countNumber"]}
    return {place for place in gone if images[place].of is None or images[place].of in gone}


def policy(templates: dict[str, dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    written = templates["storage"]["resource"]["aws_ecr_lifecycle_policy"]["worker"]["policy"]
    rules: list[dict[str, Any]] = json.loads(evaluated(written, folder))["rules"]
    return rules


def test_a_deployed_image_stays_after_a_push_every_day(
    templates: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    images: list[Image] = []
    for day in range(DAYS):
        index = len(images)
        images += [Image(day, tagged=True), Image(day, of=index), Image(day, of=index)]
    interrupted = len(images)
    images.append(Image(1))

    assert expired(images, policy(templates, tmp_path), DAYS) == {interrupted}
