"""How the layers of a pushed image are compressed: with zstd where the builder can, else with gzip."""

from __future__ import annotations

import re
from dataclasses import dataclass

ZSTD = "type=image,push=true,compression=zstd,force-compression=true,oci-mediatypes=true"
"""BuildKit's output of zstd layers, those of the base image too, which have media types in OCI's format alone
(https://docs.docker.com/build/exporters/image-registry, AWS's "Reducing AWS Fargate Startup Times with zstd Compressed
Container Images")."""

_DRIVER = re.compile(r"^Driver:\s+(?P<driver>\S+)", re.MULTILINE)
_STORE = "io.containerd.snapshotter."
"""What the engine's driver status names where containerd keeps its images
(https://docs.docker.com/engine/storage/containerd)."""


@dataclass(frozen=True)
class Push:
    """What a builder is asked to push.

    Attributes:
        output: buildx's options.
        remark: why it is not zstd; empty where it is.
    """

    output: tuple[str, ...]
    remark: str = ""


def push_of(builder: str, status: str) -> Push:
    """Return the best push that a builder can do.

    Docker's own driver without containerd's image store takes the options and pushes gzip layers all the same
    (https://github.com/moby/moby/issues/28394, of 2023-11-22; https://github.com/moby/moby/pull/48328, a maintainer:
    zstd takes the containerd image store). All other drivers are BuildKit itself.

    Args:
        builder: what ``docker buildx inspect`` says; empty where it fails.
        status: what ``docker info`` says of the engine's storage.
    """
    found = _DRIVER.search(builder)
    if found is None:
        return Push(("--push",), _remark("docker buildx inspect names no driver"))
    if found["driver"] != "docker" or _STORE in status:
        return Push(("--output", ZSTD))
    return Push(("--push",), _remark("the builder's driver is docker, without the containerd image store"))


def _remark(why: str) -> str:
    return (
        f"note: layers are compressed with gzip, since {why}; Fargate starts zstd layers sooner: docker buildx create "
        "--driver docker-container --use, or https://docs.docker.com/engine/storage/containerd"
    )
