"""The worker's log: one JSON object a line, with the run, task and experiment that it belongs to."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from types import TracebackType
from typing import Any, TextIO

TOKEN = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+")
"""A JWT, wherever it may stand: in an exception's text, a library's debug line."""

TALKATIVE = ("aiohttp.access", "numexpr")
"""A line for each health check, and one at each start, say nothing."""

LOGGER = logging.getLogger("scythe_worker")


class JsonLines(logging.Formatter):
    """One object a line; exceptions are text in it, and no token gets out."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **running_task(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return redacted(json.dumps(line, ensure_ascii=False, default=str))


def redacted(text: str) -> str:
    """A text without tokens."""
    return TOKEN.sub("<token>", text)


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
        "experiment": action.action_payload.input.get("experiment_id"),
    }
    return {name: value for name, value in given.items() if value is not None}


def start(stream: TextIO | None = None) -> None:
    """Have everything that logs write such lines, hatchet-sdk included; uncaught exceptions too."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def take_over_hatchets() -> None:
    """Lead hatchet-sdk's own logger, which has a handler for people, into the worker's log."""
    logger = logging.getLogger("hatchet")
    logger.handlers.clear()
    logger.propagate = True


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None:
        LOGGER.critical("uncaught: %s", kind.__name__, exc_info=(kind, error, trace))
