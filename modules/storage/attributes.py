"""What other stacks know of the storage."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy

from modules.common.keys import use_of
from modules.common.policies import Condition, Statement, policy
from synthesis.expression import Expression, ref, text
from synthesis.stack import OPTIONAL, attribute


@dataclass(frozen=True)
class StorageAttributes:
    """The bucket of Scythe's specs, artifacts and results, and the worker image's repository."""

    bucket_name: Expression = attribute("Name of the bucket.")
    bucket_arn: Expression = attribute("ARN of the bucket.")
    prefix: Expression = attribute("What Scythe's keys in the bucket begin with, without a slash at the end.")
    bucket_key_arn: Expression = attribute(
        "ARN of the KMS key that encrypts the bucket; empty for S3's own keys.", OPTIONAL
    )
    bucket_account_id: Expression = attribute(
        "Account of the bucket; empty for a bucket that exists, which may be another account's.", OPTIONAL
    )
    repository_url: Expression = attribute("URL of the ECR repository of the worker image.")
    repository_arn: Expression = attribute("ARN of the ECR repository of the worker image.")

    def read_write(self) -> tuple[Statement | None, ...]:
        """What Scythe does with the bucket: get and put below the prefix, and list it; it deletes nothing.

        A bucket's name is free for anyone once the bucket is gone, so the account stands beside it where it is known.
        """
        bucket, prefix = text(self.bucket_arn), text(self.prefix)
        account = Condition(
            "StringEquals", "aws:ResourceAccount", [self.bucket_account_id], only_with=self.bucket_account_id
        )
        return (
            Statement(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[f"{bucket}/{prefix}/*"],
                conditions=[account],
            ),
            Statement(
                actions=["s3:ListBucket"],
                resources=[bucket],
                # Not the bare prefix: its listing names what merely begins like it.
                conditions=[Condition("StringLike", "s3:prefix", [f"{prefix}/*"]), account],
            ),
            use_of("s3", self.bucket_key_arn, writes=True),
        )

    def grant_read_write(self, role: IamRole) -> None:
        """Let a role read and write below the prefix, and list it."""
        IamRolePolicy(
            role, "bucket", name="bucket", role=text(ref(role).id), policy=policy(*self.read_write())
        )
