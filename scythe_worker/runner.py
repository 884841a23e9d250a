"""Runs the tasks as hatchet-sdk does, and knows at any time which run, so that they can be given back."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import threading
from collections.abc import Iterable
from typing import Any

from hatchet_sdk.clients.rest.api.task_api import TaskApi
from hatchet_sdk.clients.rest.exceptions import ApiException, OpenApiException
from hatchet_sdk.clients.v1.api_client import BaseRestClient
from hatchet_sdk.config import ClientConfig
from hatchet_sdk.context.context import Context
from hatchet_sdk.runnables.action import Action
from hatchet_sdk.runnables.task import Task
from hatchet_sdk.worker.runner.runner import Runner
from urllib3.exceptions import HTTPError

from scythe_worker import contained, logs
from scythe_worker.contained import Serialised, exit_status, failed
from scythe_worker.drain import seconds_of
from scythe_worker.lost import GUILTY, MESSAGE, SUSPECT, WAIT_SECONDS, Turns
from scythe_worker.retries import Event, History
from scythe_worker.tasks import Outbox, Tasks

LOGGER = logging.getLogger(__name__)

RESUMES = frozenset({"scythe_scatter_gather:scythe_scatter_gather"})
"""Tasks that lose nothing by moving: their children run on, and are found again by their places."""

SPENT = "RetriesSpent: earlier attempts failed or ran out of time as often as the experiment allows"
ANSWER_SECONDS = 10.0
BOUNCE_SECONDS = 0.1
"""A task that the engine sends to a worker that stops waits this long, lest it come back again and again until
the engine's scheduler has heard of the pause."""


class GivenBack(BaseException):
    """Raised in the thread of a simulation that another worker runs by now."""


class FleetRunner(Runner):
    """hatchet-sdk's runner, with an `Outbox` and a register of what runs."""

    def __init__(self, tasks: Tasks, event_queue: Any, *arguments: Any, **named: Any) -> None:
        """Initialize the runner; all but `tasks` is the SDK's."""
        self._fleet_tasks = tasks
        self.outbox = Outbox(event_queue, tasks)
        self._turns = Turns()
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
            return await super().handle_start_step_run(action) if await self._is_its_turn(action) else None
        finally:
            check.cancel()
            self._turns.leave(action.key)
            tasks.leave(action.key)

    async def _is_its_turn(self, action: Action) -> bool:
        """Whether a task may run, once it may: see `scythe_worker.lost`."""
        if action.retry_count < SUSPECT or action.action_id in RESUMES:
            return True
        lost = await asyncio.get_running_loop().run_in_executor(
            self.outbox.threads, self._fleet_tasks.retries.lost, action.step_run_id, action.retry_count
        )
        if lost >= GUILTY:
            self.outbox.fail(action, MESSAGE.format(count=lost))
            return False
        task = asyncio.current_task()
        if lost >= SUSPECT and task is not None:
            # Here hatchet-sdk looks for what to cancel.
            self.tasks[action.key] = task
            try:
                await asyncio.wait_for(self._turns.take(action.key), WAIT_SECONDS)
            except TimeoutError:
                self.outbox.give_back(action)
                return False
            finally:
                self.tasks.pop(action.key, None)
        return True

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
