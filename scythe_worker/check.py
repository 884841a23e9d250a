"""``python -m scythe_worker.check [MODULE | --missing FILE]``: whether the worker can run with what an image has.

Dockerfile.worker asks, so that an image whose workers would fail is never built. Standard library alone.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SUPPORTED = {"scythe-engine": ((1, 3), (1, 4)), "hatchet-sdk": ((1, 33), (2,))}
"""The versions that the worker runs with, by package: from the first on, below the second."""


def versions_of(name: str) -> str:
    """The versions of a package that the worker runs with, as a requirement has them: ``>=1.3,<1.4``."""
    least, below = SUPPORTED[name]
    return f">={_dotted(least)},<{_dotted(below)}"


def faults() -> list[str]:
    """What is wrong with the installed packages."""
    return [fault for name in SUPPORTED if (fault := _fault(name)) is not None]


def _fault(name: str) -> str | None:
    least, below = SUPPORTED[name]
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is not among the repository's requirements; must be there, {versions_of(name)}"
    if least <= _numbers(installed) < below:
        return None
    return f"{name} {installed} is what the repository requires; must be {versions_of(name)}"


def _numbers(text: str) -> tuple[int, ...]:
    """A version's release, such as (1, 3, 0)."""
    release = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in release[0].split(".")) if release else ()


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def missing(listed: str) -> str:
    """Those of a list of hashed requirements whose packages are not installed."""
    entries = re.findall(r"^[A-Za-z0-9][^\n]*(?:\n[ \t][^\n]*)*", listed, re.MULTILINE)
    return "".join(f"{entry}\n" for entry in entries if not _is_installed(re.split(r"[=<>~! ;]", entry)[0]))


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def stand_ins() -> Mapping[str, str]:
    """What scythe-engine reads as it is imported, of no engine and no bucket."""
    claims = {"sub": "build", "server_url": "http://localhost", "grpc_broadcast_address": "localhost:1"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {
        "HATCHET_CLIENT_TOKEN": f"eyJhbGciOiJub25lIn0.{body}.none",
        "HATCHET_CLIENT_TLS_STRATEGY": "none",
        "SCYTHE_STORAGE_BUCKET": "build",
    }


def import_faults(module: str) -> Iterator[str]:
    """Why the experiments cannot be imported, as a worker would tell it; nothing where they can."""
    os.environ.update(stand_ins())
    from scythe_worker import streams
    from scythe_worker.experiments import import_experiments, registered
    from scythe_worker.settings import SettingsError

    # The package may close the standard streams.
    streams.install()
    try:
        import_experiments(module)
        registered(module)
    except SettingsError as error:
        yield str(error)


def main(arguments: list[str]) -> int:
    """Check the versions, or a module too, or print what of a list is not installed; the exit status."""
    if arguments[:1] == ["--missing"]:
        print(missing(Path(arguments[1]).read_text(encoding="utf-8")), end="")
        return 0
    found = faults() or [fault for module in arguments for fault in import_faults(module)]
    if found:
        print(f"scythe_worker: {'; '.join(found)}", file=sys.stderr)
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
