"""The bucket of a load balancer's access logs."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from constructs import Construct

from modules.common.account import Account
from modules.common.policies import Condition, Statement, policy
from synthesis.expression import Expression, ref, text
from synthesis.stack import Label
from synthesis.suppression import suppress

KEPT_DAYS = 90


class AccessLogs(Construct):
    """A private bucket that Elastic Load Balancing alone writes to; logs are deleted after 90 days.

    Attributes:
        bucket: its name, once it may be written to.
    """

    def __init__(self, scope: Construct, id_: str, *, label: Label) -> None:
        super().__init__(scope, id_)
        account = Account(self)
        bucket = S3Bucket(
            self,
            "Bucket",
            bucket=f"{text(label.name)}-lb-logs-{account.id}-{account.region}",
            # Who came is of no use once the load balancer is gone.
            force_destroy=True,
            tags=label.tagged(),
        )
        suppress(
            bucket,
            {
                "CKV_AWS_18": "it holds access logs itself",
                "CKV_AWS_21": "logs are written once",
                "CKV_AWS_144": "logs of a load balancer are of use in its own region",
                "CKV_AWS_145": "Elastic Load Balancing writes to buckets with S3's own keys alone",
                "CKV2_AWS_62": "nothing waits for its events",
            },
        )
        name, arn = text(ref(bucket).id), text(ref(bucket).arn)
        S3BucketPublicAccessBlock(
            self, "PublicAccessBlock", bucket=name, block_public_acls=True, block_public_policy=True,
            ignore_public_acls=True, restrict_public_buckets=True,
        )  # fmt: skip
        S3BucketLifecycleConfiguration(
            self,
            "LifecycleConfiguration",
            bucket=name,
            rule=[
                S3BucketLifecycleConfigurationRule(
                    id="delete",
                    status="Enabled",
                    filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=KEPT_DAYS)],
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7
                        )
                    ],
                )
            ],
        )
        # Elastic Load Balancing User Guide, "Enable access logs for your Application Load Balancer".
        written = S3BucketPolicy(
            self,
            "Policy",
            bucket=name,
            policy=policy(
                Statement(
                    ["s3:PutObject"],
                    [f"{arn}/hatchet/AWSLogs/{account.id}/*"],
                    [
                        Condition(
                            "ArnLike",
                            "aws:SourceArn",
                            [account.arn("elasticloadbalancing", "loadbalancer/*")],
                        )
                    ],
                    services=["logdelivery.elasticloadbalancing.amazonaws.com"],
                ),
                Statement(
                    effect="Deny",
                    everyone=True,
                    actions=["s3:*"],
                    resources=[arn, f"{arn}/*"],
                    conditions=[Condition("Bool", "aws:SecureTransport", ["false"])],
                ),
            ),
        )
        self.bucket: Expression = ref(written).bucket
