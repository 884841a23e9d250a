"""Why a command ends before it is done, in words for the person who typed it."""

from __future__ import annotations

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it: 128 and the signal's number."""


class CommandError(Exception):
    """What stands in a command's way; the text is what it says on standard error.

    Attributes:
        status: the exit status: 2 for bad input or a missing prerequisite, 1 where the answer is no.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        self.status = status
        super().__init__(message)
