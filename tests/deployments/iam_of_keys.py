"""What a KMS key of one's own adds to what policies must allow and refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.deployments.iam_questions import ACCOUNT, REGION, Question, Questions
from tests.support.tools.iam import Simulation

KEYS = {
    use: f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000000{number}-89ab-cdef-0123-456789abcdef"
    for number, use in enumerate(("secrets", "bucket", "logs", "repositories", "of-fleets", "of-token"))
}


KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
"""A key's default policy: it leaves to the account's IAM policies who may use the key."""


class OfKey(Question):
    """A question of a role's policy and of the key's own, both of which must allow the use of a key."""

    def answer(self, document: Mapping[str, Any]) -> bool:
        return Simulation([document], resource_policy=KEY_POLICY).allows(
            self.action, self.resource, self.context
        )


def key(use: str, service: str, *, writes: bool = False) -> list[Question]:
    """Use one key, through one service."""
    arn, through = KEYS[use], {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
    others = [other for other in KEYS.values() if other != arn]
    actions = {"kms:Decrypt": True, "kms:GenerateDataKey": writes}
    return [
        *(OfKey(allowed, action, arn, through) for action, allowed in actions.items()),
        *(OfKey(False, action, other, through) for action in actions for other in others),
        *(OfKey(False, action, arn) for action in actions),
        *(OfKey(False, action, arn, {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}) for action in actions),
        *(
            OfKey(False, f"kms:{verb}", arn, through)
            for verb in ("Encrypt", "CreateGrant", "ScheduleKeyDeletion")
        ),
    ]


def logs(*roles: str) -> Questions:
    """Write encrypted logs."""
    return {f"aws_iam_role_policy.{role}_execution_log": key("logs", "logs", writes=True) for role in roles}


def merged(own: Questions, keys: Questions) -> Questions:
    """All questions of each policy, those of its keys too."""
    return own | {address: [*own[address], *questions] for address, questions in keys.items()}
