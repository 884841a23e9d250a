"""Which files of a repository are the experiments: their package, and what it imports beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ops.errors import CommandError
from synthesis.rules import printable

OURS = {"scythe", "scythe_worker", "hatchet_sdk"}
"""Packages of the image's own, which nothing of a repository's may stand before."""


def packages_of(repository: Path, module: str) -> list[Path]:
    """The package or module that holds a module, and those of the repository's that it imports, however far.

    All of them are imported from one folder of the image. A repository may have them in its own folder or in ``src``.

    Args:
        repository: the researcher's.
        module: its name, such as ``experiments`` or ``package.pipelines``.

    Raises:
        CommandError: there is none.
    """
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        raise CommandError(
            f"--module: got {printable(module)!r}; must be the name of a Python package or module, such as experiments or "
            "package.pipelines"
        )
    found = _found(repository, parts[0])
    if parts[0] in OURS:
        raise CommandError(
            f"--module: got {parts[0]}, a package of the worker's own; must be one of {repository}"
        )
    if found is None:
        raise CommandError(
            f"{repository}: has no package {parts[0]} (a folder {parts[0]} or src/{parts[0]} with an __init__.py); "
            "--module names another"
        )
    inner = found.joinpath(*parts[1:])
    if len(parts) > 1 and not (inner.with_suffix(".py").is_file() or (inner / "__init__.py").is_file()):
        raise CommandError(f"{found}: has no module {'.'.join(parts[1:])}; --module names another")
    return _with_imported(repository, found)


def _found(repository: Path, name: str) -> Path | None:
    for folder in (repository, repository / "src"):
        if (folder / name / "__init__.py").is_file():
            return folder / name
        if (folder / f"{name}.py").is_file():
            return folder / f"{name}.py"
    return None


def _with_imported(repository: Path, package: Path) -> list[Path]:
    packages, waiting = {package.stem: package}, [package]
    while waiting:
        for name in _imports(waiting.pop()):
            found = None if name in packages or name in OURS else _found(repository, name)
            if found is not None:
                packages[name] = found
                waiting.append(found)
    return list(packages.values())


def _imports(package: Path) -> Iterator[str]:
    """The top names that the files of a package import."""
    for file in [package] if package.is_file() else sorted(package.rglob("*.py")):
        try:
            tree = ast.parse(file.read_bytes()) if file.is_file() else ast.Module([], [])
        except (OSError, RecursionError, SyntaxError, ValueError):
            continue  # the build's import says what is wrong with it
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]
