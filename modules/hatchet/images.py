"""The container images that self-hosted Hatchet is made of, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modules.hatchet.settings import HatchetSettings

HATCHET = "ghcr.io/hatchet-dev/hatchet"
ADMIN, API, DASHBOARD, ENGINE, MIGRATE = (
    "hatchet-admin",
    "hatchet-api",
    "hatchet-frontend",
    "hatchet-engine",
    "hatchet-migrate",
)
AWS_CLI, POSTGRES, RABBITMQ = "aws-cli", "postgres", "rabbitmq"


@dataclass(frozen=True)
class Upstream:
    """Where an image comes from.

    Attributes:
        repository: its repository in a public registry.
        tag: its tag; None for Hatchet's own release, ``hatchet.version``.
        has_entry_point: whether it has an ENTRYPOINT. Hatchet's have a CMD alone (its ``build/package``).
    """

    repository: str
    tag: str | None = None
    has_entry_point: bool = False


UPSTREAM: Mapping[str, Upstream] = {
    **{name: Upstream(f"{HATCHET}/{name}") for name in (ADMIN, API, DASHBOARD, ENGINE, MIGRATE)},
    AWS_CLI: Upstream("public.ecr.aws/aws-cli/aws-cli", "2.32.9", has_entry_point=True),
    POSTGRES: Upstream("public.ecr.aws/docker/library/postgres", "17.5-alpine", has_entry_point=True),
    RABBITMQ: Upstream("public.ecr.aws/docker/library/rabbitmq", "4.1.0", has_entry_point=True),
}
"""All images by the name of their repository in the environment's ECR, ``<environment>/<name>``. Each is for amd64
and arm64. ``postgres`` and ``aws-cli`` are the set-up's: its lock on the database, and Secrets Manager."""


@dataclass(frozen=True)
class Image:
    """One image that an environment needs.

    Attributes:
        name: the end of its repository's name in the environment's ECR.
        source: its address upstream, with the digest where the environment gives one, else with the tag.
        tag: its tag, there and here.
    """

    name: str
    source: str
    tag: str


def images_of(settings: HatchetSettings) -> list[Image]:
    """The images that an environment's engine needs, in the order of their names."""
    version, _, digest = settings.version.partition("@")
    needed = []
    for name, upstream in sorted(UPSTREAM.items()):
        if name == RABBITMQ and settings.broker != "rabbitmq":
            continue
        tag = upstream.tag or version
        pinned = settings.image_digests.get(name) or (digest if name == ENGINE else "")
        reference = f"@{pinned}" if pinned else f":{tag}"
        needed.append(Image(name, f"{upstream.repository}{reference}", tag))
    return needed
