"""``scythe-aws export``: the constructs as Terraform modules for a registry, in HCL that people read."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from environments.schema import Environment
from ops.export.constructs import modules_of, unwritten_app
from ops.export.exit import Sources, beside, configurations
from ops.export.repository import submodules
from ops.terraform import Terraform
from synthesis.rules import printable
from untrusted.paths import UnsafePathError, all_below, regular_file

Files = Mapping[str, str]
"""Texts by their paths."""

MARK = ".scythe-aws-export"
"""The file by which an export knows a folder as its own: the paths that it wrote, one on a line."""


class ExportError(Exception):
    """A folder can't be written, or holds what no export wrote; the text is one line."""


def of_environment(environment: Environment, sources: Sources | None) -> dict[str, str]:
    """The files of an environment's configurations, by their paths below a folder."""
    with unwritten_app() as app:
        modules = modules_of(app)
        copies = submodules(modules.values()) if sources is None else {}
        found = configurations(environment, modules, sources or Sources(".."))
    files = {f"{stack}/{name}": text for stack, named in found.items() for name, text in named.items()}
    return files | copies | beside(environment, list(found), has_copies=sources is None)


def differences(out: Path, files: Files) -> Iterator[str]:
    """The lines of a diff from what is in a folder to what an export would write; none where it is up to date.

    Raises:
        TerraformError: terraform, which formats the files, is missing or too old.
    """
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary, "export")
        write(made, files)
        wanted = {name: made.joinpath(name).read_text(encoding="utf-8") for name in (*files, MARK)}
    for name, path in _paths(out, {*wanted, *_written(out)}).items():
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        yield from difflib.unified_diff(
            before.splitlines(), wanted.get(name, "").splitlines(), str(path), f"export/{name}", lineterm=""
        )


def write(out: Path, files: Files) -> list[Path]:
    """Write files into a folder, formatted, as a whole or not at all.

    What an export wrote before and is no more goes; what is not an export's, such as ``.git``, stays.

    Args:
        out: the folder; made if it is not there.
        files: texts by their paths below it.

    Returns:
        The files, in order.

    Raises:
        ExportError: what is there holds other files than an export's, or can't be written.
        TerraformError: terraform, which formats the files, is missing or too old.
    """
    Terraform.require(os.environ)
    try:
        _refuse_others(out, files)
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as temporary:
            made = Path(temporary)
            for name, text in {**files, MARK: "".join(f"{name}\n" for name in sorted(files))}.items():
                made.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
                made.joinpath(name).write_text(text, encoding="utf-8")
            Terraform.format("-recursive", str(made))
            before = _written(out)
            for name in (*sorted(files), MARK):
                out.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
                made.joinpath(name).replace(out / name)
        for name in before - files.keys():
            _remove(out, name)
    except OSError as error:
        raise ExportError(f"{error.filename or out}: {error.strerror}") from error
    return [out / name for name in sorted(files)]


def _written(out: Path) -> set[str]:
    """What an export wrote into a folder, by the mark that it left.

    Raises:
        ExportError: the mark is no export's.
    """
    mark = out / MARK
    if not os.path.lexists(mark):
        return set()
    try:
        names = set(regular_file(out, mark).read_text(encoding="utf-8").split("\n")) - {""}
    except UnsafePathError as error:
        raise ExportError(f"{mark}: {error}; name another folder with --out") from None
    except UnicodeDecodeError:
        raise ExportError(f"{mark}: is no text; name another folder with --out") from None
    if history := [name for name in names if name.split("/")[0].casefold() == ".git"]:
        raise ExportError(
            printable(f"{mark}: names {min(history)}, which no export writes; name another folder with --out")
        )
    _paths(out, names)
    return names


def _paths(out: Path, names: Iterable[str]) -> dict[str, Path]:
    """The files of names in a folder, in order.

    Raises:
        ExportError: a name would not be a file of the folder's.
    """
    try:
        return all_below(out, sorted(names))
    except UnsafePathError as error:
        raise ExportError(printable(f"{out}: {error} ({MARK}); name another folder with --out")) from None


def _refuse_others(out: Path, files: Files) -> None:
    """Refuse to write over what no export wrote."""
    before = _written(out)
    for name, path in _paths(out, files).items():
        for folder in path.relative_to(out).parents:
            if out.joinpath(folder).is_file():
                raise ExportError(f"{out / folder}: is no folder; name another with --out")
        if name not in before and path.exists():
            raise ExportError(f"{path}: no export wrote it; name another folder with --out")


def _remove(out: Path, name: str) -> None:
    path = out / name
    path.unlink(missing_ok=True)
    for folder in path.relative_to(out).parents:
        whole = out / folder
        if folder == Path() or any(whole.iterdir()):
            return
        whole.rmdir()
