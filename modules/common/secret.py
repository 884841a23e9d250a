"""A secret of Secrets Manager, without its value."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from constructs import Construct

from synthesis.expression import Expression, text
from synthesis.stack import Label
from synthesis.suppression import suppress


def create_secret(
    scope: Construct,
    id_: str,
    *,
    label: Label,
    name: str,
    description: str,
    unrotated: str,
    key_arn: Expression,
    count: float | None = None,
) -> SecretsmanagerSecret:
    """Make the secret ``<environment>/<name>``.

    It is destroyed without a recovery window: a deployment that is destroyed and made again finds the name free.

    Args:
        scope: the construct that it is of.
        id_: its place there.
        label: what names and tags it.
        name: the end of its name.
        description: what it holds.
        unrotated: why Secrets Manager does not rotate it.
        key_arn: the ARN of the KMS key that encrypts it; null for Secrets Manager's own.
        count: of the resource; None for one, always.
    """
    made = SecretsmanagerSecret(
        scope,
        id_,
        count=count,
        name=f"{text(label.name)}/{name}",
        description=description,
        kms_key_id=text(key_arn),
        recovery_window_in_days=0,
        tags=label.tagged(),
    )
    suppress(
        made,
        {
            "CKV_AWS_149": "without kms.secrets the account's own Secrets Manager key encrypts it, without a price per month",
            "CKV2_AWS_57": unrotated,
        },
    )
    return made
