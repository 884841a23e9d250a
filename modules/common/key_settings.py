"""What one can choose about KMS keys: the keys below ``kms:``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from synthesis.allowed import arn
from synthesis.rules import Rule, Settings


def key_arn() -> Rule:
    """The ARN of a KMS key; IAM's policies take no alias."""
    found = arn("kms", resource="key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")
    return Rule(
        "the ARN of a KMS key such as arn:aws:kms:<region>:<account>:key/... (not of an alias)",
        found.check,
        found.schema,
    )


class KeySettings(Settings):
    """KMS keys of your own. Their key policies are yours: docs/operations.md says what they must allow."""

    secrets: Annotated[str, key_arn()] | None = Field(
        default=None,
        description="The key of the secrets that are made: Hatchet's token, keys and passwords. Default: Secrets "
        "Manager's own.",
    )
    bucket: Annotated[str, key_arn()] | None = Field(
        default=None,
        description="The key of the bucket, or with storage.existing the key that the bucket has. Default: S3's own.",
    )
    logs: Annotated[str, key_arn()] | None = Field(
        default=None, description="The key of all log groups. Default: CloudWatch's own."
    )
    repositories: Annotated[str, key_arn()] | None = Field(
        default=None,
        description="The key of the image repositories in ECR. Default: ECR's own. Changing it replaces the "
        "repositories, without their images.",
    )
