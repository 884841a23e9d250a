"""What one can choose about storage: the keys below ``storage:``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from synthesis.allowed import flag, matching, whole
from synthesis.functions import both_given, is_set, not_
from synthesis.rules import CrossRule, Settings

BUCKET_NAME = matching(
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    "a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, none of the names that S3 reserves",
    unless=r"\.\.|^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$|^(xn--|sthree-|amzn-s3-demo-)"
    r"|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$",
)
"""Amazon S3 User Guide, "General purpose bucket naming rules"."""

PREFIX = matching(
    r"^[A-Za-z0-9_=.-]{1,63}(/[A-Za-z0-9_=.-]{1,63}){0,9}$",
    "a prefix of letters, digits and _ = . -, its parts joined with single slashes, "
    "with none at the beginning or end and no part . or ..",
    unless=r"(^|/)\.{1,2}(/|$)",
)
"""What survives scythe-engine's ``s3://`` URLs (``scythe.utils.filesys.fetch_uri``) and is no wildcard in IAM."""

MOST_DAYS = 36500


class Lifecycle(Settings):
    """What becomes of results that get old. Interrupted uploads are removed after 7 days in any case."""

    archive_after_days: Annotated[int, whole(1, MOST_DAYS)] | None = Field(
        default=None,
        description="Days after which results move to Glacier Instant Retrieval: they stay readable at once, at about "
        "a sixth of the price per GB, with at least 90 days charged. Default: never.",
    )
    delete_after_days: Annotated[int, whole(1, MOST_DAYS)] | None = Field(
        default=None, description="Days after which results are deleted. Default: never."
    )
    delete_old_versions_after_days: Annotated[int, whole(1, MOST_DAYS)] = Field(
        default=90,
        description="Days after which overwritten and deleted versions are gone for good; 36500 is a hundred years.",
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        CrossRule(
            ("archive_after_days",),
            "is not before delete_after_days; must be less, or one of them left out",
            lambda it: both_given(
                it.archive_after_days,
                it.delete_after_days,
                lambda archive, delete: archive < delete,
                otherwise=True,
            ),
        ),
    )


def _left_to_owner(key: str) -> CrossRule:
    return CrossRule(
        (key,),
        f"does not go with existing, whose owner decides it; leave out {key} or existing",
        lambda it: not_(it.existing) | (getattr(it, key) == StorageSettings.model_fields[key].default),
    )


class StorageSettings(Settings):
    """The bucket that holds specs, artifacts and results."""

    bucket: Annotated[str, BUCKET_NAME] | None = Field(
        default=None,
        description="The bucket's name, unique in the world. Default: <name>-scythe-<account>-<region>. "
        "Changing it replaces the bucket.",
    )
    prefix: Annotated[str, PREFIX] = Field(
        default="scythe",
        description="What all of Scythe's keys in the bucket begin with; workers may read and write nothing else.",
    )
    existing: Annotated[bool, flag()] = Field(
        default=False,
        description="Use the bucket of that name, which is there already, and change nothing about it.",
    )
    versioning: Annotated[bool, flag()] = Field(
        default=True, description="Keep what is overwritten or deleted as an old version."
    )
    force_destroy: Annotated[bool, flag()] = Field(
        default=False,
        description="Whether destroy deletes a bucket that still holds results; otherwise it stops there.",
    )
    lifecycle: Lifecycle = Field(default=Lifecycle(), description="What becomes of results that get old.")

    rules: ClassVar[tuple[CrossRule, ...]] = (
        CrossRule(
            ("bucket",),
            "is missing; with existing: true it must be the name of the bucket to use",
            lambda it: not_(it.existing) | is_set(it.bucket),
        ),
        *map(_left_to_owner, ("versioning", "force_destroy", "lifecycle")),
    )
