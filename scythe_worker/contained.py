"""One wrapper around every task: whatever it raises, or returns, becomes an end that the engine can be told of.

hatchet-sdk reports an `Exception` whose text can be read, and results that its client may send. Any other
`BaseException` ends its event loop or leaves the task without an end, and so does a `StopIteration`, which asyncio
lets into no future.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import Any

from hatchet_sdk.exceptions import NonRetryableException, RetryAfterException, TaskRunError
from hatchet_sdk.worker.runner import runner as sdk_runner

from scythe_worker.failures import Told, told

LOGGER = logging.getLogger(__name__)

ENVELOPE = 64 * 1024
"""Bytes of a message that are not the result."""

LONGEST_WAIT_MS = 86_400_000


class ResultTooLarge(Exception):  # its name is what people read
    """A result that the client may not send."""

    def __init__(self, size: int, limit: int) -> None:
        """Initialize the error."""
        super().__init__(
            f"the result has {size / 2**20:.1f} MiB; must be at most {limit / 2**20:.1f} MiB: "
            "return large tables as dataframes or files, which go to the bucket"
        )


class Failed(Exception):
    """What a task raised, in words.

    Attributes:
        told: the words.
    """

    def __init__(self, words: Told) -> None:
        """Initialize the failure."""
        Exception.__init__(self, f"{words.kind}: {words.text}")
        self.told = words


class FailedForGood(Failed, NonRetryableException):
    """The same of a task that must not be repeated."""


class FailedForNow(Failed, RetryAfterException):
    """The same of a task that says when it is to be repeated."""

    def __init__(self, words: Told, after: timedelta) -> None:
        """Initialize the failure."""
        Failed.__init__(self, words)
        self.after = after


class Serialised:
    """A result as it goes to the engine.

    Attributes:
        text: JSON; None without a result.
    """

    def __init__(self, text: str | None, message_limit: int) -> None:
        """Check a result's size.

        Raises:
            ResultTooLarge: the client would not send it.
        """
        size, limit = len((text or "").encode()), message_limit - ENVELOPE
        if size > limit and message_limit >= 0:
            raise ResultTooLarge(size, limit)
        self.text = text


def failed(error: BaseException) -> Failed:
    """What a task raised, as a failure that hatchet-sdk can report. Never raises."""
    kind = type(error)
    if issubclass(kind, Failed):
        return error  # type: ignore[return-value]  # not isinstance, which asks the exception
    words = told(error)
    if issubclass(kind, NonRetryableException):
        return FailedForGood(words)
    if issubclass(kind, RetryAfterException):
        with contextlib.suppress(BaseException):
            wait = min(error.after_ms, LONGEST_WAIT_MS)  # type: ignore[attr-defined]
            return FailedForNow(words, timedelta(milliseconds=wait))
    return Failed(words)


class CleanError(TaskRunError):
    """hatchet-sdk's message of a failure, made of words alone."""

    @classmethod
    def from_exception(cls, exc: Exception, task_run_external_id: str | None) -> TaskRunError:
        """The message about an exception."""
        words = failed(exc).told
        return cls(words.text, words.kind, words.trace, task_run_external_id)


def install() -> None:
    """Have hatchet-sdk tell of failures in such words."""
    sdk_runner.TaskRunError = CleanError  # type: ignore[attr-defined]


def exit_status(error: BaseException | None) -> int:
    """The exit status of a process that ends by this, as Python has it."""
    code: Any = error.code if isinstance(error, SystemExit) else error
    return code & 0xFF if type(code) is int else int(code is not None)


class EnduringLoop(asyncio.SelectorEventLoop):
    """An event loop that goes on where a coroutine of an experiment exits: asyncio would end with it."""

    def run_forever(self) -> None:
        """Run until it is stopped."""
        while True:
            try:
                return super().run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                LOGGER.error("a coroutine raised %s; the worker goes on", failed(error))  # noqa: TRY400
