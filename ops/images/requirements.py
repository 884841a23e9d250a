"""What a repository says that its experiments need: read and refused before anything is built."""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ops.errors import CommandError
from scythe_worker.check import SUPPORTED, versions_of
from synthesis.rules import printable
from untrusted.paths import UnsafePathError, below

LOCK, PROJECT, LIST = "uv.lock", "pyproject.toml", "requirements.txt"

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_OPTION = re.compile(
    r"(-e|--editable|-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?=[^-\s]))(?P<value>.+)"
)
_LOCAL = re.compile(r"\.{0,2}/|file:|[A-Za-z]:\\|[^\s=<>@;\[]+\.(whl|tar\.gz|zip)$|\.$")


@dataclass(frozen=True)
class Requirements:
    """Where a repository says what it needs.

    Attributes:
        kind: the file that the recipe goes by: `LOCK`, `LIST` or `PROJECT`.
        files: what it reads, relative to the repository.
        folders: packages of the repository's own that are installed with it, relative to it.
    """

    kind: str
    files: tuple[str, ...]
    folders: tuple[str, ...] = ()

    @property
    def is_locked(self) -> bool:
        """Whether the repository's files alone decide which versions are installed."""
        return self.kind == LOCK


Read = Callable[[Path], Path]
"""What a file is read from, once it is known to be one of the repository's."""


def requirements_of(repository: Path, read: Read, extras: tuple[str, ...] = ()) -> Requirements:
    """What a repository needs, if an image can be made of it.

    Args:
        repository: the researcher's.
        read: what refuses a file that is not the repository's.
        extras: the optional dependencies that are wanted too.

    Raises:
        CommandError: it is no repository, says nothing of what it needs, or needs what no image can have.
    """
    if not repository.is_dir():
        raise CommandError(
            f"{repository}: must be the folder of a repository with experiments (--experiments)"
        )
    has = {name for name in (LOCK, PROJECT, LIST) if os.path.lexists(repository / name)}
    if LOCK in has and PROJECT in has:
        return _of_lock(_Toml(repository, LOCK, read), _Toml(repository, PROJECT, read), extras)
    if LIST in has:
        if extras:
            raise CommandError(f"{repository / LIST}: has no extras; --extra goes with a {PROJECT}")
        return _of_list(repository, read)
    if PROJECT in has:
        return _of_project(_Toml(repository, PROJECT, read), extras)
    raise CommandError(f"{repository}: has no {PROJECT} or {LIST}; must say what the experiments need")


class _Toml:
    """A TOML file of a repository."""

    def __init__(self, repository: Path, name: str, read: Read) -> None:
        self.repository, self.file = repository, repository / name
        try:
            self.content: dict[str, Any] = tomllib.loads(read(self.file).read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.refused(f"is no TOML ({' '.join(str(error).split())})") from None

    def refused(self, what: str) -> CommandError:
        return CommandError(printable(f"{self.file}: {what}"))

    def table(self, *names: str) -> dict[str, Any]:
        """A table in tables; empty where it is not there."""
        found: Any = self.content
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


# --- uv.lock


def _of_lock(lock: _Toml, project: _Toml, extras: tuple[str, ...]) -> Requirements:
    packages = [package for package in _listed(lock.content.get("package")) if "name" in package]
    for name in SUPPORTED:
        found = [str(package.get("version")) for package in packages if package["name"] == name]
        if not found:
            raise lock.refused(
                f"has no {name}; must have {versions_of(name)} (uv add '{name}{versions_of(name)}')"
            )
        for version in found:
            _require_supported(lock.file, name, version)
    _require_python(lock.file, lock.content.get("requires-python"))
    _require_extras(project, extras)
    folders = dict.fromkeys(path for package in packages for path in _own(lock, package))
    return Requirements(LOCK, (PROJECT, LOCK), tuple(folders))


def _listed(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _own(lock: _Toml, package: Mapping[str, Any]) -> Iterator[str]:
    """The folder or file that a package is installed from, where it is the repository's own."""
    source = package.get("source")
    kinds = ("editable", "directory", "virtual", "path")
    path = (
        next((source[kind] for kind in kinds if kind in source), None) if isinstance(source, dict) else None
    )
    if path is None or path == ".":
        return
    name = str(PurePosixPath(str(path)))
    try:
        below(lock.repository, name)
    except UnsafePathError:
        raise lock.refused(
            f"{package['name']} comes from {path}, which is not in the repository; an image holds the repository "
            "alone: give the folder that has both as --experiments, or name the package by its Git URL"
        ) from None
    if not (lock.repository / name).exists():
        raise lock.refused(f"{package['name']} comes from {path}, which is not there")
    yield name


# --- requirements.txt


def _of_list(repository: Path, read: Read) -> Requirements:
    files: dict[str, None] = {}
    waiting = [LIST]
    while waiting:
        name = waiting.pop(0)
        if name in files:
            continue
        files[name] = None
        waiting += _nested(repository, name, read)
    return Requirements(LIST, tuple(files))


def _nested(repository: Path, name: str, read: Read) -> Iterator[str]:
    """The files that a list of requirements names, after its lines are checked."""
    file = repository / name
    for number, line in _lines(file, read):
        option = _OPTION.fullmatch(line)
        if option and option[1] in ("-r", "--requirement", "-c", "--constraint"):
            yield _beside(repository, name, number, option["value"].strip())
        elif _LOCAL.match(option["value"] if option else line):
            raise CommandError(
                printable(
                    f"{file}: line {number}: {line} is a folder or file of this machine; must be a package's version, "
                    f"a Git URL, or a path source of {PROJECT} with a {LOCK} (uv lock)"
                )
            )
        else:
            _require_pinned(file, line)


def _lines(file: Path, read: Read) -> Iterator[tuple[int, str]]:
    """The lines of a list of requirements without comments, those that go on in the next one joined."""
    try:
        text = read(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(printable(f"{file}: is no UTF-8 text")) from None
    joined, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first or number
        joined += line
        if line.endswith("\\"):
            joined = joined[:-1]
            continue
        cleaned = re.sub(r"(^|\s)#.*", "", joined).strip()
        if cleaned:
            yield first, cleaned
        joined, first = "", 0


def _beside(repository: Path, name: str, number: int, value: str) -> str:
    nested = posixpath.normpath(posixpath.join(posixpath.dirname(name), value.strip("\"'")))
    try:
        below(repository, nested)
    except UnsafePathError:
        raise CommandError(
            printable(
                f"{repository / name}: line {number}: {value} is not in the repository; must be a file of it"
            )
        ) from None
    return nested


# --- pyproject.toml


def _of_project(project: _Toml, extras: tuple[str, ...]) -> Requirements:
    listed = f"list them in [project], or run uv lock, or add a {LIST}"
    own = project.table("project")
    if not own:
        if project.table("tool", "poetry"):
            raise project.refused(f"is Poetry's: run poetry export --output {LIST}, or {listed}")
        raise project.refused(f"has no [project], so no dependencies; {listed}")
    dynamic = own.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        raise project.refused(f"its dependencies are dynamic, known only to its build; {listed}")
    sources = project.table("tool", "uv", "sources")
    for name, source in sources.items():
        for one in source if isinstance(source, list) else [source]:
            if isinstance(one, dict) and one.get("workspace"):
                raise project.refused(
                    f"{name} is a package of its workspace; give the workspace's folder, which has {LOCK}, as --experiments"
                )
            if isinstance(one, dict) and "path" in one:
                raise project.refused(f"{name} comes from a path; run uv lock, which says what it needs")
    for text in own.get("dependencies") or []:
        _require_pinned(project.file, str(text))
    _require_python(project.file, own.get("requires-python"))
    _require_extras(project, extras)
    return Requirements(PROJECT, (PROJECT,))


# --- versions


def _require_pinned(file: Path, text: str) -> None:
    """Refuse an exact version that the worker cannot run with; what is open is chosen, and checked, in the build."""
    try:
        requirement = Requirement(re.split(r"\s--", text)[0])
    except InvalidRequirement:
        return
    if requirement.name.lower().replace("_", "-") in SUPPORTED:
        for specifier in requirement.specifier:
            if specifier.operator in ("==", "===") and not specifier.version.endswith("*"):
                _require_supported(file, requirement.name.lower().replace("_", "-"), specifier.version)


def _require_supported(file: Path, name: str, version: str) -> None:
    try:
        is_supported = SpecifierSet(versions_of(name)).contains(Version(version), prereleases=True)
    except InvalidVersion:
        is_supported = False
    if not is_supported:
        raise CommandError(
            printable(
                f"{file}: {name} {version} is what the repository requires; must be {versions_of(name)}"
            )
        )


def _require_python(file: Path, wanted: object) -> None:
    if not isinstance(wanted, str):
        return
    try:
        is_met = any(SpecifierSet(wanted).contains(python) for python in ("3.12.0", "3.12.999"))
    except InvalidSpecifier:
        is_met = False
    if not is_met:
        raise CommandError(
            printable(
                f"{file}: requires Python {wanted}; the image has 3.12, which scythe-engine 1.3.0 runs on"
            )
        )


def _require_extras(project: _Toml, extras: tuple[str, ...]) -> None:
    there = [_normalized(name) for name in project.table("project", "optional-dependencies")]
    for extra in extras:
        if not _NAME.fullmatch(extra) or _normalized(extra) not in there:
            names = f"must be one of {', '.join(there)}" if there else "it has none"
            raise project.refused(f"has no extra {extra} (--extra); {names}")


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
