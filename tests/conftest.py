"""What all tests stand on."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Have Ctrl-C heard: what a shell runs in its background ignores it, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
