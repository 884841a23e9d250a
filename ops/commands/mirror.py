"""``scythe-aws image mirror``: copy the engine's images to the environment's ECR, registry to registry."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from environments.schema import Environment
from modules.hatchet.images import UPSTREAM, Image, images_of
from ops.deployed.aws import Caller
from ops.deployed.repository import Repository
from ops.environment import environment_of
from ops.errors import CommandError
from ops.images.registry_login import registry_of

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_INSTALL = (
    "crane is needed: install it from https://github.com/google/go-containerregistry/releases, with brew install "
    "crane, or with go install github.com/google/go-containerregistry/cmd/crane@latest (none is on the PATH)"
)


@dataclass(frozen=True)
class Mirrored:
    """An image that is in ECR as it is upstream.

    Attributes:
        name: the end of its repository's name.
        source: its address upstream.
        target: its address in ECR.
        digest: that of its index, of all platforms, in both.
        copied: whether this run copied it.
    """

    name: str
    source: str
    target: str
    digest: str
    copied: bool

    def __str__(self) -> str:
        """As a line of its own."""
        done = f"copied to {self.target}" if self.copied else f"{self.target} is there already"
        return f"{self.name}: {done} ({self.digest})"


def mirror(given: str, *, as_json: bool = False) -> None:
    """Copy what is not there yet, and print each image.

    Nothing is copied before all repositories, all images upstream and all tags that are there have been seen to fit.

    Args:
        given: the environment's name or path.
        as_json: print one JSON document instead: ``images``.

    Raises:
        CommandError: the environment needs no copies, something is missing or in the way, or a copy failed.
    """
    environment = environment_of(given)
    _require_ecr(environment)
    if shutil.which("crane") is None:
        raise CommandError(_INSTALL)
    ecr = Caller(environment).session.client("ecr")
    repositories = [_Repository(ecr, environment, image) for image in images_of(environment.hatchet)]
    held = {repository: repository.digest() for repository in repositories}
    done = []
    with _logged_in(ecr, [repository.name for repository in repositories]) as (crane, registry):
        upstream = {repository: crane.digest(repository.image) for repository in repositories}
        for repository in repositories:
            repository.require(upstream[repository], held[repository])
        for repository in repositories:
            target = f"{registry}/{repository.name}:{repository.image.tag}"
            digest, copied = upstream[repository], held[repository] is None
            if copied:
                _copy(crane, repository, digest, target)
            done.append(Mirrored(repository.image.name, repository.image.source, target, digest, copied))
            if not as_json:
                print(done[-1], flush=True)
    if as_json:
        print(json.dumps({"images": [dataclasses.asdict(image) for image in done]}, indent=2))


def _require_ecr(environment: Environment) -> None:
    """Refuse an environment whose images are not read from its ECR, with the key that decides."""
    hatchet, network = environment.hatchet, environment.network
    if hatchet.mode == "cloud":
        reason = "hatchet.mode is cloud, so no image of Hatchet's runs here"
    elif environment.image_registry == "ecr":
        return
    elif hatchet.image_registry:
        reason = f"hatchet.image_registry is {hatchet.image_registry}, where tasks read Hatchet's images"
    else:
        decides = "network.existing is given" if network.existing else f"network.nat is {network.nat}"
        reason = (
            f"{decides}, so tasks read Hatchet's images upstream (hatchet.image_registry: ecr changes that)"
        )
    raise CommandError(f"nothing is to be mirrored for {environment.name}: {reason}")


class Crane:
    """Crane, of google/go-containerregistry, with registries' credentials of its own."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Find it.

        Raises:
            CommandError: there is none.
        """
        if shutil.which("crane") is None:
            raise CommandError(_INSTALL)
        self._variables = variables

    def login(self, registry: str, user: str, password: str) -> None:
        """Log in to a registry."""
        self._run(registry, "auth", "login", registry, "--username", user, "--password-stdin", given=password)

    def digest(self, image: Image) -> str:
        """The digest of its index, of all platforms."""
        return self._run(image.name, "digest", image.source).strip()

    def copy(self, image: Image, digest: str, target: str) -> None:
        """Copy all platforms of what had that digest, even where upstream has moved the tag since."""
        source = image.source if "@" in image.source else f"{image.source}@{digest}"
        self._run(image.name, "copy", source, target, status=1)

    def _run(self, about: str, *arguments: str, given: str = "", status: int = 2) -> str:
        """What crane prints.

        Args:
            about: what its failure is told of.
            arguments: its command line, which other users of the machine can read.
            given: its standard input.
            status: this command's exit status where crane fails.
        """
        with Console(stderr=True).status(Text(f"{about}: crane {arguments[0]} ...")):
            result = subprocess.run(
                ["crane", *arguments],
                env=self._variables,
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
            )
        if result.returncode:
            said = (result.stderr.strip().splitlines() or ["no reason given"])[-1].removeprefix("Error: ")
            raise CommandError(f"{about}: crane {arguments[0]} failed: {said}", status)
        return result.stdout


@contextmanager
def _logged_in(ecr: ECRClient, repositories: Iterable[str]) -> Iterator[tuple[Crane, str]]:
    """Crane with a login to the account's ECR, and that registry's host."""
    with registry_of(ecr, repositories) as registry:
        crane = Crane(registry.variables)
        crane.login(registry.host, registry.user, registry.password)
        yield crane, registry.host


@dataclass(frozen=True, eq=False)
class _Repository:
    """One image's repository in the environment's ECR."""

    ecr: ECRClient
    environment: Environment
    image: Image

    @property
    def name(self) -> str:
        return self._there.name

    def digest(self) -> str | None:
        """The digest of what has the image's tag here; None where nothing has."""
        return self._there.digest(self.image.tag)

    @property
    def _there(self) -> Repository:
        return Repository(self.ecr, self.environment.name, self.image.name)

    def require(self, upstream: str, held: str | None) -> None:
        """Refuse a tag that is another image's: tags are immutable here.

        Raises:
            CommandError: with both digests and the ways out.
        """
        if held in {None, upstream}:
            return
        instead = "" if UPSTREAM[self.image.name].tag else ", or set another hatchet.version"
        raise CommandError(
            f"{self.name}:{self.image.tag} in ECR is {held}, but {self.image.source} is {upstream}, and tags in ECR "
            "are immutable: delete that one if no task needs it (aws ecr batch-delete-image --region "
            f"{self.environment.region} --repository-name {self.name} --image-ids imageTag={self.image.tag}){instead}",
            status=1,
        )


def _copy(crane: Crane, repository: _Repository, digest: str, target: str) -> None:
    crane.copy(repository.image, digest, target)
    arrived = repository.digest()
    if arrived != digest:
        raise CommandError(
            f"{repository.image.name}: {target} is {arrived or 'not there'} after the copy of {digest}",
            status=1,
        )
