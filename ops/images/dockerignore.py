"""What a .dockerignore file leaves out, as Docker reads it.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath


class PatternError(Exception):
    """A line that Docker refuses; the text completes "<file>: ..." ."""


class Ignored:
    """The patterns of a .dockerignore file; the last one that fits a path decides.

    Raises:
        PatternError: Docker refuses a line.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = list(_patterns(lines))

    def __call__(self, path: PurePosixPath) -> bool:
        """Whether a file is left out; its path is relative to the context's folder."""
        ignored = False
        for keeps, pattern in self._patterns:
            if pattern.fits(str(path)):
                ignored = not keeps
        return ignored


def _patterns(lines: Iterable[str]) -> Iterator[tuple[bool, _Pattern]]:
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").strip() if number == 1 else line.strip()
        if not text or line.startswith("#"):
            continue
        keeps = text.startswith("!")
        path = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        try:
            if path not in ("", "."):
                yield keeps, _Pattern(path)
        except re.error as error:
            raise PatternError(f"line {number} is no pattern: {error.msg}") from None


class _Pattern:
    """A pattern of Go's filepath.Match, with Docker's ``**`` for any number of folders.

    A path is read once, with all places of the pattern that it can have reached, so that no pattern takes longer
    than its length for each character. `re` tries one way after the other, which takes a pattern of many ``*``
    seconds for a path.

    A place is twice a part's number, and one more within a ``**/`` that has begun.
    """

    _PART = re.compile(r"\*\*/?|\*|\?|\[\^?[^\]]*\]|\\.|.", re.DOTALL)

    def __init__(self, pattern: str) -> None:
        self._parts = self._PART.findall(pattern)
        self._one = [None if part[0] == "*" else re.compile(_one(part), re.DOTALL) for part in self._parts]
        self._next: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def fits(self, path: str) -> bool:
        """Whether the pattern is the path's, or a folder's that the path is in."""
        places = self._start
        for character in path:
            if character == "/" and self._end in places:
                return True
            key = places, character
            if key not in self._next:
                self._next[key] = frozenset(
                    after for place in places for after in self._after(place, character)
                )
            places = self._next[key]
            if not places:
                return False
        return self._end in places

    @property
    def _end(self) -> int:
        return 2 * len(self._parts)

    @cached_property
    def _start(self) -> frozenset[int]:
        return frozenset(self._reached(0))

    def _reached(self, number: int) -> Iterator[int]:
        """The places that a part's beginning is: those of the parts too that may be nothing."""
        for at in range(number, len(self._parts)):
            yield 2 * at
            if self._parts[at] == "**/":
                yield 2 * at + 1
            if self._one[at]:
                return
        yield self._end

    def _after(self, place: int, character: str) -> Iterator[int]:
        number, within = divmod(place, 2)
        if number == len(self._parts):
            return
        part, one = self._parts[number], self._one[number]
        if one:
            if one.fullmatch(character):
                yield from self._reached(number + 1)
        elif part == "**/":
            if within:
                yield place
                if character == "/":
                    yield from self._reached(number + 1)
        elif part == "**" or character != "/":
            yield from self._reached(number)


def _one(part: str) -> str:
    """The expression of a part that is one character."""
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 1:
        return part
    return re.escape(part.removeprefix("\\") if len(part) > 1 else part)
