"""``python -m scythe_worker.check``: whether the worker can run with the packages that an image has.

Dockerfile.worker asks, so that an image whose workers would fail is never built. Standard library alone.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version

SUPPORTED = {"scythe-engine": ((1, 3), (1, 4)), "hatchet-sdk": ((1, 33), (2,))}
"""The versions that the worker runs with, by package: from the first on, below the second."""


def faults() -> list[str]:
    """What is wrong with the installed packages."""
    return [fault for name in SUPPORTED if (fault := _fault(name)) is not None]


def _fault(name: str) -> str | None:
    least, below = SUPPORTED[name]
    wanted = f">={_dotted(least)},<{_dotted(below)}"
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is not among the repository's requirements; must be there, {wanted}"
    if least <= _numbers(installed) < below:
        return None
    return f"{name} {installed} is what the repository requires; must be {wanted}"


def _numbers(text: str) -> tuple[int, ...]:
    """A version's release, such as (1, 3, 0)."""
    release = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in release[0].split(".")) if release else ()


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


if __name__ == "__main__":
    if found := faults():
        print(f"scythe_worker: {'; '.join(found)}", file=sys.stderr)
        sys.exit(2)
