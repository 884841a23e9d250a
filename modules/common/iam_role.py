"""A role of IAM's that an AWS service takes for this account's resources."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.common.policies import trust
from synthesis.expression import text
from synthesis.stack import Label


def create_role(
    scope: Construct,
    id_: str,
    *,
    label: Label,
    name: str,
    service: str,
    account_id: str,
    source_arn: str,
    count: float | None = None,
) -> IamRole:
    """Make the role ``<environment>-<name>``, within the permissions boundary that its account asks for.

    Args:
        scope: the construct that it is of.
        id_: its place there.
        label: what names, tags and bounds it.
        name: the end of its name.
        service: who may take it, such as ``ecs-tasks.amazonaws.com``.
        account_id: the account whose resources it may be taken for.
        source_arn: the ARN of those.
        count: of the resource; None for one, always.
    """
    return IamRole(
        scope,
        id_,
        count=count,
        name=f"{text(label.name)}-{name}",
        assume_role_policy=trust(service, account_id=account_id, source_arn=source_arn),
        permissions_boundary=None if label.permissions_boundary is None else text(label.permissions_boundary),
        tags=label.tagged(),
    )
