"""What a researcher may do: allocate experiments and download results."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from constructs import Construct

from modules.expression import Expression, ref, text
from modules.hatchet.token import TokenAttributes
from modules.policies import policy
from modules.stack import Label
from modules.storage.attributes import StorageAttributes


class Researcher(Construct):
    """A managed policy with what ``scythe-aws connect`` and Scythe's allocator need, and no more.

    Attributes:
        policy_arn: to attach to the researchers' group, role or permission set.
        policy_json: the same as a document, for an account where policies come from elsewhere.
    """

    def __init__(
        self, scope: Construct, id_: str, *, label: Label, storage: StorageAttributes, token: TokenAttributes
    ) -> None:
        super().__init__(scope, id_)
        managed = IamPolicy(
            self,
            "Policy",
            name=f"{text(label.name)}-researcher",
            description="Allocate experiments and download results of the Scythe environment",
            policy=policy(*token.read(), *storage.read_write()),
            tags=label.tagged(),
        )
        self.policy_arn: Expression = ref(managed).arn
        self.policy_json: Expression = ref(managed).policy
