"""The worker ends within the notice, whatever its own threads do.

A signal's handler in Python waits for the main thread, and an event loop that is dead or blocked never drains. So the
interpreter's C code writes the signal's number to a pipe (``signal.set_wakeup_fd``), and the process that listens
to the engine reads it, waits until shortly before the notice's end, and kills the worker if it is still there. A
thread of the worker does the same (`end_in`), for the case that the listener is gone.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection

SPARE_SECONDS = 5.0
"""Of the notice. What the worker wanted to give back by then, it has given back ten seconds before."""

_writer: Connection | None = None


def pipe() -> Connection | None:
    """What the listener reads from; None outside of the main thread, which has no signals."""
    global _writer
    if threading.current_thread() is not threading.main_thread():
        return None
    reader, _writer = Pipe(duplex=False)
    os.set_blocking(_writer.fileno(), False)
    signal.set_wakeup_fd(_writer.fileno(), warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_forget)
    return reader


def watch(reader: Connection, notice: float) -> None:
    """Kill the process that has started this one, once its notice is over; from a thread of its own.

    Args:
        reader: `pipe`'s.
        notice: seconds from SIGTERM to the kill.
    """
    threading.Thread(target=_watch, args=(reader, os.getppid(), notice), daemon=True).start()


def end_in(notice: float, status: int) -> None:
    """End this process shortly before the notice's end, where its event loop has not by then."""
    timer = threading.Timer(max(notice - SPARE_SECONDS, 0), os._exit, (status,))
    timer.daemon = True
    timer.start()


def _watch(reader: Connection, parent: int, notice: float) -> None:
    while number := os.read(reader.fileno(), 1):
        if number[0] in (signal.SIGTERM, signal.SIGINT):
            time.sleep(max(notice - SPARE_SECONDS / 2, 0))
            if os.getppid() == parent:
                os.kill(parent, signal.SIGKILL)
            return


def _forget() -> None:
    """A process that an experiment forks is no worker: signals end it, and the worker hears nothing of them."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
