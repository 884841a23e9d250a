"""Runs the tasks as hatchet-sdk does, and knows at any time which run, so that they can be given back."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Any

from hatchet_sdk.clients.rest.api.task_api import TaskApi
from hatchet_sdk.clients.rest.exceptions import ApiException, OpenApiException
from hatchet_sdk.clients.v1.api_client import BaseRestClient
from hatchet_sdk.config import ClientConfig
from hatchet_sdk.context.context import Context
from hatchet_sdk.contracts.dispatcher_pb2 import STEP_EVENT_TYPE_COMPLETED, STEP_EVENT_TYPE_FAILED
from hatchet_sdk.runnables.action import Action
from hatchet_sdk.runnables.task import Task
from hatchet_sdk.worker.action_listener_process import ActionEvent
from hatchet_sdk.worker.runner.runner import Runner
from urllib3.exceptions import HTTPError

from scythe_worker import contained, logs
from scythe_worker.contained import Serialised, exit_status, failed
from scythe_worker.drain import Durations, seconds_of
from scythe_worker.retries import GIVEN_BACK, Event, History, Retries

LOGGER = logging.getLogger(__name__)

REASON = "the worker was told to stop; another one runs the task from its start"
SPENT = "RetriesSpent: earlier attempts failed or ran out of time as often as the experiment allows"
ANSWER_SECONDS = 10.0
BOUNCE_SECONDS = 0.1
"""A task that the engine sends to a worker that stops waits this long, lest it come back again and again until
the engine's scheduler has heard of the pause."""


class GivenBack(BaseException):
    """Raised in the thread of a simulation that another worker runs by now."""


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
        self.stopping = False
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
        return self._fail(action, f"{GIVEN_BACK}: {REASON}", last=False)

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


class FleetRunner(Runner):
    """hatchet-sdk's runner, with an `Outbox` and a register of what runs."""

    def __init__(self, tasks: Tasks, event_queue: Any, *arguments: Any, **named: Any) -> None:
        """Initialize the runner; all but `tasks` is the SDK's."""
        self._fleet_tasks = tasks
        self.outbox = Outbox(event_queue, tasks)
        self._ran_by: dict[int, str] = {}
        contained.install()
        super().__init__(self.outbox, *arguments, **named)  # type: ignore[arg-type]  # it has the queue's put
        # The handler that sends a task's lines to the dashboard is among them by now.
        logs.remember()

    async def handle_start_step_run(self, action: Action) -> Exception | None:
        """Run a task, unless the worker stops."""
        tasks = self._fleet_tasks
        if tasks.stopping:
            await asyncio.sleep(BOUNCE_SECONDS)
            self.outbox.give_back(action)
            tasks.leave(action.key)
            return None
        task = self.action_registry.get(action.action_id)
        tasks.begin(action, seconds_of(task.execution_timeout) if task else None)
        # Beside the task, which must not wait for it.
        check = asyncio.ensure_future(self._end_if_spent(action))
        try:
            return await super().handle_start_step_run(action)
        finally:
            check.cancel()
            tasks.leave(action.key)

    async def async_wrapped_action_func(self, ctx: Context, task: Task[Any, Any], action: Action) -> Any:
        """Run a task; whatever it raises is a failure, unless the engine or the worker has cancelled it."""
        try:
            output = await super().async_wrapped_action_func(ctx, task, action)
            return output if isinstance(output, Serialised) else self._serialised(task, output)
        except BaseException as error:
            if issubclass(type(error), asyncio.CancelledError) and action.key in self.cancellations:
                raise
            failure = failed(error)
        finally:
            logs.restore()
        raise failure

    def thread_action_func(
        self, ctx: Context, task: Task[Any, Any], action: Action, dependencies: dict[str, Any]
    ) -> Any:
        """Run a task that is no coroutine, in its thread; its result is made into JSON there."""
        process, thread = os.getpid(), threading.get_ident()
        self._ran_by[thread] = action.key
        error: BaseException | None = None
        try:
            return self._serialised(task, super().thread_action_func(ctx, task, action, dependencies))
        except BaseException as raised:
            error = raised
            failure = failed(raised)
        finally:
            if os.getpid() != process:
                # A child that the task forked comes back through here too, and would go on as a second worker.
                os._exit(exit_status(error))
            del self._ran_by[thread], error
        raise failure

    def serialize_output(self, validator: Any, output: Any) -> str | None:
        """A result's JSON, which is there by now."""
        return output.text if isinstance(output, Serialised) else super().serialize_output(validator, output)

    def _serialised(self, task: Task[Any, Any], output: Any) -> Serialised:
        text = super().serialize_output(task._validators.step_output, output)
        return Serialised(text, self.config.grpc_max_send_message_length)

    async def handle_cancel_action(self, action: Action) -> None:
        """Cancel a task; its thread must not keep the slot."""
        thread = self.threads.get(action.key)
        await super().handle_cancel_action(action)
        self._end_thread(thread, action.key)

    def give_back(self, key: str) -> bool:
        """Give a task back that runs, and stop it here as far as Python can; False if it has just ended."""
        run = self._fleet_tasks.running.get(key)
        if run is None or not self.outbox.give_back(run.action):
            return False
        self._stop_here(key)
        return True

    def _stop_here(self, key: str) -> None:
        thread = self.threads.get(key)
        if key in self.contexts:
            self.contexts[key]._set_cancellation_flag()
        # hatchet-sdk then tells nothing of its own about the task.
        self.cancellations[key] = True
        if key in self.tasks:
            self.tasks[key].cancel()
        self._end_thread(thread, key)

    def _end_thread(self, thread: threading.Thread | None, key: str) -> None:
        """End the thread of a task, as far as Python can; another one takes its place beside it."""
        if thread is None or thread.ident is None or self._ran_by.get(thread.ident) != key:
            return
        _raise_in(thread)
        # What C code holds up may never end. Threads are only made while none is idle.
        self.thread_pool._max_workers += 1
        self.thread_pool.submit(lambda: None)

    async def _end_if_spent(self, action: Action) -> None:
        """The engine itself ends attempts that run out of time, and starts another as long as it knows retries."""
        retries = self._fleet_tasks.retries
        if action.retry_count <= retries.own(action.action_id):
            return
        spent = await asyncio.get_running_loop().run_in_executor(
            self.outbox.threads, retries.is_spent, action.action_id, action.step_run_id, action.retry_count
        )
        if spent and self.outbox.fail(action, SPENT):
            self._stop_here(action.key)


def history(config: ClientConfig) -> History:
    """The engine's history of a task, over its API."""
    rest = BaseRestClient(config)

    def ask(task_run: str) -> Iterable[Event]:
        try:
            with rest.client() as client:
                # Without a limit the engine lists none.
                listed = TaskApi(client).v1_task_event_list(
                    task=task_run, limit=100_000, _request_timeout=ANSWER_SECONDS
                )
        except (OpenApiException, HTTPError) as error:
            # Never its text, which has the headers.
            status = error.status if isinstance(error, ApiException) else None
            raise OSError(f"{type(error).__name__} {status or ''}".strip()) from None
        return [
            Event(row.event_type.value, row.retry_count or 0, row.error_message or row.message)
            for row in listed.rows or ()
        ]

    return ask


def _raise_in(thread: threading.Thread) -> None:
    """Have the thread's Python code end; what it runs in C, or in another process, ends with the worker."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(GivenBack))
