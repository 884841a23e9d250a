"""The sign of life that a thread of the worker leaves for the health check.

hatchet-sdk's health server answers from the listener's process, whatever the process that runs the simulations
does. The sign tells two things apart: an event loop that is dead or blocked while the interpreter runs, and C code that
holds the interpreter itself, as a simulation may do until its time limit. Standard library alone, as in
`scythe_worker.health`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path("/tmp")  # noqa: S108  # the one folder that a task can write to

BEAT_SECONDS = 5.0

SILENT_SECONDS = 120.0
"""The interpreter may be held for so long, and beside a simulation until its time limit."""

BLOCKED_SECONDS = 30.0
"""An event loop may be blocked for so long. ECS replaces the task after ten failed checks in a row, five minutes."""


def sign_of_life(port: str) -> Path:
    """The file of the worker whose health server has this port."""
    return FOLDER / f"scythe-worker-alive-{port}"


def leave(file: Path, until: float | None, silent: float = SILENT_SECONDS, blocked: float = 0.0) -> None:
    """Write how long there may be no other sign, and for how long the event loop has been blocked.

    Args:
        file: `sign_of_life`.
        until: the moment of `time.monotonic` at which what runs has reached its time limits; None when idle.
        silent: seconds without a sign that are allowed beyond it.
        blocked: seconds in which other threads ran and the event loop did not.

    Raises:
        OSError: the file cannot be written.
    """
    written = file.with_suffix(f".{os.getpid()}")
    written.write_text(f"{max(time.monotonic(), until or 0.0) + silent} {blocked}")
    written.replace(file)


def fault(file: Path) -> str | None:
    """What the last sign says; None without one, as before the worker is registered."""
    try:
        allowed, blocked = (float(number) for number in file.read_text().split())
    except (OSError, ValueError):
        return None
    silence = time.monotonic() - allowed
    if silence > 0:
        return f"the worker's event loop gives no sign of life, {silence:.0f} s longer than it may"
    if blocked > BLOCKED_SECONDS:
        return f"the worker's event loop is blocked, for {blocked:.0f} s"
    return None


class Beats:
    """Leaves the signs, from a thread of its own.

    Args:
        file: `sign_of_life`.
        until: asks until when what runs may run, as in `leave`.
        failed: hears, once, that the file cannot be written.
        every: seconds between two signs.
    """

    def __init__(
        self,
        file: Path,
        until: Callable[[], float | None],
        failed: Callable[[OSError], None],
        every: float = BEAT_SECONDS,
    ) -> None:
        self._file, self._until, self._failed, self._every = file, until, failed, every
        self._ticked = True
        threading.Thread(target=self._beat, name="sign of life", daemon=True).start()

    def tick(self) -> None:
        """The event loop runs; to be called more often than there are signs."""
        self._ticked = True

    def _beat(self) -> None:
        blocked = 0.0
        while True:
            # Not by the clock: while C code holds the interpreter, neither this thread nor the event loop runs.
            blocked = 0.0 if self._ticked else blocked + self._every
            self._ticked = False
            try:
                leave(self._file, self._until(), blocked=blocked)
            except OSError as error:
                self._failed(error)
                return
            time.sleep(self._every)
