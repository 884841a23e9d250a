"""What images in a registry say of their content."""

from __future__ import annotations

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


class _Named(BaseModel):
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Index(BaseModel):
    manifests: list[_Named]


class _Manifest(BaseModel):
    config: _Named


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
        answer = _read(registry, f"{repository}/manifests/{digest}")
        if b'"manifests"' in answer:
            held = [item.digest for item in _Index.model_validate_json(answer).manifests]
            answers = [_read(registry, f"{repository}/manifests/{one}") for one in held]
        else:
            answers = [answer]
        configs = [_Manifest.model_validate_json(one).config.digest for one in answers]
        labels = [
            _Config.model_validate_json(_read(registry, f"{repository}/blobs/{one}")).config.Labels
            for one in configs
        ]
    except (URLError, TimeoutError, ConnectionError) as error:
        raise CommandError(
            f"{registry.host} does not say what {repository}@{digest} is: {error}", 1
        ) from None
    except ValidationError:
        raise CommandError(f"{registry.host} has no image at {repository}@{digest}", 1) from None
    return {(one or {}).get(LABEL, "") for one in labels}


def _read(registry: Registry, path: str) -> bytes:
    request = Request(f"{registry.url}/v2/{path}", headers={"Accept": f"{_MANIFESTS}, */*"})  # noqa: S310  # ECR's own
    # ECR leads to S3 for what an image consists of; S3 is not told the password.
    request.add_unredirected_header("Authorization", f"Basic {registry.login}")
    with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # ECR's own
        content: bytes = answer.read(_BYTES + 1)
    if len(content) > _BYTES:
        raise URLError(f"an answer of more than {_BYTES // 2**20} MiB")
    return content
