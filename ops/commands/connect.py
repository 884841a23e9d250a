"""``scythe-aws connect``: run a command where Scythe's allocator finds the bucket and the engine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from botocore.exceptions import ClientError

from environments.schema import Environment
from modules.hatchet.client import client_environment
from ops.commands.forward import is_forwarded, is_reached
from ops.deployed import secret
from ops.deployed.aws import Caller, code, is_refusal
from ops.deployed.hatchet_token import claims_of
from ops.environment import environment_of
from ops.errors import CommandError


def connect(given: str, command: Sequence[str]) -> None:
    """Become a command, or a shell, with an environment's variables; its exit status is the command's.

    The token is in that process's environment alone.

    Args:
        given: the environment's name or path.
        command: the command and its arguments; none for ``$SHELL``.

    Raises:
        CommandError: something is missing.
    """
    environment = environment_of(given)
    words = list(command) or [os.environ.get("SHELL") or "/bin/sh"]
    program = shutil.which(words[0])
    if program is None:
        raise CommandError(f"{words[0]}: there is no such command")
    variables = variables_of(environment, os.environ)
    if is_forwarded(environment) and not is_reached():
        print(
            f"{environment.name} has no domain: Hatchet is reached while scythe-aws forward {given} runs in another "
            "terminal, which is not so yet",
            file=sys.stderr,
        )
    sys.stdout.flush()
    os.execve(program, words, variables)  # noqa: S606  # no shell is wanted between


def variables_of(environment: Environment, inherited: Mapping[str, str]) -> dict[str, str]:
    """A process environment with what scythe-engine's allocator, hatchet-sdk and boto3 read.

    Read from AWS with the caller's own rights; what the policy ``<name>-researcher-<region>`` allows is enough.

    Args:
        environment: the environment to connect to.
        inherited: the variables to add to. What would lead to another engine is left out.

    Raises:
        CommandError: the environment is not deployed, holds no token, or the caller may not use it.
    """
    caller = Caller(environment)
    bucket = bucket_of(caller, environment)
    _require_bucket(caller, environment, bucket)
    ours = {
        "AWS_DEFAULT_REGION": environment.region,
        "SCYTHE_STORAGE_BUCKET": bucket,
        "SCYTHE_STORAGE_BUCKET_PREFIX": environment.storage.prefix,
        **_of_engine(environment, secret.read(caller, environment)),
    }
    # hatchet-sdk and scythe-engine read names in any case, and the last one wins.
    return {name: value for name, value in inherited.items() if name.upper() not in ours} | ours


def _of_engine(environment: Environment, token: str) -> dict[str, str]:
    """All that hatchet-sdk may read of where an engine is (``hatchet_sdk/config.py``).

    What is in its environment wins over the files ``.env``, ``.env.hatchet``, ``.env.dev`` and ``.env.local`` of the working
    directory, which could send the token elsewhere.
    """
    claims = claims_of(token)
    of_engine = {
        "HOST_PORT": claims.address,
        "NAMESPACE": "",
        "SERVER_URL": claims.server_url,
        "TENANT_ID": claims.tenant,
        "TLS_CERT_FILE": "",
        "TLS_KEY_FILE": "",
        "TLS_ROOT_CA_FILE": "",
        "TLS_SERVER_NAME": claims.host,
        # A forwarded port is the engine's own; TLS ends at the load balancer of a domain.
        "TLS_STRATEGY": "none" if is_forwarded(environment) else "tls",
        "TOKEN": token,
    }
    variables = {f"HATCHET_CLIENT_{name}": value for name, value in of_engine.items()}
    return variables if environment.hatchet.mode == "cloud" else variables | client_environment()


def bucket_of(caller: Caller, environment: Environment) -> str:
    """The name of the bucket of specs and results."""
    generated = f"{environment.name}-scythe-{caller.account_id}-{environment.region}"
    return environment.storage.bucket or generated


def _require_bucket(caller: Caller, environment: Environment, bucket: str) -> None:
    prefix = environment.storage.prefix
    try:
        caller.session.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/", MaxKeys=1)
    except ClientError as error:
        if code(error) == "NoSuchBucket":
            made = (
                "" if environment.storage.existing else f": run cdktf deploy {environment.name}-storage first"
            )
            raise CommandError(f"the bucket {bucket} does not exist{made}") from None
        if is_refusal(error):
            raise CommandError(
                f"{caller.arn} may not list {bucket}/{prefix} (s3:ListBucket): attach the policy "
                f"{environment.name}-researcher-{environment.region}, which {environment.name}-storage makes"
            ) from None
        raise
