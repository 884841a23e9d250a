"""What images in a registry say of their content."""

from __future__ import annotations

from http.client import HTTPException
from typing import Annotated
from urllib.error import URLError
from urllib.request import Request, urlopen

from pydantic import BaseModel, StringConstraints, ValidationError

from ops.errors import CommandError
from ops.images.registry_login import Registry

LABEL = "scythe-aws.content"
"""The label of an image with the SHA-256 of all that it was built from. A tag is its beginning."""

_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_BYTES = 4 * 2**20
"""A manifest's most, as the specification of registries recommends:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
"""
_SECONDS = 30
_LONGEST = 100
"""Characters of a label that are looked at; the project's own has 64."""
_MANIFESTS_MOST = 50
"""Of one image: an index and a manifest for each platform. The project's own has three at most."""


class _Named(BaseModel):
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Manifest(BaseModel):
    """An image has a configuration, an index other manifests."""

    config: _Named | None = None
    manifests: list[_Named] | None = None


class _Settings(BaseModel):
    Labels: dict[str, str] | None = None


class _Config(BaseModel):
    config: _Settings = _Settings()


def contents_of(registry: Registry, repository: str, digest: str) -> set[str]:
    """What an image's platforms say of their content; an empty text for one that says nothing.

    Args:
        registry: where it is, and who may read it.
        repository: the image's.
        digest: the image's.

    Raises:
        CommandError: the registry does not answer, or not as registries do.
    """
    try:
        labels = [
            _Config.model_validate_json(_read(registry, f"{repository}/blobs/{one}")).config.Labels
            for one in _configurations(registry, repository, digest)
        ]
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise CommandError(
            f"{registry.host} does not say what {repository}@{digest} is: {error}", 1
        ) from None
    except ValidationError:
        raise CommandError(f"{registry.host} has no image at {repository}@{digest}", 1) from None
    return {(one or {}).get(LABEL, "")[:_LONGEST] for one in labels}


def _configurations(registry: Registry, repository: str, digest: str) -> list[str]:
    """The digests of the configurations of an image's platforms, whatever indexes lead to them."""
    known, found = [digest], list[str]()
    # The list grows meanwhile.
    for one in known:
        manifest = _Manifest.model_validate_json(_read(registry, f"{repository}/manifests/{one}"))
        if manifest.config is not None:
            found.append(manifest.config.digest)
        elif manifest.manifests is None:
            raise CommandError(f"{registry.host} has no image at {repository}@{digest}", 1)
        known += dict.fromkeys(each.digest for each in manifest.manifests or () if each.digest not in known)
        if len(known) > _MANIFESTS_MOST:
            raise CommandError(
                f"{registry.host}: {repository}@{digest} has more than {_MANIFESTS_MOST} manifests; must be an image "
                "that scythe-aws image push has made",
                1,
            )
    return list(dict.fromkeys(found))


def _read(registry: Registry, path: str) -> bytes:
    request = Request(f"{registry.url}/v2/{path}", headers={"Accept": f"{_MANIFESTS}, */*"})  # noqa: S310  # ECR's own
    # ECR leads to S3 for what an image consists of; S3 is not told the password.
    request.add_unredirected_header("Authorization", f"Basic {registry.login}")
    with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # ECR's own
        content: bytes = answer.read(_BYTES + 1)
    if len(content) > _BYTES:
        raise URLError(f"an answer of more than {_BYTES // 2**20} MiB")
    return content
