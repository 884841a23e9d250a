"""A login to the account's ECR that leaves no password behind."""

from __future__ import annotations

import base64
import json
import os
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ops.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

SETTINGS = "config.json"


@dataclass(frozen=True)
class Registry:
    """The account's ECR, and who may write to it for the next 12 hours.

    Attributes:
        host: the registry's.
        url: where it answers.
        user: for the login.
        password: the same; only ever given on a standard input.
        variables: a process environment in which Docker's settings, and so the login, are a folder of their own.
    """

    host: str
    url: str
    user: str
    password: str = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)

    @property
    def login(self) -> str:
        """User and password, as HTTP's basic authentication has them."""
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@contextmanager
def registry_of(ecr: ECRClient, repositories: Iterable[str]) -> Iterator[Registry]:
    """The account's ECR, with settings of Docker's for this command alone.

    They are in a folder for this user alone that goes with the block, and hold the user's other logins.
    """
    (granted,) = ecr.get_authorization_token()["authorizationData"]
    url = granted["proxyEndpoint"]
    host = urlsplit(url).netloc
    user, _, password = base64.b64decode(granted["authorizationToken"]).decode().partition(":")
    settings = _settings({host, *(f"{host}/{name}" for name in repositories)})
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # kill ends what Ctrl-C ends
    try:
        with tempfile.TemporaryDirectory(prefix="scythe-aws-registry-") as folder:
            (Path(folder) / SETTINGS).write_text(json.dumps(settings))
            _link_others(Path(folder))
            # Where buildx notes its builders: what it writes must outlast the folder.
            builders = os.environ.get("BUILDX_CONFIG") or str(_docker_folder() / "buildx")
            variables = os.environ | {"DOCKER_CONFIG": folder, "BUILDX_CONFIG": builders}
            yield Registry(host, url, user, password, variables)
    finally:
        signal.signal(signal.SIGTERM, before)


def _docker_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _link_others(folder: Path) -> None:
    """Lend the folder the user's contexts and plugins, without which docker would not find its engine or buildx."""
    for name in ("cli-plugins", "contexts", "tls"):
        if (theirs := _docker_folder() / name).is_dir():
            (folder / name).symlink_to(theirs.absolute())


def _settings(ours: Iterable[str]) -> dict[str, Any]:
    """The user's logins to registries, but for those that this command logs in to itself."""
    file = _docker_folder() / SETTINGS
    try:
        settings = json.loads(file.read_text() if file.is_file() else "{}")
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise CommandError(f"{file} is not a JSON object, as Docker's settings are: correct or remove it")
    # A password goes where these settings say: for many users a keychain, which would keep it. A helper without a
    # name is the file itself (docker/cli, cli/config/configfile, getConfiguredCredentialStore). Crane asks for a
    # repository's login before its registry's.
    settings["credHelpers"] = {**(settings.get("credHelpers") or {}), **dict.fromkeys(sorted(ours), "")}
    return settings
