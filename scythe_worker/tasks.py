"""What runs on a worker, and how its ends reach the engine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Any

from hatchet_sdk.contracts.dispatcher_pb2 import STEP_EVENT_TYPE_COMPLETED, STEP_EVENT_TYPE_FAILED
from hatchet_sdk.runnables.action import Action
from hatchet_sdk.worker.action_listener_process import ActionEvent

from scythe_worker.drain import Durations
from scythe_worker.retries import FROM_WITHIN, GIVEN_BACK, Retries

REASON = "the worker was told to stop; another one runs the task from its start"


@dataclass
class Running:
    """A task's attempt that runs here.

    Attributes:
        action: the engine's order to run it.
        since: its start, a moment of `time.monotonic`.
        until: the moment at which its execution timeout ends it; infinity without one.
    """

    action: Action
    since: float
    until: float = math.inf


def task_name(action: Action) -> str:
    """A task's own name, such as ``scythe_experiment_annual``; an action's id has the workflow's before it."""
    return action.action_id.rpartition(":")[2]


class Tasks:
    """What runs on this worker. Changed by the event loop's thread alone.

    Attributes:
        running: by the action's key.
        stopping: whether tasks that arrive are to be given back.
        from_within: whether one of the tasks has told the worker to stop.
        durations: how long tasks run.
        retries: judges failures.
    """

    def __init__(self, retries: Retries, durations: Durations, cover: Callable[[float | None], None]) -> None:
        """Begin with none.

        Args:
            retries: judges failures.
            durations: how long tasks run.
            cover: hears until when the running tasks may run; None when there are none.
        """
        self.running: dict[str, Running] = {}
        self.stopping = self.from_within = False
        self.durations = durations
        self.retries = retries
        self._cover = cover
        self._told: set[str] = set()

    def begin(self, action: Action, limit: float | None = None) -> None:
        """A task is about to run, for at most `limit` seconds."""
        now = time.monotonic()
        self.running[action.key] = Running(action, now, math.inf if limit is None else now + limit)
        self._cover(self.until())

    def leave(self, key: str) -> None:
        """A task has left the worker, whatever way."""
        self.running.pop(key, None)
        self._told.discard(key)
        self._cover(self.until())

    def until(self) -> float | None:
        """The moment at which the last running task has reached its time limit; None when idle."""
        return max((run.until for run in self.running.values()), default=None)

    def tell(self, key: str) -> bool:
        """Whether the caller is the first to say how this attempt ended; then the engine hears of it."""
        if key in self._told:
            return False
        self._told.add(key)
        return True


class Outbox:
    """What the runner's events go through on their way to the engine.

    An attempt's end is said once: completed, failed or given back. A failure that may be the experiment's last
    waits here for the judgement.

    Attributes:
        threads: for questions to the engine.
    """

    def __init__(self, queue: Any, tasks: Tasks) -> None:
        """Lead to hatchet-sdk's queue."""
        self._queue = queue
        self._tasks = tasks
        self._judging: set[Future[None]] = set()
        self.threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="retries")

    def put(self, event: Any) -> None:
        """Pass an event on, as hatchet-sdk's runner asks."""
        if not isinstance(event, ActionEvent) or event.type not in (
            STEP_EVENT_TYPE_COMPLETED,
            STEP_EVENT_TYPE_FAILED,
        ):
            self._queue.put(event)
            return
        action = event.action
        run = self._tasks.running.get(action.key)
        if not self._tasks.tell(action.key):
            return
        if event.type == STEP_EVENT_TYPE_COMPLETED:
            if run:
                self._tasks.durations.saw(task_name(action), time.monotonic() - run.since)
            self._queue.put(event)
        elif event.should_not_retry or self._tasks.retries.is_known(action.action_id, action.retry_count):
            self._judge(event)
        else:
            judging = self.threads.submit(self._judge, event)
            self._judging.add(judging)
            judging.add_done_callback(self._judging.discard)

    def give_back(self, action: Action) -> bool:
        """Tell the engine to have another worker run the task; False if its end is told already."""
        message = FROM_WITHIN if self._tasks.from_within else f"{GIVEN_BACK}: {REASON}"
        return self._fail(action, message, last=False)

    def fail(self, action: Action, message: str) -> bool:
        """Tell the engine that a task has failed for good; False if its end is told already."""
        return self._fail(action, message, last=True)

    def settle(self, seconds: float) -> None:
        """Wait for the judgements that are under way."""
        wait_for(list(self._judging), timeout=seconds)

    def _fail(self, action: Action, message: str, *, last: bool) -> bool:
        if not self._tasks.tell(action.key):
            return False
        self._queue.put(
            ActionEvent(action=action, type=STEP_EVENT_TYPE_FAILED, payload=message, should_not_retry=last)
        )
        return True

    def _judge(self, event: ActionEvent) -> None:
        action = event.action
        if not event.should_not_retry:
            event.should_not_retry = self._tasks.retries.is_last(
                action.action_id, action.step_run_id, action.retry_count
            )
        self._queue.put(event)
