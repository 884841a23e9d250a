"""The user's password of a RabbitMQ broker, and the URL that holds it, which Terraform never knows."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion
from constructs import Construct

from modules.common.secret import create_secret
from synthesis.ephemeral import ephemeral
from synthesis.expression import Expression, number, ref, text, when
from synthesis.literals import hcl
from synthesis.stack import Label

USER = "hatchet"


class BrokerCredentials(Construct):
    """A secret with the keys ``password`` and ``url``, where there is such a broker.

    The password is drawn by an ephemeral resource, once for each `version`, and is in no plan and no state.

    Attributes:
        arns: the secret's ARN, as a list that is empty where there is no such broker.
        value: what a task that reads it must wait for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        name: str,
        exists: Expression,
        scheme: str,
        place: str,
        version: Expression | int,
        unrotated: str,
        key_arn: Expression,
    ) -> None:
        """Make the secret ``<environment>/hatchet-<name>``.

        Args:
            scope: the broker.
            id_: its place there.
            label: what names and tags it.
            name: the broker's.
            exists: whether there is such a broker.
            scheme: of the URL: ``amqp``, or ``amqps`` for TLS.
            place: the broker's host and port, which may hold ``${}`` templates.
            version: another number draws another password.
            unrotated: why Secrets Manager does not rotate it.
            key_arn: the ARN of the KMS key that encrypts it; null for Secrets Manager's own.
        """
        super().__init__(scope, id_)
        self._exists = exists
        secret = create_secret(
            self,
            "Secret",
            label=label,
            name=f"hatchet-{name}",
            description="Password and URL of Hatchet's broker",
            unrotated=unrotated,
            key_arn=key_arn,
            count=when(exists),
        )
        self._arn = Expression(f"{ref(secret)}[0].arn")
        self.arns = Expression(f"({exists} ? [{self._arn}] : [])")
        # Without punctuation: it stands in a URL.
        drawn = ephemeral(
            self,
            "aws_secretsmanager_random_password",
            name.replace("-", "_"),
            {"count": text(f"{exists} ? 1 : 0"), "password_length": 40, "exclude_punctuation": True},
        )
        password = f"{drawn}[0].random_password"
        value = {"password": Expression(password), "url": f"{scheme}://{USER}:${{{password}}}@{place}/"}
        self.value = SecretsmanagerSecretVersion(
            self,
            "Value",
            count=when(exists),
            secret_id=text(ref(secret)[0].id),
            secret_string_wo=text(f"jsonencode({hcl(value)})"),
            secret_string_wo_version=version if isinstance(version, int) else number(version),
        )

    def value_from(self, key: str) -> Expression:
        """The ``valueFrom`` of one of its keys; null where there is no such broker."""
        return Expression(f"{self._exists} ? {hcl(f'{text(self._arn)}:{key}::')} : null")
