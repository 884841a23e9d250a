"""A role of IAM's that an AWS service takes for this account's resources."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.common.account import Account
from modules.common.policies import trust
from synthesis.expression import text
from synthesis.literals import hcl
from synthesis.stack import Label

DIGEST = 8
"""Characters of the digest at the end of a role's name."""


def create_role(
    scope: Construct,
    id_: str,
    *,
    label: Label,
    name: str,
    service: str,
    account: Account,
    source_arn: str,
    count: float | None = None,
) -> IamRole:
    """Make the role ``<environment>-<name>-<digest>``, within the permissions boundary that its account asks for.

    An account has its roles' names once, for all regions, of 64 characters at most (IAM User Guide, "IAM and AWS STS
    quotas"): the digest of region, environment and name tells apart what has the same first characters.

    Args:
        scope: the construct that it is of.
        id_: its place there.
        label: what names, tags and bounds it.
        name: the end of its name.
        service: who may take it, such as ``ecs-tasks.amazonaws.com``.
        account: the account whose resources it may be taken for, and the region.
        source_arn: the ARN of those.
        count: of the resource; None for one, always.
    """
    begins, whole = f"{text(label.name)}-{name}", f"{account.region}/{text(label.name)}/{name}"
    return IamRole(
        scope,
        id_,
        count=count,
        name=f"{text(f'substr({hcl(begins)}, 0, {64 - 1 - DIGEST})')}-{text(f'substr(sha256({hcl(whole)}), 0, {DIGEST})')}",
        assume_role_policy=trust(service, account_id=account.id, source_arn=source_arn),
        permissions_boundary=None if label.permissions_boundary is None else text(label.permissions_boundary),
        tags=label.tagged(),
    )
