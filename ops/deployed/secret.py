"""The secret in Secrets Manager that holds an environment's client token."""

from __future__ import annotations

from botocore.exceptions import ClientError

from environments.schema import Environment
from ops.deployed.aws import Caller, code, is_refusal
from ops.errors import CommandError

_MOST_BYTES = 65_536
"""The longest secret value (AWS Secrets Manager API, ``SecretString``)."""


def secret_of(environment: Environment) -> str:
    """The secret's ARN where the environment names one that exists, else the name of the one it makes."""
    return environment.hatchet.token_secret_arn or f"{environment.name}/hatchet-client-token"


def store(caller: Caller, environment: Environment, token: str) -> bool:
    """Store the client token.

    Returns:
        Whether the secret held one before.

    Raises:
        CommandError: there is no such secret yet.
    """
    if len(token.encode()) > _MOST_BYTES:
        raise CommandError(
            f"the token has more than {_MOST_BYTES} bytes, which Secrets Manager takes at most"
        )
    manager = caller.session.client("secretsmanager")
    try:
        held = manager.describe_secret(SecretId=secret_of(environment)).get("VersionIdsToStages")
        manager.put_secret_value(SecretId=secret_of(environment), SecretString=token)
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            raise _missing(environment) from None
        raise
    return bool(held)


def read(caller: Caller, environment: Environment) -> str:
    """The client token.

    Raises:
        CommandError: there is none yet, or the caller may not read it.
    """
    secret = secret_of(environment)
    try:
        answer = caller.session.client("secretsmanager").get_secret_value(SecretId=secret)
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            # Secrets Manager says the same of a secret without a value; its message names the version's label.
            if "staging label" in str(error):
                raise CommandError(
                    f"no token is stored in {secret} yet: {_who_stores(environment)}"
                ) from None
            raise _missing(environment) from None
        if is_refusal(error):
            raise CommandError(
                f"{caller.arn} may not read the secret {secret} (secretsmanager:GetSecretValue), or it is not there: "
                f"attach the policy {environment.name}-researcher-{environment.region}, which {environment.name}-storage makes"
            ) from None
        raise
    return answer["SecretString"]


def _who_stores(environment: Environment) -> str:
    name = environment.name
    if environment.hatchet.mode == "cloud":
        return f"run scythe-aws token {name} first"
    return f"Hatchet's set-up makes it when {name}-hatchet is deployed (its steps: log group /scythe/{name}/hatchet)"


def _missing(environment: Environment) -> CommandError:
    if environment.hatchet.token_secret_arn:
        return CommandError(
            f"{secret_of(environment)} (hatchet.token_secret_arn) does not exist in this account"
        )
    return CommandError(
        f"the secret {secret_of(environment)} does not exist yet: run cdktf deploy {environment.name}-storage first"
    )
