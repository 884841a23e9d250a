"""An experiment's own retries, kept apart from how often Spot took its task.

The engine hands a task that is reported as failed to another worker at once, and counts that as one of its
retries. So a task is registered with many more than its own, a worker that must stop reports what it gives
back as failed under a name that no exception has, and each failure of the experiment itself is judged here.
The engine's own history of the task says how many there were before.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatchet_sdk.runnables.workflow import BaseWorkflow

LOGGER = logging.getLogger(__name__)

GIVEN_BACK = "GivenBackByWorker"
"""What the message of a task begins with that was given back."""

FROM_WITHIN = f"{GIVEN_BACK}: a task of the worker, not ECS, told it to stop"
"""The same where ECS has not stopped the worker: its tasks have lost it, as by a crash."""

SPARE = 1000
"""How often a task may be given back: far more than Spot takes one, and no endless loop if something is wrong."""

UNKNOWN_SPARE = 10
"""While the history cannot be read, a failure ends the task only after this many attempts beyond its own."""

ENDS = frozenset({"FAILED", "TIMED_OUT", "REASSIGNED", "CANCELLED", "RETRIED_BY_USER"})

OWN = re.compile("__hatchet_error_metadata__|invalid null character|invalid json in field")
"""In the message of a failure that is the experiment's own: hatchet-sdk puts the first beside every exception, the
engine the others in the place of results and errors that it cannot store. Whatever else the engine calls failed is
its own: "Could not send task to worker", say, where a worker is gone before the scheduler knows."""

COMPLETE_SECONDS = 5.0
"""The engine writes its history a moment after the fact."""

ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Event:
    """What the history says happened in an attempt, counted from 0."""

    kind: str
    attempt: int
    message: str


History = Callable[[str], Iterable[Event]]
"""The events of a task; raises OSError where the engine's API does not answer."""


@dataclass(frozen=True)
class Failures:
    """How many attempts before one failed by themselves, and whether the history tells of all of them."""

    count: int
    complete: bool


def failures_before(events: Iterable[Event], attempt: int) -> Failures:
    """Count the attempts before this one that failed or ran out of time, and were not given back."""
    failed: set[int] = set()
    ended: set[int] = set()
    for event in events:
        if event.attempt >= attempt or event.kind not in ENDS:
            continue
        ended.add(event.attempt)
        if event.kind == "TIMED_OUT" or (event.kind == "FAILED" and OWN.search(event.message)):
            failed.add(event.attempt)
    return Failures(len(failed), len(ended) == attempt)


def lost_before(events: Iterable[Event], attempt: int) -> int:
    """Count the attempts before this one that ran, and whose worker was gone, or told to stop by one of its tasks."""
    before = [event for event in events if event.attempt < attempt]
    begun = {event.attempt for event in before if event.kind == "STARTED"}
    lost = {
        event.attempt
        for event in before
        if event.kind == "REASSIGNED" or (event.kind == "FAILED" and event.message.startswith(FROM_WITHIN))
    }
    return len(begun & lost)


class Retries:
    """Judges failures by the retries that the researcher gave each task."""

    def __init__(
        self, history: History, *, complete: float = COMPLETE_SECONDS, answer: float = ANSWER_SECONDS
    ) -> None:
        """Initialize the judge.

        Args:
            history: asks the engine.
            complete: seconds to wait for a history that lags behind.
            answer: seconds to wait for an API that does not answer.
        """
        self._history = history
        self._complete, self._answer = complete, answer
        self._own: dict[str, int] = {}

    def raise_for(self, workflow: BaseWorkflow[Any]) -> None:
        """Note each task's own retries, and have it registered with as many more as it may be given back."""
        for task in workflow.tasks:
            self._own[workflow._create_action_name(task)] = task.retries
            task.retries += SPARE

    def own(self, action_id: str) -> int:
        """A task's own retries."""
        return self._own.get(action_id, 0)

    def is_known(self, action_id: str, attempt: int) -> bool:
        """Whether a failure of this attempt needs no history to be judged: too few attempts went before."""
        return attempt == 0 or attempt < self.own(action_id)

    def is_last(self, action_id: str, task_run: str, attempt: int) -> bool:
        """Whether a failure of this attempt is the last that the experiment allows; may take a while."""
        own = self.own(action_id)
        if self.is_known(action_id, attempt):
            return attempt >= own
        before = self._before(task_run, attempt)
        if before is None:
            return attempt >= own + UNKNOWN_SPARE
        return before >= own

    def is_spent(self, action_id: str, task_run: str, attempt: int) -> bool:
        """Whether attempts before this one have already used up its retries, as timeouts do without a worker."""
        own = self.own(action_id)
        if attempt <= own:
            return False
        before = self._before(task_run, attempt)
        return before is not None and before > own

    def lost(self, task_run: str, attempt: int) -> int:
        """How many workers were gone while attempts before this one ran; 0 where the engine does not tell."""
        events = self._events(task_run, attempt, self._complete)
        return 0 if events is None else lost_before(events, attempt)

    def _before(self, task_run: str, attempt: int) -> int | None:
        """The failures before, once the history is complete or has had its time; None if it cannot be read."""
        events = self._events(task_run, attempt, self._answer)
        return None if events is None else failures_before(events, attempt).count

    def _events(self, task_run: str, attempt: int, answer: float) -> list[Event] | None:
        started = time.monotonic()
        read: list[Event] | None = None
        wait = 0.1
        while True:
            try:
                read = list(self._history(task_run))
            except OSError as error:
                LOGGER.warning("the engine does not tell the history of task %s: %s", task_run, error)
            patience = answer if read is None else self._complete
            is_complete = read is not None and failures_before(read, attempt).complete
            if is_complete or time.monotonic() - started > patience:
                return read
            time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311  # spreads a fleet's questions
            wait = min(wait * 2, 5.0)
