"""What the backlog service takes from the fleets' settings: an image to run, and the services to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from modules.worker_fleet.scaling import FALLBACK
from modules.worker_fleet.settings import FleetSettings
from synthesis.functions import choose, is_null, is_set
from synthesis.lists import collect, collect_entries, concat


class Image(BaseModel):
    """A worker image, and the one architecture that it may be for."""

    image: str
    architecture: str


def images_of(fleets: Mapping[str, FleetSettings]) -> list[Image]:
    """The images of the fleets that have one, in the order of the fleets' names."""
    images: list[Image] = collect_entries(
        fleets,
        lambda _, fleet: Image.model_construct(image=fleet.image, architecture=fleet.architecture),
        lambda _, fleet: is_set(fleet.image),
    )
    return images


def chosen_image(images: list[Image], none: str) -> Image:
    """The first image for arm64, else the first one.

    Args:
        images: those that there are.
        none: what stands in for an image where there is none.
    """
    arm = collect(images, lambda one: one, lambda one: one.architecture == "arm64")
    chosen: Image = concat(arm, images, [Image(image=none, architecture="arm64")])[0]
    return chosen


def services_of(name: str, fleet: FleetSettings) -> Any:
    """The names of a fleet's ECS services."""
    return concat([name], choose(is_null(fleet.capacity.fallback), [], [f"{name}{FALLBACK}"]))
