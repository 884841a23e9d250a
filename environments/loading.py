"""Environment files: found by name or path, read, checked, reported."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path as FilePath
from typing import TextIO

from environments.advice import warnings
from environments.checking import Refused, check
from environments.errors import EnvironmentFileError, FileFault
from environments.schema import Environment
from environments.yaml_text import Document, YamlFault
from modules.worker_fleet.settings import IMAGE
from synthesis.allowed import matching
from synthesis.rules import Path, shown
from synthesis.secret_values import holds_secret

FOLDER = FilePath(__file__).parent
"""Where environments have names."""

MOST_BYTES = 100_000
"""The largest environment file that is read; a hundred fleets need half of it."""

PUSHED_IMAGE = matching(
    "@sha256:[0-9a-f]{64}$", "one line: the URI of an image with its digest (...@sha256:<64 hex digits>)"
)


def names() -> list[str]:
    """The environments that have names."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find(given: Iterable[str] = ()) -> list[FilePath]:
    """The files of environments that are given by name or by path; of all that have names when none is given.

    Raises:
        EnvironmentFileError: for a name that there is not, and for a file of another ending that would go unread.
    """
    faults, paths = [], []
    given = list(given)
    if any(map(holds_secret, given)):
        # No command shows again what may be a token.
        raise EnvironmentFileError(
            [
                FileFault(
                    "ENV", "looks like a secret's value (not shown); must be an environment's name or file"
                )
            ]
        )
    for other in sorted(FOLDER.glob("*.yml")):
        if not given or other.stem in given:
            faults.append(FileFault(file_name(other), f"is not read; must be named {other.stem}.yaml"))
    for name in given or names():
        path = _path(name)
        paths.append(path)
        if path.parent == FOLDER and not os.path.lexists(path):
            there = ", ".join(names()) or "none"
            faults.append(
                FileFault(name, f"is no environment; must be one of {there}, or the path of a YAML file")
            )
    if faults:
        raise EnvironmentFileError(faults)
    return list(dict.fromkeys(paths))


def load(path: str | os.PathLike[str]) -> Environment:
    """The environment that a file describes, every default filled in.

    Args:
        path: the YAML file. The image that was pushed last, ``<name>.image``, is looked for beside it.

    Raises:
        EnvironmentFileError: with all that is wrong with the file.
    """
    return _with_pushed_image(declared(path), FilePath(path))


def declared(path: str | os.PathLike[str]) -> Environment:
    """The environment as its file alone describes it, without the image that was pushed last.

    Raises:
        EnvironmentFileError: with all that is wrong with the file.
    """
    file = file_name(path)
    try:
        document = Document(_text(FilePath(path)))
    except YamlFault as fault:
        raise EnvironmentFileError([FileFault(file, fault.message, fault.key, fault.line)]) from None
    if not isinstance(document.data, dict):
        got = "is empty" if document.data is None else f"holds {shown(document.data)}"
        raise EnvironmentFileError([FileFault(file, f"{got}; must be a mapping with name and workers")])

    faults = [FileFault(file, fault.message, fault.key, fault.line) for fault in document.faults]
    environment = None
    try:
        environment = check(document.data, document.unread)
    except Refused as refused:
        faults += [
            FileFault(file, message, key, _line(document, key))
            for key, messages in refused.faults.items()
            for message in messages
        ]
    if faults or environment is None:
        raise EnvironmentFileError(sorted(faults, key=lambda fault: fault.line))
    return environment


def pushed_image_file(environment: Environment, path: FilePath) -> FilePath:
    """Where ``scythe-aws image push`` writes: ``<name>.image`` beside the environment's file."""
    return path.parent / f"{environment.name}.image"


def load_all(paths: Iterable[str | os.PathLike[str]]) -> list[Environment]:
    """The environments of several files, which must have several names.

    Raises:
        EnvironmentFileError: with all that is wrong with all of the files.
    """
    environments: list[Environment] = []
    faults: list[FileFault] = []
    files: dict[str, str] = {}
    for path in paths:
        try:
            environment = load(path)
        except EnvironmentFileError as error:
            faults += error.faults
            continue
        if environment.name in files:
            message = f"got {environment.name}, the name of {files[environment.name]} too; must be another"
            faults.append(FileFault(file_name(path), message, ("name",)))
        files.setdefault(environment.name, file_name(path))
        environments.append(environment)
    if faults:
        raise EnvironmentFileError(faults)
    return environments


def unwise(environments: Iterable[tuple[FilePath, Environment]]) -> list[FileFault]:
    """What is allowed but unlikely to be meant, in files and the environments that they describe."""
    return [
        FileFault(file_name(path), f"warning: {warning.message}", warning.path)
        for path, environment in environments
        for warning in warnings(environment)
    ]


def report(given: Sequence[str], stderr: TextIO | None = None) -> int:
    """Check environments and write what is wrong with them, or unwise, a line each.

    Args:
        given: names or paths; none for all that have names.
        stderr: where the lines go.

    Returns:
        The exit status: 0, or 2 where a file cannot be used.
    """
    stream = stderr or sys.stderr
    try:
        paths = find(given)
        for warning in unwise(zip(paths, load_all(paths), strict=True)):
            print(warning, file=stream)
    except EnvironmentFileError as error:
        print(error, file=stream)
        return 2
    return 0


def _path(name: str) -> FilePath:
    path = FilePath(name)
    named = FOLDER / f"{name}.yaml"
    if os.sep in name or path.suffix in {".yaml", ".yml"}:
        return path
    # A name wins: beside environments/docs.yaml lies the folder docs/.
    return path if os.path.lexists(path) and not os.path.lexists(named) else named


def file_name(path: str | os.PathLike[str]) -> str:
    """An environment file as its author names it; a named environment's relative to where one is."""
    text = os.fspath(path)
    if FilePath(text).parent == FOLDER:
        text = os.path.relpath(text)
    return text.encode("utf-8", "backslashreplace").decode()


def _text(path: FilePath) -> str:
    data = _bytes(path)
    if len(data) > MOST_BYTES:
        raise YamlFault(f"has more than {MOST_BYTES} bytes; must be smaller")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlFault(f"holds the byte 0x{data[error.start]:02x}; must be UTF-8 text", line) from None


def _bytes(path: FilePath) -> bytes:
    try:
        # A pipe would be waited for, and a device may have no end.
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "no regular file"
            raise YamlFault(f"is {kind}; must be a YAML file")
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise YamlFault("does not exist; must be a YAML file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise YamlFault(f"cannot be read ({reason}); must be a YAML file") from None


def _line(document: Document, key: Path) -> int:
    for length in range(len(key), 0, -1):
        if key[:length] in document.lines:
            return document.lines[key[:length]]
    return 0


def _with_pushed_image(environment: Environment, path: FilePath) -> Environment:
    """The environment with the image of ``<name>.image``, which ``scythe-aws image push`` writes."""
    file = pushed_image_file(environment, path)
    if environment.image is not None or not os.path.lexists(file):
        return environment
    try:
        image = _text(file).strip()
    except YamlFault as fault:
        raise EnvironmentFileError([FileFault(file_name(file), fault.message)]) from None
    if not (IMAGE.check(image) and PUSHED_IMAGE.check(image)):
        raise EnvironmentFileError([FileFault(file_name(file), PUSHED_IMAGE.refusal(image))])
    return environment.model_copy(update={"image": image})
