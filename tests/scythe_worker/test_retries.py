"""An experiment's own retries against how often its task was given back."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hatchet_sdk.exceptions import TaskRunError

from scythe_worker.retries import GIVEN_BACK, SPARE, UNKNOWN_SPARE, Event, Failures, Retries, failures_before

TASK = "scythe_experiment_annual:scythe_experiment_annual"


def told(*attempts: str) -> list[Event]:
    """A history, an attempt for each letter: Failed, Timed out, given Back, Reassigned, not Sent, Invalid, or Nothing yet."""
    ends = {
        "F": (
            "FAILED",
            TaskRunError.from_exception(ValueError("none"), "run").serialize(include_metadata=True),
        ),
        "S": ("FAILED", "Could not send task to worker. This likely means that too many slots have been"),
        "I": ("FAILED", "encoded jsonb contains invalid null character \\u0000 in field `taskOutput`"),
        "T": ("TIMED_OUT", "Task exceeded timeout of 1m"),
        "B": ("FAILED", f"{GIVEN_BACK}: the worker was told to stop"),
        "R": ("REASSIGNED", "Worker did not send a heartbeat for 30 seconds"),
    }
    events = []
    for attempt, end in enumerate(attempts):
        events.append(Event("STARTED", attempt, ""))
        if end in ends:
            events.append(Event(ends[end][0], attempt, ends[end][1]))
        events.append(Event("RETRYING", attempt + 1, "This is retry number 1."))
    return events


@pytest.mark.parametrize(
    ("attempts", "count", "complete"),
    [
        ("", 0, True),
        ("B", 0, True),
        ("BRBRB", 0, True),
        ("F", 1, True),
        ("BFBTR", 2, True),
        ("SSRS", 0, True),
        ("SI", 1, True),
        ("FN", 1, False),
    ],
)
def test_failures_are_told_from_what_was_given_back(attempts: str, count: int, complete: bool) -> None:
    assert failures_before(told(*attempts, "F"), len(attempts)) == Failures(count, complete)


class OneTask:
    retries = 1


class Standalone:
    tasks = (OneTask(),)

    def _create_action_name(self, task: OneTask) -> str:
        return TASK


def judge(history: object, retries: int = 1, **patience: float) -> Retries:
    """A judge that knows one task with retries of its own."""
    standalone = Standalone()
    standalone.tasks[0].retries = retries
    it = Retries(history, **({"complete": 0, "answer": 0} | patience))  # type: ignore[arg-type]
    it.raise_for(standalone)  # type: ignore[arg-type]
    assert standalone.tasks[0].retries == retries + SPARE
    return it


@pytest.mark.parametrize(
    ("own", "attempts", "last"),
    [
        (0, "", True),
        (0, "BRB", True),
        (1, "", False),
        (1, "BBBBBB", False),
        (1, "F", True),
        (1, "BBBFB", True),
        (1, "T", True),
        (2, "BBF", False),
        (2, "BFRF", True),
    ],
)
def test_a_failure_is_the_last_after_the_experiments_own_retries(own: int, attempts: str, last: bool) -> None:
    it = judge(lambda task_run: told(*attempts, "N"), own)
    assert it.is_last(TASK, "run", len(attempts)) is last


def test_what_needs_no_history_asks_for_none() -> None:
    def never(task_run: str) -> Iterable[Event]:
        raise AssertionError("asked")

    assert judge(never, 0).is_last(TASK, "run", 0)
    assert not judge(never, 1).is_last(TASK, "run", 0)
    assert not judge(never, 3).is_last(TASK, "run", 2)
    assert not judge(never, 1).is_spent(TASK, "run", 1)


@pytest.mark.parametrize(("attempts", "spent"), [("TT", True), ("TB", False), ("BB", False), ("FF", True)])
def test_timeouts_spend_retries_too(attempts: str, spent: bool) -> None:
    assert judge(lambda task_run: told(*attempts, "N")).is_spent(TASK, "run", 2) is spent


def test_a_history_that_lags_is_waited_for() -> None:
    answers = iter([told("N"), told("N"), told("F")])
    assert judge(lambda task_run: next(answers), complete=5).is_last(TASK, "run", 1)


def test_without_a_history_nothing_ends_early_and_nothing_goes_on_for_ever() -> None:
    def away(task_run: str) -> Iterable[Event]:
        raise OSError("429")

    it = judge(away)
    assert not it.is_last(TASK, "run", 1)
    assert not it.is_spent(TASK, "run", 5)
    assert it.is_last(TASK, "run", 1 + UNKNOWN_SPARE)
