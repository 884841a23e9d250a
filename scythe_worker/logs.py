"""The worker's log: one JSON object a line, with the run, task and experiment that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from types import TracebackType
from typing import Any, TextIO

from scythe_worker import streams
from scythe_worker.failures import clean, told
from scythe_worker.redaction import redacted

TALKATIVE = ("aiohttp.access", "numexpr")
"""A line for each health check, and one at each start, say nothing."""

LOGGER = logging.getLogger("scythe_worker")


LONGEST_MESSAGE = 16_000
"""Characters of a line's message. CloudWatch Logs takes 256 KiB an event (Amazon CloudWatch Logs API, ``PutLogEvents``)."""

OURS = ("scythe_worker", "hatchet")
"""Loggers that an experiment must not switch off."""


class JsonLines(logging.Formatter):
    """One object a line; exceptions are text in it, and no secret gets out."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line. Never raises: its arguments may be an experiment's."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **running_task(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = told(record.exc_info[1]).trace.rstrip("\n")
        return redacted(json.dumps(line, ensure_ascii=False, default=str))


class Handler(logging.StreamHandler[TextIO]):
    """Writes lines, and says nothing of those that it cannot write."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: Python's own prints the record's arguments."""


def _message(record: logging.LogRecord) -> str:
    try:
        return clean(record.getMessage(), LONGEST_MESSAGE)
    except BaseException as error:
        return f"(a message that cannot be formatted: {told(error).kind})"


def running_task() -> dict[str, object]:
    """Which task the caller's thread or coroutine runs; empty where it runs none."""
    # Not imported before the worker has: the health check and the first lines of a start need none of it.
    variables = sys.modules.get("hatchet_sdk.runnables.contextvars")
    # The other variables stay set in the process that listens, to what it heard last.
    action = getattr(variables and variables.ctx_hatchet_context.get(), "_action", None)
    if action is None:
        return {}
    given = {
        "run": action.workflow_run_id,
        "task": action.step_run_id,
        "attempt": action.retry_count,
        "name": action.step_name,
        "experiment": _experiment(action.action_payload.input),
    }
    return {name: value for name, value in given.items() if value is not None}


def _experiment(given: Any) -> object:
    return given.get("experiment_id") if isinstance(given, dict) else None


def start(stream: TextIO | None = None) -> None:
    """Have everything that logs write such lines, hatchet-sdk included; uncaught exceptions too."""
    if stream is None:
        streams.install()
    handler = Handler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _uncaught
    threading.excepthook = lambda hook: _uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)
    remember()


_remembered: list[logging.Handler] = []


def remember() -> None:
    """Note the handlers of the log, for `restore`."""
    _remembered[:] = logging.getLogger().handlers


def restore() -> None:
    """Undo what an experiment has done to the log (``logging.basicConfig(force=True)``, ``dictConfig``) and streams."""
    streams.restore()
    root = logging.getLogger()
    if any(handler not in root.handlers for handler in _remembered):
        root.handlers[:] = _remembered
        root.setLevel(logging.INFO)
    logging.disable(logging.NOTSET)
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in OURS]:
        logging.getLogger(name).disabled = False


def take_over_hatchets() -> None:
    """Lead hatchet-sdk's own logger, which has a handler for people, into the worker's log."""
    logger = logging.getLogger("hatchet")
    logger.handlers.clear()
    logger.propagate = True


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None:
        LOGGER.critical("uncaught: %s", kind.__name__, exc_info=(kind, error, trace))
