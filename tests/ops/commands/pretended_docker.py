"""A docker that writes down what it is told, and pushes with crane."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.command import scythe_aws
from tests.support.project import ROOT
from tests.support.registries import Ecr

EXAMPLE = ROOT / "examples" / "heating"

DOCKER = """
cd "$(dirname "$0")"
printf '%s\\n' "$*" >> arguments
env >> variables
case "$1 $2" in
"buildx version") {version} ;;
"buildx inspect") {inspect} ;;
"info --format") case "$3" in *DriverStatus*) {status} ;; *) {info} ;; esac ;;
"login --username")
  cat > given; crane auth login "$5" --username "$3" --password-stdin < given 2>&- || cp given refused
  ls -ld "$DOCKER_CONFIG" | cut -c 1-10 > mode; ls "$DOCKER_CONFIG" > held ;;
"buildx build")
  for word; do test "$previous" = --tag && tag=$word; test "$previous" = --metadata-file && told=$word
    test "$previous" = --label && label=$word
    previous=$word; done
  rm -rf context; cp -r "$previous" context
  {build}
  # Without containerd's store, Docker's own driver takes the options and pushes gzip layers.
  driver=$({inspect} | sed -n 's/^Driver: *//p'); store=$({status})
  case "$driver $store" in "docker "*io.containerd.snapshotter.*|docker-container*) can=zstd ;; *) can=gzip ;; esac
  case "$*" in *" --push "*|*push=true*) {push} ;; esac ;;
esac
"""
"""A docker that writes down what it is told; what it pushes is crane's."""

PUSH = """
  case "$can $*" in
  "zstd "*compression=zstd,force-compression=true,oci-mediatypes=true*)
    zstd --quiet --force layer.tar && crane append --oci-empty-base --new_layer layer.tar.zst --new_tag "$tag-bare" >&2 ;;
  *) crane append --new_layer layer.tar --new_tag "$tag-bare" >&2 ;;
  esac && crane mutate --label "$label" --tag "$tag" "$tag-bare" >&2
"""
DEFAULT = "printf 'Name:          default\\nDriver:        docker\\n'"
CONTAINER = "printf 'Name:          ours\\nDriver:        docker-container\\n'"
OVERLAY = """echo '[["Backing Filesystem","extfs"]]'"""
CONTAINERD = """echo '[["driver-type","io.containerd.snapshotter.v1"]]'"""
"""What ``docker buildx inspect`` and ``docker info`` say of builders and stores."""


@dataclasses.dataclass
class Place:
    """A deployed environment, and a docker that only pretends.

    Attributes:
        folder: where docker writes down what it is told.
        file: the environment's.
        ecr: its ECR.
        variables: of a command's process.
    """

    folder: Path
    file: Path
    ecr: Ecr
    variables: Mapping[str, str]

    @property
    def image(self) -> Path:
        return self.file.with_suffix(".image")

    def pretend(
        self,
        version: str = "echo v0.29",
        info: str = "echo 28.2",
        build: str = "",
        push: str = PUSH,
        inspect: str = CONTAINER,
        status: str = OVERLAY,
    ) -> None:
        script = self.folder / "docker"
        given = {"version": version, "info": info, "build": build, "push": push, "inspect": inspect}
        script.write_text("#!/bin/sh\n" + DOCKER.format(**given, status=status))
        script.chmod(0o755)

    def run(
        self, word: str = "push", *arguments: str, repository: Path = EXAMPLE, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return scythe_aws(
            *("image", word, self.file, "--experiments", repository, *arguments),
            cwd=self.folder,
            environment={**self.variables, **variables},
        )

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def builds(self) -> list[str]:
        return [line for line in self.read("arguments").splitlines() if line.startswith("buildx build")]

    @property
    def left(self) -> list[Path]:
        """What is left of temporary folders, and of files half written."""
        return [*(self.folder / "tmp").iterdir(), *self.file.parent.glob(".*.image*")]
