"""The sign of life that the worker's event loop leaves for the health check.

hatchet-sdk's health server answers from the listener's process, whatever the process that runs the simulations
does. Standard library alone, as in `scythe_worker.health`.
"""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

FOLDER = Path("/tmp")  # noqa: S108  # the one folder that a task can write to

BEAT_SECONDS = 30.0

SILENT_SECONDS = 900.0
"""An event loop may be silent for so long, and beside a simulation until its time limit: that may hold the
interpreter all the while."""


def sign_of_life(port: str) -> Path:
    """The file of the worker whose health server has this port."""
    return FOLDER / f"scythe-worker-alive-{port}"


def leave(file: Path, until: float | None, silent: float = SILENT_SECONDS) -> None:
    """Write how long the event loop may be silent.

    Args:
        file: `sign_of_life`.
        until: the moment of `time.monotonic` at which what runs has reached its time limits; None when idle.
        silent: seconds without a sign that are allowed beyond it.

    Raises:
        OSError: the file cannot be written.
    """
    written = file.with_suffix(f".{os.getpid()}")
    written.write_text(str(max(time.monotonic(), until or 0.0) + silent))
    written.replace(file)


def fault(file: Path) -> str | None:
    """What the last sign says; None without one, as before the worker is registered."""
    try:
        silence = time.monotonic() - float(file.read_text())
    except (OSError, ValueError):
        return None
    if math.isinf(silence) or silence <= 0:
        return None
    return f"the worker's event loop gives no sign of life, {silence:.0f} s longer than it may"
