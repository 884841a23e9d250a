"""``scythe-aws image build`` and ``push``: the worker image of a researcher's repository."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from environments.loading import declared, find, pushed_image_file
from environments.schema import Environment
from modules.worker_fleet.settings import FleetSettings
from ops.deployed.aws import Caller
from ops.deployed.repository import Repository
from ops.environment import environment_of
from ops.errors import CommandError
from ops.images.content import LABEL, contents_of
from ops.images.docker import Docker
from ops.images.image_context import NO_OPTIONS, ImageContext, ImageOptions, context_of
from ops.images.registry_login import Registry, registry_of
from synthesis.rules import printable

IMAGE = "worker"
"""The end of the repository's name."""

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""Docker's word for each architecture of Fargate's."""


def build(
    given: str, repository: Path, module: str, options: ImageOptions = NO_OPTIONS, *, as_json: bool = False
) -> None:
    """Build the image, and keep it where Docker keeps what it has built: a push goes on from there.

    Args:
        given: the environment's name or path.
        repository: the researcher's.
        module: the package or module with the experiments.
        options: what else the image has.
        as_json: print one JSON document.

    Raises:
        CommandError: something is missing, or the build failed.
    """
    environment = environment_of(given)
    platforms = platforms_of(environment)
    with context_of(repository, module, platforms, options) as context:
        name = f"{environment.name}/{IMAGE}:{context.tag}"
        _warn(context, repository)
        # Docker's image store holds one platform alone unless it is containerd's.
        output = ("--load", "--tag", name) if len(platforms) == 1 else ("--output", "type=cacheonly")
        Docker().build(context, platforms, *output)
    if as_json:
        print(json.dumps({"tag": context.tag, "platforms": platforms}, indent=2))
        return
    print(f"Built {name} for {', '.join(platforms)}.")
    print(f"Next: scythe-aws image push {given} --experiments {repository}")


def push(
    given: str, repository: Path, module: str, options: ImageOptions = NO_OPTIONS, *, as_json: bool = False
) -> None:
    """Have the image in the environment's ECR, and its URI with digest in ``<name>.image``.

    What ECR has already under the content's tag, and says in its label that it is the same, is not built again. The
    file is written last, and whole.

    Args:
        given: the environment's name or path.
        repository: the researcher's.
        module: the package or module with the experiments.
        options: what else the image has.
        as_json: print one JSON document.

    Raises:
        CommandError: something is missing, or the build or the push failed.
    """
    environment = environment_of(given)
    file = _image_file(given)
    platforms = platforms_of(environment)
    with context_of(repository, module, platforms, options) as context:
        ecr = Caller(environment).session.client("ecr")
        held = Repository(ecr, environment.name, IMAGE)
        digest = held.digest(context.tag)
        is_new = digest is None
        with registry_of(ecr, [held.name]) as registry:
            target = f"{registry.host}/{held.name}"
            if digest is None:
                _warn(context, repository)
                docker = Docker(registry.variables)
                docker.login(registry)
                docker.push(context, platforms, f"{target}:{context.tag}")
                digest = held.digest(context.tag)
            else:
                _require_content(registry, held.name, context, digest)
    if digest is None:
        raise CommandError(f"{target}:{context.tag} is not there after the push", 1)
    uri = f"{target}@{digest}"
    is_changed = _write(file, uri)
    if as_json:
        print(
            json.dumps({"image": uri, "tag": context.tag, "platforms": platforms, "pushed": is_new}, indent=2)
        )
        return
    print(f"{'Pushed' if is_new else 'There already:'} {target}:{context.tag} ({', '.join(platforms)})")
    print(f"{file}: {uri}{'' if is_changed else ' (as before)'}")
    print(f"Next: commit {file}, and run cdktf deploy {environment.name}-workers")


def _require_content(registry: Registry, repository: str, context: ImageContext, digest: str) -> None:
    """Refuse what has the content's tag and is something else: whoever may push can give an image any tag."""
    if (found := contents_of(registry, repository, digest)) != {context.digest}:
        raise CommandError(
            f"{registry.host}/{repository}:{context.tag} was not built from these experiments: its label {LABEL} is "
            f"{printable(', '.join(sorted(found))) or 'absent'}, must be {context.digest}; delete it (aws ecr "
            f"batch-delete-image --repository-name {repository} --image-ids imageTag={context.tag}) and push again"
        )


def platforms_of(environment: Environment) -> list[str]:
    """The platforms of what runs the environment's image."""
    return sorted({PLATFORMS[fleet.architecture] for fleet in _served(environment)})


def _served(environment: Environment) -> list[FleetSettings]:
    """The fleets that run the environment's image and none of their own."""
    return [fleet for fleet in environment.workers.values() if fleet.image is None]


def _image_file(given: str) -> Path:
    """Where the environment takes its image from.

    Raises:
        CommandError: it takes it from elsewhere.
    """
    path = find([given])[0]
    environment = declared(path)
    if environment.image is not None:
        raise CommandError(
            f"{environment.name} names its image itself (image: {environment.image}), so a pushed one would not be "
            "run: remove that key"
        )
    if not _served(environment):
        raise CommandError(
            f"each fleet of {environment.name} names an image of its own, so a pushed one would not be run: "
            "remove the key image of one"
        )
    return pushed_image_file(environment, path)


def _warn(context: ImageContext, repository: Path) -> None:
    if not context.is_locked:
        print(
            f"warning: {repository} has no uv.lock: its versions are chosen at the build, and once for each tag",
            file=sys.stderr,
        )


def _write(file: Path, uri: str) -> bool:
    """Write the line, all at once; whether it is another than before."""
    text = f"{uri}\n"
    if file.is_file() and file.read_text() == text:
        return False
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as written:
            written.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()
        raise
    return True
