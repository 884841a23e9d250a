"""Whatever an experiment raises or returns is told in clean words; nothing that it does to its process stays."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from hatchet_sdk.exceptions import NonRetryableException, RetryAfterException
from hypothesis import given
from hypothesis import strategies as st

from scythe_worker import logs
from scythe_worker.contained import CleanError, EnduringLoop, ResultTooLarge, Serialised, exit_status, failed
from scythe_worker.failures import CONTROLS, LONGEST_TEXT, LONGEST_TRACE, clean, line, told

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=200)


class Mine(BaseException):
    """Of a researcher's own."""


class Wordless(Exception):
    """Whose text cannot be read."""

    def __str__(self) -> str:
        raise SystemExit("no words")

    __repr__ = __str__


class Odd(str):
    """A text with ways of its own."""

    def __getitem__(self, key: Any) -> str:
        raise RuntimeError

    __len__ = __iter__ = encode = __getitem__  # type: ignore[assignment]


class Sly(Exception):
    """Which says that it is something else."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise KeyboardInterrupt

    def __str__(self) -> str:
        return Odd("odd")


class Named(type):
    """A type that does not tell its name."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise SystemExit


class Nameless(Exception, metaclass=Named):
    """One of such a type."""


def chained() -> BaseException:
    error: BaseException = ValueError("first")
    for number in range(2000):
        later = ValueError(str(number))
        later.__cause__ = error
        error = later
    return error


RAISED = {
    "exit": SystemExit("no licence"),
    "exit 0": SystemExit(0),
    "interrupt": KeyboardInterrupt(),
    "generator": GeneratorExit(),
    "cancelled": asyncio.CancelledError(),
    "stop": StopIteration(3),
    "own": Mine("mine"),
    "wordless": Wordless(),
    "sly": Sly(),
    "nameless": Nameless("x"),
    "surrogate": FileNotFoundError("M\udcfcnchen.epw"),
    "nul": ValueError("a\0b"),
    "escapes": ValueError("\x1b]0;owned\x07\x1b[2J\u202egnp.exe"),
    "bytes": ValueError(b"\xff\xfe"),
    "long": ValueError("x" * 5_000_000),
    "long token-like": ValueError("ey" * 2_000_000),
    "many arguments": ValueError(*["y" * 1000] * 1000),
    "group": BaseExceptionGroup("many", [Mine("a"), Wordless()]),
    "chain": chained(),
    "recursion": RecursionError("maximum recursion depth exceeded"),
    "memory": MemoryError(),
    "unicode": UnicodeDecodeError("utf-8", b"\xff" * 100_000, 0, 1, "bad"),
    "syntax": SyntaxError("bad", ("file\udc80", 1, 1, "text\0" * 1000)),
    "local": type("Lo\ncal", (Exception,), {})(lambda: 0),
}


@pytest.mark.parametrize("case", RAISED)
def test_whatever_is_raised_has_clean_words(case: str) -> None:
    started = time.monotonic()
    failure = failed(RAISED[case])
    message = CleanError.from_exception(failure, "task").serialize(include_metadata=True)
    assert time.monotonic() - started < 5
    assert isinstance(failure, Exception)
    assert type.__dict__["__name__"].__get__(type(RAISED[case])).split("\n")[0] in message.splitlines()[0]
    assert not CONTROLS.search(message)
    message.encode()
    assert len(message) < LONGEST_TEXT + LONGEST_TRACE + 1000
    # By this the judge of retries knows a failure as the experiment's own.
    assert "__hatchet_error_metadata__" in message
    one = line(RAISED[case], 300)
    assert len(one) < 600
    assert len(one.splitlines()) == 1


def test_what_is_said_is_kept() -> None:
    def solve() -> None:
        try:
            os.environ["NO_FIRST"]
        except KeyError as first:
            raise ValueError("no solution\nfor Zürich") from first

    with pytest.raises(ValueError, match="no solution") as raised:
        solve()
    words = told(raised.value)
    assert (words.kind, words.text) == ("ValueError", "no solution\nfor Zürich")
    assert "KeyError: 'NO_FIRST'" in words.trace
    assert "test_contained.py" in words.trace


def test_a_long_text_keeps_both_ends() -> None:
    text = clean("begin " + "x" * 1_000_000 + " end", 1000)
    assert text.startswith("begin x")
    assert text.endswith("x end")
    assert int(re.findall(r"(\d+) characters left out", text)[0]) == 1_000_010 - 1000


@given(ANY_TEXT)
def test_any_text_is_clean(text: str) -> None:
    words = failed(ValueError(text)).told
    message = CleanError.from_exception(failed(Mine(text)), None).serialize(include_metadata=True)
    for each in (words.text, words.trace, message):
        assert not CONTROLS.search(each)
        each.encode()
    if not CONTROLS.search(text) and len(text.split("eyJ")) == 1 and "://" not in text:
        assert words.text == text


def test_hatchets_own_exceptions_stay_what_they_are() -> None:
    assert isinstance(failed(NonRetryableException("never\0")), NonRetryableException)
    later = failed(RetryAfterException("soon", after=timedelta(seconds=5)))
    assert isinstance(later, RetryAfterException)
    assert later.after_ms == 5000
    endless = failed(RetryAfterException("never", after=timedelta.max))
    assert isinstance(endless, RetryAfterException)
    assert endless.after_ms == 86_400_000
    wrong: Any = "5 s"
    assert not isinstance(failed(RetryAfterException("when?", after=wrong)), RetryAfterException)
    assert failed(later) is later


def test_a_result_may_have_what_a_message_can_carry() -> None:
    limit = 4 * 2**20
    assert Serialised(None, limit).text is None
    assert Serialised('"ä"', limit).text == '"ä"'
    Serialised("x" * (limit - 100_000), limit)
    Serialised("x" * limit, -1)
    with pytest.raises(
        ResultTooLarge, match=r"the result has 4\.8 MiB; must be at most 3\.9 MiB: return large"
    ):
        Serialised("x" * 5_000_000, limit)
    with pytest.raises(ResultTooLarge):
        Serialised("ä" * 2_500_000, limit)


def test_a_coroutine_that_exits_does_not_end_the_loop() -> None:
    loop = EnduringLoop()

    async def exits() -> None:
        raise SystemExit("no licence")

    async def main() -> str:
        left = [asyncio.create_task(exits()) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert all(isinstance(task.exception(), SystemExit) for task in left)
        return "goes on"

    task = loop.create_task(main())
    task.add_done_callback(lambda _: loop.stop())
    loop.run_forever()
    loop.close()
    assert task.result() == "goes on"


@pytest.mark.parametrize(
    ("error", "status"), [(None, 0), (SystemExit(0), 0), (SystemExit(None), 0), (SystemExit(3), 3), (SystemExit("no"), 1), (Mine(), 1)]
)  # fmt: skip
def test_a_forked_child_ends_as_python_would(error: BaseException | None, status: int) -> None:
    assert exit_status(error) == status


class Unformattable:
    """No logger can say it."""

    def __str__(self) -> str:
        raise Mine

    __repr__ = __str__


@pytest.fixture
def log() -> Any:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.start(stream)
    yield stream
    logging.disable(logging.NOTSET)
    root.handlers[:] = before
    root.setLevel(level)
    logs.remember()


def test_a_line_that_cannot_be_made_is_a_line_all_the_same(log: io.StringIO) -> None:
    # pytest's own handlers are for tests that fail.
    logging.getLogger().handlers[:] = [
        each for each in logging.getLogger().handlers if isinstance(each, logs.Handler)
    ]
    logger = logging.getLogger("experiments")
    logger.warning("with %s", Unformattable())
    logger.warning("with %d numbers", "no")
    logger.warning("x" * 1_000_000)
    logger.warning("M\udcfcnchen \x1b[2J\n")
    logger.error("failed", exc_info=Wordless())
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    assert [each["level"] for each in lines] == ["WARNING"] * 4 + ["ERROR"]
    assert lines[0]["message"] == "(a message that cannot be formatted: Mine)"
    assert lines[1]["message"] == "(a message that cannot be formatted: TypeError)"
    assert len(lines[2]["message"]) < 20_000
    assert lines[3]["message"] == "M\\udcfcnchen \\x1b[2J\n"


def test_what_an_experiment_does_to_the_log_is_undone(log: io.StringIO) -> None:
    logging.basicConfig(level=logging.DEBUG, force=True, stream=io.StringIO())
    logging.getLogger("scythe_worker").disabled = True
    logging.disable(logging.CRITICAL)
    logs.restore()
    logging.getLogger("scythe_worker").info("still here")
    logging.getLogger("scythe_worker").debug("not this")
    assert [json.loads(each)["message"] for each in log.getvalue().splitlines()] == ["still here"]
