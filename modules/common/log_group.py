"""A log group of CloudWatch Logs."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from constructs import Construct

from synthesis.expression import Expression, number, text
from synthesis.stack import Label
from synthesis.suppression import suppress


def create_log_group(
    scope: Construct,
    id_: str,
    *,
    label: Label,
    name: str,
    retention_days: object,
    key_arn: Expression,
    unencrypted: str,
    kept: str,
    count: float | None = None,
) -> CloudwatchLogGroup:
    """Make a log group, encrypted with a key of the account's own or with CloudWatch's.

    Args:
        scope: the construct that it is of.
        id_: its place there.
        label: what tags it.
        name: the group's.
        retention_days: the expression of the days after which CloudWatch deletes what it holds.
        key_arn: the ARN of the KMS key that encrypts it; null for CloudWatch's own.
        unencrypted: why no key of the account's own encrypts it.
        kept: why it may be kept for less than a year.
        count: of the resource; None for one, always.
    """
    group = CloudwatchLogGroup(
        scope,
        id_,
        count=count,
        name=name,
        retention_in_days=number(retention_days),
        kms_key_id=text(key_arn),
        tags=label.tagged(),
    )
    suppress(group, {"CKV_AWS_158": f"without kms.logs {unencrypted}", "CKV_AWS_338": kept})
    return group
