"""What outlives the fleets: the bucket of specs and results, and the repository of the worker image."""

from __future__ import annotations

from functools import partial

from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktf_cdktf_provider_aws.ecr_repository import EcrRepository, EcrRepositoryImageScanningConfiguration
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from constructs import Construct

from modules.common.account import Account
from modules.common.image_encryption import encrypt_images
from modules.common.policies import Condition, Statement, policy
from modules.storage.attributes import StorageAttributes
from modules.storage.lifecycle import keep_for
from modules.storage.settings import StorageSettings
from synthesis.expression import Exists, Expression, flag, local, ref, text, where
from synthesis.functions import choose, coalesce, not_
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress

UNTAGGED_DAYS = 7
"""Days after which an image without a tag expires: what an interrupted push leaves.

Tagged images never expire. The deployed image may be the oldest one, no rule of a lifecycle policy can tell which
digest is deployed, and a fleet that cannot pull its image does not wake. A rule on the number of images counts an
index and the images that it lists, and a rule on pulls expires the image of a fleet that sleeps for long.
``scythe-aws image push`` tags each index, tags are immutable so none moves away, and ECR keeps the untagged images of
an index as long as the index (Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies":
an image referenced by a manifest list cannot be expired before the manifest list is deleted).
"""


class Storage(Construct):
    """The bucket, private and reached by TLS alone, and the image repository with immutable tags.

    With ``settings.existing`` the bucket of that name is used and nothing about it is changed.

    Costs: what is stored, $0.023 a GB-month in S3 Standard and $0.10 in ECR (us-east-1). ECR stores a layer that
    several images share once.

    Attributes:
        attributes: what other stacks need of it, with `StorageAttributes.grant_read_write`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: StorageSettings,
        bucket_key_arn: Expression,
        repositories_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._label, self._account = label, Account(self)
        name = self._choose_name(settings)
        where(not_(settings.existing), partial(self._create_bucket, settings, name, bucket_key_arn))
        repository = self._create_repository(repositories_key_arn)
        self.attributes = StorageAttributes(
            bucket_name=name,
            bucket_arn=Expression(hcl(f"arn:{self._account.partition}:s3:::{text(name)}")),
            prefix=Expression(hcl(settings.prefix)),
            bucket_key_arn=Expression(f'{bucket_key_arn} == null ? "" : {bucket_key_arn}'),
            bucket_account_id=Expression(hcl(choose(settings.existing, "", self._account.id))),
            repository_url=repository.repository_url,
            repository_arn=repository.arn,
        )

    def _choose_name(self, settings: StorageSettings) -> Expression:
        """A name that is known before the bucket is there, so that plans show the policies that name it."""
        generated = f"{text(self._label.name)}-scythe-{self._account.id}-{self._account.region}"
        return local(self, "bucket", hcl(coalesce(settings.bucket, generated)))

    def _create_bucket(
        self, settings: StorageSettings, name: Expression, key_arn: Expression, exists: Exists
    ) -> None:
        bucket = S3Bucket(
            self,
            "Bucket",
            count=exists.count,
            bucket=text(name),
            force_destroy=flag(settings.force_destroy),
            tags=self._label.tagged(),
        )
        suppress(
            bucket,
            {
                "CKV_AWS_18": "who reads it is told by CloudTrail, where an account has it tell of objects",
                "CKV_AWS_21": "storage.versioning may switch it off where results can be computed again",
                "CKV_AWS_144": "results can be simulated again: a second region would double their price",
                "CKV_AWS_145": "without kms.bucket S3's own keys encrypt it, without a price per request; the bucket is private",
                "CKV2_AWS_62": "nothing waits for events of this bucket: Hatchet tells of results",
            },
        )
        made = exists.ref(bucket)
        id_ = text(made.id)
        S3BucketPublicAccessBlock(
            self, "PublicAccessBlock", count=exists.count, bucket=id_, block_public_acls=True, block_public_policy=True,
            ignore_public_acls=True, restrict_public_buckets=True,
        )  # fmt: skip
        S3BucketOwnershipControls(
            self,
            "OwnershipControls",
            count=exists.count,
            bucket=id_,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        S3BucketVersioningA(
            self,
            "Versioning",
            count=exists.count,
            bucket=id_,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(
                status=choose(settings.versioning, "Enabled", "Suspended")
            ),
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "Encryption",
            count=exists.count,
            bucket=id_,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        sse_algorithm=text(f'{key_arn} == null ? "AES256" : "aws:kms"'),
                        kms_master_key_id=text(key_arn),
                    ),
                    # One call of KMS for many objects (Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3
                    # Bucket Keys").
                    bucket_key_enabled=flag(f"{key_arn} == null ? null : true"),
                )
            ],
        )
        self._refuse_plain_http(id_, text(made.arn), exists)
        keep_for(self, settings, count=exists.count, bucket=id_)

    def _refuse_plain_http(self, bucket: str, arn: str, exists: Exists) -> None:
        S3BucketPolicy(
            self,
            "Policy",
            count=exists.count,
            bucket=bucket,
            policy=policy(
                Statement(
                    effect="Deny",
                    everyone=True,
                    actions=["s3:*"],
                    resources=[arn, f"{arn}/*"],
                    conditions=[Condition("Bool", "aws:SecureTransport", ["false"])],
                )
            ),
        )

    def _create_repository(self, key_arn: Expression) -> Expression:
        repository = EcrRepository(
            self,
            "worker",
            name=f"{text(self._label.name)}/worker",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
            # Images are built from the researcher's repository: an environment that goes takes them along.
            force_delete=True,
            tags=self._label.tagged(),
        )
        encrypt_images(repository, key_arn)
        suppress(
            repository,
            {"CKV_AWS_136": "without kms.repositories ECR's own keys encrypt it; images hold no secret"},
        )
        EcrLifecyclePolicy(
            repository,
            "LifecyclePolicy",
            repository=text(ref(repository).name),
            policy=text(f"jsonencode({hcl({'rules': [_EXPIRE_UNTAGGED]})})"),
        )
        return ref(repository)


_EXPIRE_UNTAGGED = {
    "rulePriority": 1,
    "description": f"untagged for {UNTAGGED_DAYS} days",
    "selection": {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": UNTAGGED_DAYS,
    },
    "action": {"type": "expire"},
}
