"""The secret that holds Hatchet's client token: the place, never the value."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.data_aws_secretsmanager_secret_versions import (
    DataAwsSecretsmanagerSecretVersions,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from modules.common.keys import use_of
from modules.common.policies import Statement, policy
from modules.common.presence import is_given
from modules.common.secret import create_secret
from modules.hatchet.settings import HatchetSettings
from synthesis.expression import Expression, ref, text, when
from synthesis.functions import attempt, call_of, choose, not_
from synthesis.literals import hcl
from synthesis.stack import OPTIONAL, Label, attribute
from synthesis.typed import Text


@dataclass(frozen=True)
class TokenAttributes:
    """The client token's secret, as others know it."""

    token_secret_arn: Expression = attribute("ARN of the secret that holds Hatchet's client token.")
    token_secret_key_arn: Expression = attribute(
        "ARN of the KMS key that encrypts the secret; empty for Secrets Manager's own.", OPTIONAL
    )

    def read(self) -> tuple[Statement | None, ...]:
        """What reading the token takes."""
        return (
            Statement(actions=["secretsmanager:GetSecretValue"], resources=[text(self.token_secret_arn)]),
            use_of("secretsmanager", self.token_secret_key_arn),
        )

    def grant_read(self, role: IamRole) -> None:
        """Let a role read the token."""
        IamRolePolicy(role, "token", name="token", role=text(ref(role).id), policy=policy(*self.read()))

    def is_stored(self, scope: Construct) -> Expression:
        """Whether there is a token, as of the plan; `scope` is who asks."""
        versions = DataAwsSecretsmanagerSecretVersions(scope, "token", secret_id=text(self.token_secret_arn))
        return Expression(f"try(length({ref(versions)}.versions), 0) > 0")


class ClientToken(Construct):
    """A secret without a value, which ``scythe-aws token`` gives it; or one that exists, by ARN.

    Destroyed without a recovery window, so that its name is free at once: Hatchet issues tokens anew.

    Costs: $0.40 a month (AWS Secrets Manager pricing).

    Attributes:
        attributes: what other stacks need of it, with `TokenAttributes.grant_read`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: HatchetSettings,
        secrets_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        given = settings.token_secret_arn
        exists = is_given(settings.existing_token_secret, given)
        secret = create_secret(
            self,
            "Secret",
            label=label,
            name="hatchet-client-token",
            description="Hatchet's client token",
            unrotated="Hatchet issues its tokens, and scythe-aws token replaces them",
            key_arn=secrets_key_arn,
            count=when(not_(exists)),
        )
        key_arn = choose(exists, settings.token_secret_key_arn, secrets_key_arn)
        self.attributes = TokenAttributes(
            token_secret_arn=Expression(hcl(choose(exists, given, ref(secret)[0].arn))),
            token_secret_key_arn=Expression(hcl(attempt(lambda: call_of("coalesce", key_arn, Text), ""))),
        )
