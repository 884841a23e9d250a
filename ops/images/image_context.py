"""All that goes into a worker image, laid out in a folder, and the tag that its content gives it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops.errors import CommandError
from ops.images.dockerignore import Ignored, PatternError
from synthesis.rules import printable
from untrusted.paths import UnsafePathError, regular_file

ROOT = Path(__file__).parents[2]
RECIPE = "Dockerfile.worker"
REQUIREMENTS = ("uv.lock", "requirements.txt", "pyproject.toml")
"""Where a repository says what it needs; the recipe goes by the first that is there."""


@dataclass(frozen=True)
class ImageContext:
    """The folders of a build, which hold nothing that the image or its layers do not depend on.

    Attributes:
        folder: the researcher's files: requirements and the package.
        ours: scythe-aws's: the recipe and the worker.
        tag: the same for the same content and platforms, on every machine.
        is_locked: whether the repository's files alone decide which versions are installed.
    """

    folder: Path
    ours: Path
    tag: str
    is_locked: bool

    @property
    def recipe(self) -> Path:
        """The Dockerfile."""
        return self.ours / RECIPE


@contextmanager
def context_of(repository: Path, module: str, platforms: Sequence[str]) -> Iterator[ImageContext]:
    """The context of a repository's image, for the block.

    Args:
        repository: the researcher's.
        module: the package with the experiments.
        platforms: those that the image is for; another set is another image.

    Raises:
        CommandError: something that an image needs is not in the repository.
    """
    taken = _Taken(repository)
    requirements = _requirements(repository)
    package = _package(repository, module)
    with tempfile.TemporaryDirectory(prefix="scythe-aws-image-") as folder:
        theirs, ours = Path(folder) / "experiments", Path(folder) / "scythe-aws"
        for name in requirements:
            _copy(taken.required(repository / name), theirs / name)
        for file in sorted(package.rglob("*")):
            if source := taken.kept(file):
                _copy(source, theirs / module / file.relative_to(package))
        _copy(ROOT / RECIPE, ours / RECIPE)
        for file in sorted((ROOT / "scythe_worker").rglob("*.py")):
            _copy(file, ours / file.relative_to(ROOT))
        tag = _tag(Path(folder), [module, *sorted(platforms)])
        yield ImageContext(theirs, ours, tag, "uv.lock" in requirements)


def _requirements(repository: Path) -> list[str]:
    if not repository.is_dir():
        raise CommandError(
            f"{repository}: must be the folder of a repository with experiments (--experiments)"
        )
    found = [name for name in REQUIREMENTS if os.path.lexists(repository / name)]
    if not found or found == ["uv.lock"]:
        raise CommandError(
            f"{repository}: has no pyproject.toml or requirements.txt; must say what the experiments need"
        )
    return found


def _package(repository: Path, module: str) -> Path:
    if not module.isidentifier():
        raise CommandError(f"--module: got {module!r}; must be the name of a Python package")
    for place in (repository / module, repository / "src" / module):
        if (place / "__init__.py").is_file():
            return place
    raise CommandError(
        f"{repository}: has no package {module} (a folder {module} or src/{module} with an __init__.py); "
        "--module names another"
    )


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

    def kept(self, file: Path) -> Path | None:
        """What a file of the package is copied from; None for a folder, and for what a rule leaves out.

        Raises:
            CommandError: it is no file of the repository.
        """
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


def _tag(folder: Path, words: Iterable[str]) -> str:
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
    return digest.hexdigest()[:16]
