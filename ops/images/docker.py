"""Docker's buildx, and why it cannot build here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.errors import CommandError
from ops.images.compression import push_of
from ops.images.content import LABEL
from ops.images.image_context import ImageContext
from ops.images.registry_login import Registry
from synthesis.rules import printable_lines

_SAID_BY_CHECK = re.compile(r"^(?:#\d+ [\d.]+ )?scythe_worker: (?P<fault>.*)$")
"""What the recipe's check of the versions says, in buildx's plain progress."""


class Docker:
    """The docker command with a running engine and buildx."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Find it.

        Args:
            variables: the process environment; this one by default.

        Raises:
            CommandError: there is no docker, no engine or no buildx.
        """
        self._variables = dict(os.environ if variables is None else variables)
        if shutil.which("docker") is None:
            raise CommandError(
                "docker is needed to build the image, and none is on the PATH: "
                "install Docker (https://docs.docker.com/engine/install)"
            )
        if self._run("buildx", "version").returncode:
            raise CommandError(
                "docker has no buildx here: install the package docker-buildx-plugin "
                "(https://github.com/docker/buildx#installing)"
            )
        engine = self._run("info", "--format", "{{.ServerVersion}}")
        if engine.returncode or not engine.stdout.strip():
            raise CommandError(f"docker has no running engine here: start Docker ({_last(engine.stderr)})")

    def login(self, registry: Registry) -> None:
        """Log in to a registry, with its own settings.

        Raises:
            CommandError: it refuses.
        """
        done = self._run(
            "login", "--username", registry.user, "--password-stdin", registry.host, given=registry.password
        )
        if done.returncode:
            raise CommandError(f"docker login to {registry.host} failed: {_last(done.stderr)}", 1)

    def build(self, context: ImageContext, platforms: Sequence[str], *output: str) -> str:
        """Build an image; its progress goes to standard error.

        Args:
            context: what goes in.
            platforms: those that it is for.
            output: buildx's options for what becomes of it.

        Returns:
            The digest, where buildx tells it.

        Raises:
            CommandError: the build failed.
        """
        with tempfile.TemporaryDirectory(prefix="scythe-aws-build-") as folder:
            told = Path(folder) / "metadata.json"
            # Attestations would make another digest of each build.
            command = (
                *("docker", "buildx", "build", "--progress", "plain", "--provenance=false", "--sbom=false"),
                *("--platform", ",".join(platforms), "--file", str(context.recipe)),
                *("--build-context", f"scythe-aws={context.ours}"),
                *_each("--build-context", {name: context.folder / name for name in ("needs", "app")}),
                *_each("--build-arg", context.arguments),
                *_each("--label", {LABEL: context.digest}),
                *("--metadata-file", str(told), *output, str(context.folder)),
            )
            self._follow(command)
            metadata = json.loads(told.read_text()) if told.exists() else {}
        return str(metadata.get("containerimage.digest", ""))

    def push(self, context: ImageContext, platforms: Sequence[str], name: str) -> None:
        """Build an image and push it, with zstd layers where the builder can, else with a line that says why not.

        Args:
            context: what goes in.
            platforms: those that it is for.
            name: the image's, with its registry and tag.

        Raises:
            CommandError: the build or the push failed.
        """
        inspected = self._run("buildx", "inspect")
        status = self._run("info", "--format", "{{json .DriverStatus}}").stdout
        push = push_of("" if inspected.returncode else inspected.stdout, status)
        if push.remark:
            print(push.remark, file=sys.stderr)
        self.build(context, platforms, *push.output, "--tag", name)

    def _follow(self, command: Sequence[str]) -> None:
        fault = ""
        with subprocess.Popen(
            command,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            assert process.stderr is not None  # noqa: S101  # it is a pipe
            last = ""
            for line in process.stderr:
                # What a repository's own build says is only shown.
                sys.stderr.write(f"{printable_lines(line.rstrip())}\n")
                last = line.strip() or last
                if said := _SAID_BY_CHECK.match(line.strip()):
                    fault = said["fault"]
        if process.returncode:
            raise CommandError(
                fault or f"docker buildx build failed: {last.removeprefix('ERROR: ')}", 2 if fault else 1
            )

    def _run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", *arguments],
            env=self._variables,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
        )


def _each(option: str, values: Mapping[str, object]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
