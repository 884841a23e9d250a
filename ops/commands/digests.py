"""``scythe-aws image digests``: what the tags of the engine's images are now, to pin them."""

from __future__ import annotations

import os

from modules.hatchet.images import images_of
from modules.hatchet.settings import DIGEST
from ops.commands.mirror import Crane
from ops.environment import environment_of
from ops.errors import CommandError


def digests(given: str) -> None:
    """Print the lines of the environment's file that pin its images, as their registries have them now.

    Args:
        given: the environment's name or path.

    Raises:
        CommandError: the environment has no engine, or a registry gives no digest.
    """
    environment = environment_of(given)
    if environment.hatchet.mode == "cloud":
        raise CommandError(f"{environment.name} has no images of Hatchet's to pin: hatchet.mode is cloud")
    crane = Crane(os.environ)
    found = {}
    for image in images_of(environment.hatchet):
        digest = crane.digest(image)
        if not DIGEST.check(digest):
            raise CommandError(f"{image.name}: {image.source} has no digest; got {digest[:80]!r}")
        found[image.name] = digest, image.source
    print("hatchet:\n  image_digests:")
    for name, (digest, source) in found.items():
        print(f"    {name}: {digest}  # {source}")
