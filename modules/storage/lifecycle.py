"""What becomes of results as they get old."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionTransition,
    S3BucketLifecycleConfigurationRuleTransition,
)
from constructs import Construct

from modules.storage.settings import StorageSettings
from synthesis.expression import number
from synthesis.functions import choose, coalesce, is_null

ARCHIVE = "GLACIER_IR"
"""Glacier Instant Retrieval: archived results stay readable at once."""

ABANDONED_UPLOAD_DAYS = 7
A_YEAR = 365
"""Stands where a rule that is off must have a number of days."""


def keep_for(scope: Construct, settings: StorageSettings, *, count: float | None, bucket: str) -> None:
    """Write the bucket's lifecycle rules: all four always, those that no setting asks for switched off."""
    lifecycle = settings.lifecycle
    scythe = S3BucketLifecycleConfigurationRuleFilter(prefix=f"{settings.prefix}/")
    archive = _days(lifecycle.archive_after_days)
    S3BucketLifecycleConfiguration(
        scope,
        "LifecycleConfiguration",
        count=count,
        bucket=bucket,
        rule=[
            S3BucketLifecycleConfigurationRule(
                id="abort-uploads",
                status="Enabled",
                filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                abort_incomplete_multipart_upload=[
                    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                        days_after_initiation=ABANDONED_UPLOAD_DAYS
                    )
                ],
            ),
            S3BucketLifecycleConfigurationRule(
                id="archive",
                status=_enabled(lifecycle.archive_after_days),
                filter=[scythe],
                transition=[
                    S3BucketLifecycleConfigurationRuleTransition(days=archive, storage_class=ARCHIVE)
                ],
                noncurrent_version_transition=[
                    S3BucketLifecycleConfigurationRuleNoncurrentVersionTransition(
                        noncurrent_days=archive, storage_class=ARCHIVE
                    )
                ],
            ),
            S3BucketLifecycleConfigurationRule(
                id="delete",
                status=_enabled(lifecycle.delete_after_days),
                filter=[scythe],
                expiration=[
                    S3BucketLifecycleConfigurationRuleExpiration(days=_days(lifecycle.delete_after_days))
                ],
            ),
            S3BucketLifecycleConfigurationRule(
                id="delete-old-versions",
                status="Enabled",
                filter=[scythe],
                noncurrent_version_expiration=[
                    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                        noncurrent_days=number(lifecycle.delete_old_versions_after_days)
                    )
                ],
            ),
        ],
    )


def _enabled(days: int | None) -> str:
    status: str = choose(is_null(days), "Disabled", "Enabled")
    return status


def _days(days: int | None) -> float:
    return number(coalesce(days, A_YEAR))
