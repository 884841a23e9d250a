"""What a .dockerignore file leaves out, as Docker reads it.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath


class Ignored:
    """The patterns of a .dockerignore file; the last one that fits a path decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = list(_patterns(lines))

    def __call__(self, path: PurePosixPath) -> bool:
        """Whether a file is left out; its path is relative to the context's folder."""
        ignored = False
        for keeps, pattern in self._patterns:
            if any(pattern.fullmatch(str(part)) for part in (path, *path.parents)):
                ignored = not keeps
        return ignored


def _patterns(lines: Iterable[str]) -> Iterator[tuple[bool, re.Pattern[str]]]:
    for number, line in enumerate(lines):
        text = line.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").strip() if number == 0 else line.strip()
        if not text or line.startswith("#"):
            continue
        keeps = text.startswith("!")
        path = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        if path not in ("", "."):
            yield keeps, re.compile(_expression(path))


def _expression(pattern: str) -> str:
    """A pattern of Go's filepath.Match, with Docker's ``**`` for any number of folders."""
    parts = re.findall(r"\*\*/?|\*|\?|\[\^?[^\]]*\]|\\.|.", pattern)
    return "".join(map(_translated, parts))


def _translated(part: str) -> str:
    if part.startswith("**"):
        return "(.*/)?" if part == "**/" else ".*"
    if part in "*?":
        return "[^/]*" if part == "*" else "[^/]"
    if part.startswith("[") and len(part) > 1:
        return part
    return re.escape(part.removeprefix("\\") if len(part) > 1 else part)
