"""Calls to AWS with the rights of the person who runs the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSOError,
    TokenRetrievalError,
)

from ops.errors import CommandError

if TYPE_CHECKING:
    from environments.schema import Environment

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
}
_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
_LOG_IN = "log in (aws sso login, or AWS_PROFILE for another profile)"


class Caller:
    """Who runs a command, in an environment's region.

    Attributes:
        account_id: the caller's account.
        arn: who the caller is.
        session: makes clients for the environment's region.
    """

    def __init__(self, environment: Environment) -> None:
        """Ask AWS who calls.

        Raises:
            CommandError: the environment belongs to another account.
        """
        self.session = boto3.Session(region_name=environment.region)
        identity = self.session.client("sts").get_caller_identity()
        self.account_id, self.arn = identity["Account"], identity["Arn"]
        if environment.account_id not in {None, self.account_id}:
            raise CommandError(
                f"{environment.name} belongs to account {environment.account_id} (account_id), but the credentials are "
                f"of account {self.account_id}: use a profile of the former (AWS_PROFILE)"
            )


def code(error: ClientError) -> str:
    """The error's code, such as ``AccessDeniedException``."""
    return error.response.get("Error", {}).get("Code", "")


def is_refusal(error: ClientError) -> bool:
    """Whether AWS says that the caller has no right to it."""
    return code(error) in _REFUSED


def explain_refusal(error: Exception) -> str | None:
    """What AWS or the way to it says, in one line with what to do; None for any other error."""
    words = None
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        words = f"AWS credentials are missing: {_LOG_IN}"
    elif isinstance(error, SSOError | TokenRetrievalError | CredentialRetrievalError):
        words = f"AWS credentials cannot be had ({error}): {_LOG_IN}"
    elif isinstance(error, EndpointConnectionError | HTTPClientError | ProxyConnectionError):
        words = f"AWS cannot be reached: {error}"
    elif isinstance(error, ClientError):
        words = _explain_answer(error)
    elif isinstance(error, BotoCoreError):
        words = f"AWS cannot be called: {error}"
    return None if words is None else " ".join(words.split())


def _explain_answer(error: ClientError) -> str:
    if code(error) in _EXPIRED:
        return f"AWS credentials have expired: {_LOG_IN}"
    if code(error) in _UNKNOWN:
        return f"AWS does not know the credentials ({code(error)}): {_LOG_IN}"
    message = error.response.get("Error", {}).get("Message", "")
    if is_refusal(error):
        return f"AWS refuses {error.operation_name} to these credentials: {message or 'no reason given'}"
    return f"AWS answers {error.operation_name} with {code(error)}: {message or 'no reason given'}"
