"""The standard streams without secrets: what experiments print, and Python's own last words.

Covered is what goes through Python's ``sys.stdout`` and ``sys.stderr``. What C code and other programs write to the file
descriptors 1 and 2 is not: a pipe that this process reads would stop a simulation that fills it without letting go of
the interpreter, and would lose what was written last when the process crashes.
"""

from __future__ import annotations

import faulthandler
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scythe_worker.redaction import redacted

LONGEST_LINE = 8192
"""Characters that wait for the end of their line: a secret must not come out in two halves."""


STUCK_SECONDS = 1.0
"""A writer waits so long for another. At the interpreter's end, and in a forked child, the other may be a thread that is
gone: it never lets go, and the lines had better be mixed than the process stay."""


class Redacted(io.TextIOBase):
    """A text stream that writes whole lines, without secrets, and that nobody can close.

    Args:
        descriptor: the file that it writes to; one of its own, which stays open when the number is closed.
    """

    def __init__(self, descriptor: int, number: int) -> None:
        self._out, self._number = descriptor, number
        self._line = ""
        self._lock = threading.RLock()
        self.buffer = _Bytes(self)

    encoding, errors, newlines = "utf-8", "backslashreplace", None

    def write(self, text: str, /) -> int:
        """Take a text, and write it up to its last end of a line."""
        with self._alone():
            self._line += text
            end = max(self._line.rfind("\n"), self._line.rfind("\r")) + 1
            if end == 0 and len(self._line) > LONGEST_LINE:
                end = len(self._line)
            if end:
                self._send(self._line[:end])
                self._line = self._line[end:]
        return len(text)

    def flush(self) -> None:
        """Write what waits for the end of its line."""
        with self._alone():
            self._send(self._line)
            self._line = ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        held = self._lock.acquire(timeout=STUCK_SECONDS)
        try:
            yield
        finally:
            if held:
                self._lock.release()

    def _send(self, text: str) -> None:
        left = redacted(text).encode("utf-8", "backslashreplace")
        try:
            while left:
                left = left[os.write(self._out, left) :]
        except OSError:
            pass  # Nobody reads it any more, which is no reason for a simulation to fail.

    def close(self) -> None:
        """Flush: libraries that close the standard streams must not silence the worker."""
        self.flush()

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return os.isatty(self._out)

    def fileno(self) -> int:
        """The number of the standard stream, which other programs inherit."""
        return self._number

    def reconfigure(self, **_: Any) -> None:
        """Stay as it is."""


class _Bytes(io.RawIOBase):
    """The stream's ``buffer``."""

    def __init__(self, stream: Redacted) -> None:
        self._stream = stream

    def write(self, data: Any, /) -> int:
        """Take bytes, as text."""
        content = bytes(data)
        self._stream.write(content.decode("utf-8", "backslashreplace"))
        return len(content)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def writable(self) -> bool:
        """Yes."""
        return True


def install() -> None:
    """Have both standard streams be such, and a crash of the interpreter name the lines of code that ran."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        if isinstance(getattr(sys, name), Redacted):
            continue
        try:
            descriptor = os.dup(number)
        except OSError:
            continue  # Closed by whoever has started the process.
        with_it = Redacted(descriptor, number)
        setattr(sys, name, with_it)
        setattr(sys, f"__{name}__", with_it)
        if name == "stderr":
            # It writes names of files and functions, and no values.
            faulthandler.enable(descriptor)


def restore() -> None:
    """Open again what an experiment has left closed."""
    for name in ("stdout", "stderr"):
        stream, own = getattr(sys, name), getattr(sys, f"__{name}__")
        if stream is None or getattr(stream, "closed", False):
            setattr(sys, name, own)
