"""All that goes into a worker image, laid out in a folder, and the tag that its content gives it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops.errors import CommandError
from ops.images.dockerignore import Ignored, PatternError
from ops.images.package import packages_of
from ops.images.requirements import requirements_of
from synthesis.rules import printable
from untrusted.paths import UnsafePathError, regular_file

ROOT = Path(__file__).parents[2]
RECIPE = "Dockerfile.worker"

_APT = re.compile(r"[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?")
"""A Debian package, with its version or without (Debian Policy Manual, 5.6.1 and 5.6.12)."""

_BASE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageOptions:
    """What an image has beside a repository's own requirements.

    Attributes:
        base: the image that it begins with, by its digest; Debian's, with Python 3.11 or 3.12. None for the recipe's.
        apt: Debian packages that the experiments need.
        extras: the repository's optional dependencies that are wanted.
    """

    base: str | None = None
    apt: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what was typed.

        Raises:
            CommandError: it names no image or package.
        """
        if self.base is not None and not _BASE.fullmatch(self.base):
            raise CommandError(
                printable(
                    f"--base: got {self.base}; must be an image with its digest, such as python:3.12-slim@sha256:..."
                )
            )
        for name in self.apt:
            if not _APT.fullmatch(name):
                raise CommandError(printable(f"--apt: got {name}; must be a Debian package, such as libgl1"))

    def arguments(self) -> dict[str, str]:
        """The recipe's arguments that are not as it has them."""
        told = {"PYTHON_IMAGE": self.base or "", "APT": " ".join(self.apt), "EXTRAS": " ".join(self.extras)}
        return {name: value for name, value in told.items() if value}


NO_OPTIONS = ImageOptions()


@dataclass(frozen=True)
class ImageContext:
    """The folders of a build, which hold nothing that the image or its layers do not depend on.

    Attributes:
        folder: the researcher's files: `needs` with the requirements, `app` with what is imported.
        ours: scythe-aws's: the recipe and the worker.
        digest: SHA-256 of all that the image depends on.
        arguments: of the recipe.
        is_locked: whether the repository's files alone decide which versions are installed.
    """

    folder: Path
    ours: Path
    digest: str
    arguments: Mapping[str, str]
    is_locked: bool

    @property
    def tag(self) -> str:
        """The same for the same content and platforms, on every machine."""
        return self.digest[:16]

    @property
    def recipe(self) -> Path:
        """The Dockerfile."""
        return self.ours / RECIPE


@contextmanager
def context_of(
    repository: Path, module: str, platforms: Sequence[str], options: ImageOptions = NO_OPTIONS
) -> Iterator[ImageContext]:
    """The context of a repository's image, for the block.

    Args:
        repository: the researcher's.
        module: the package or module with the experiments.
        platforms: those that the image is for; another set is another image.
        options: what else it has.

    Raises:
        CommandError: something that an image needs is not in the repository, or cannot be in an image.
    """
    taken = _Taken(repository)
    needs = requirements_of(repository, taken.required, options.extras)
    packages = packages_of(repository, module)
    arguments = {"EXPERIMENTS_MODULE": module, **options.arguments()}
    with tempfile.TemporaryDirectory(prefix="scythe-aws-image-") as folder:
        theirs, ours = Path(folder) / "experiments", Path(folder) / "scythe-aws"
        for name in needs.files:
            _copy(taken.required(repository / name), theirs / "needs" / name)
        for name in needs.folders:
            for file, source in taken.below(repository / name):
                _copy(source, theirs / "needs" / file.relative_to(repository))
        for package in packages:
            for file, source in taken.below(package):
                _copy(source, theirs / "app" / file.relative_to(package.parent))
        _copy(ROOT / RECIPE, ours / RECIPE)
        for file in sorted((ROOT / "scythe_worker").rglob("*")):
            if file.suffix in (".py", ".sh", ".txt"):
                _copy(file, ours / file.relative_to(ROOT))
        words = [*(f"{name}={value}" for name, value in sorted(arguments.items())), *sorted(platforms)]
        yield ImageContext(theirs, ours, _digest(Path(folder), words), arguments, needs.is_locked)


class _Taken:
    """Decides which files of a repository may be copied: regular ones, inside of it, that no rule leaves out."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._ours = Ignored(_lines(ROOT / f"{RECIPE}.dockerignore"))
        own = repository / ".dockerignore"
        try:
            self._theirs = Ignored(_lines(self._regular(own)) if os.path.lexists(own) else [])
        except PatternError as error:
            raise CommandError(printable(f"{own}: {error}; must be one that Docker takes")) from None

    def required(self, file: Path) -> Path:
        """A file that the image cannot do without.

        Raises:
            CommandError: it may not be copied.
        """
        source = self._regular(file)
        if self._ignored(source, self._ours):
            raise CommandError(
                printable(f"{file}: leads to {source}, which may hold secrets; must be a file of its own")
            )
        return source

    def below(self, place: Path) -> Iterator[tuple[Path, Path]]:
        """A file, or the files of a folder, each with what it is copied from, but for what a rule leaves out.

        Raises:
            CommandError: one is no file of the repository.
        """
        for file in [place] if place.is_file() else sorted(place.rglob("*")):
            if source := self._kept(file):
                yield file, source

    def _kept(self, file: Path) -> Path | None:
        if file.is_dir() and not file.is_symlink():
            return None
        path = PurePosixPath(file.relative_to(self._repository).as_posix())
        if self._ours(path) or self._theirs(path):
            return None
        source = self._regular(file)
        return None if self._ignored(source, self._ours) or self._ignored(source, self._theirs) else source

    def _ignored(self, source: Path, ignored: Ignored) -> bool:
        return ignored(PurePosixPath(source.relative_to(self._repository.resolve()).as_posix()))

    def _regular(self, file: Path) -> Path:
        try:
            return regular_file(self._repository, file)
        except UnsafePathError as error:
            raise CommandError(
                printable(f"{file}: {error}; must be a file of {self._repository}, or be in .dockerignore")
            ) from None


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    # Layers depend on modes, and a checkout's on its owner's umask.
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _digest(folder: Path, words: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for word in words:
        digest.update(f"{word}\0".encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            mode = file.stat().st_mode & 0o100
            digest.update(
                os.fsencode(file.relative_to(folder)) + f"\0{mode}\0{len(content)}\0".encode() + content
            )
    return digest.hexdigest()
