"""hatchet-sdk's worker on Fargate Spot: it registers with patience, and leaves without losing a task."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from hatchet_sdk import Worker
from hatchet_sdk.config import ClientConfig
from hatchet_sdk.connection import new_conn
from hatchet_sdk.contracts.dispatcher_pb2 import GetVersionRequest
from hatchet_sdk.contracts.dispatcher_pb2_grpc import DispatcherStub
from hatchet_sdk.runnables.workflow import BaseWorkflow
from hatchet_sdk.utils.api_auth import create_authorization_header
from hatchet_sdk.utils.typing import STOP_LOOP
from hatchet_sdk.worker import worker as sdk_worker
from hatchet_sdk.worker.runner import run_loop_manager
from hatchet_sdk.worker.runner.runner import Runner

from scythe_worker import alive, listener
from scythe_worker import notice as notices
from scythe_worker.contained import EnduringLoop
from scythe_worker.drain import MARGIN_SECONDS, NOTICE_SECONDS, seconds_of, worth_waiting
from scythe_worker.engine import EngineError, Unreachable, check_expiry, persevere
from scythe_worker.runner import RESUMES, FleetRunner
from scythe_worker.settings import PATIENCE_SECONDS
from scythe_worker.tasks import Running, Tasks, task_name

LOGGER = logging.getLogger(__name__)

CRASH = 1
ANSWER_SECONDS = 5.0
LINGER_SECONDS = 1.5
"""The engine's scheduler looks for paused workers about once a second. A task that it sends until then is given back
in order; sent to nobody, it would wait longer, and count as one of the few that the engine itself lost."""

BOUNCED_SECONDS = 1.0
"""For tasks that arrived while the worker stopped listening."""

LOOK_SECONDS = 0.25
TICK_SECONDS = 2.0


class FleetWorker(Worker):
    """A worker that drains.

    Attributes:
        tasks: what runs on it.
    """

    def __init__(
        self,
        *,
        name: str,
        config: ClientConfig,
        slots: dict[str, int],
        labels: dict[str, str | int],
        tasks: Tasks,
        is_to_run: Callable[[], bool] = lambda: False,
        notice: float = NOTICE_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Initialize the worker.

        Args:
            name: for the dashboard.
            config: hatchet-sdk's.
            slots: by their kind.
            labels: what it can do.
            tasks: the register of its tasks.
            is_to_run: whether whoever starts and stops workers wants this one to run on.
            notice: seconds from SIGTERM to the kill.
            patience: seconds to wait for an engine that does not answer at the start.
        """
        self.tasks = tasks
        self._is_to_run, self._notice, self._patience = is_to_run, notice, patience
        self._status_code = 0
        self._fault: EngineError | None = None
        self._draining: asyncio.Task[None] | None = None
        self._at_once = False
        self._registered_id: str | None = None
        # hatchet-sdk has no other way to have its runner and its listener be one's own.
        run_loop_manager.Runner = functools.partial(FleetRunner, tasks)  # type: ignore[attr-defined,assignment]
        sdk_worker.worker_action_listener_process = functools.partial(  # type: ignore[attr-defined]
            listener.run, notices.pipe(), notice
        )
        super().__init__(name=name, config=config, slot_config=slots, labels=labels, handle_kill=False)

    def register_workflow(self, workflow: BaseWorkflow[Any]) -> None:
        """Put a workflow to the engine, which may still be starting itself.

        Raises:
            EngineError: it does not answer, or does not take the token.
        """
        self.tasks.retries.raise_for(workflow)
        put = workflow.to_proto()
        self._ask(lambda: self._client.admin.put_workflow(put))
        for task in workflow.tasks:
            self._action_registry[workflow._create_action_name(task)] = task

    def reach_engine(self) -> None:
        """Wait for the engine.

        Raises:
            EngineError: it does not answer, or does not take the token.
        """

        def ask() -> None:
            check_expiry(self._config.token)
            with new_conn(self._config, False) as channel:
                DispatcherStub(channel).GetVersion(  # type: ignore[attr-defined]  # generated
                    GetVersionRequest(), timeout=10, metadata=create_authorization_header(self._config.token)
                )

        self._ask(ask)

    def run(self) -> int:
        """Work until told to stop; the exit status.

        Raises:
            EngineError: the engine is lost before the worker is registered.
        """
        self.start()
        if self._fault:
            raise self._fault
        return self._status_code

    def _ask(self, call: Any) -> None:
        persevere(call, address=self._config.host_port, patience=self._patience)

    def _setup_loop(self) -> None:
        self._loop = EnduringLoop()
        asyncio.set_event_loop(self._loop)

    async def _check_listener_health(self) -> None:
        self._living = asyncio.ensure_future(self._live())
        await super()._check_listener_health()

    async def _live(self) -> None:
        """Show the health check, again and again, that the event loop runs."""
        file = alive.sign_of_life(str(self._config.healthcheck.port))
        beats = alive.Beats(
            file,
            self.tasks.until,
            lambda error: LOGGER.warning(
                "%s cannot be written (%s); a worker that hangs stays healthy", file, error.strerror
            ),
        )
        while True:
            beats.tick()
            if signal.getsignal(signal.SIGTERM) != self._handle_exit_signal:
                # Code of an experiment that runs in this thread has changed it.
                self._setup_signal_handlers()
            await asyncio.sleep(TICK_SECONDS)

    def _setup_signal_handlers(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle_exit_signal)
        signal.signal(signal.SIGQUIT, self._handle_force_quit_signal)

    def _handle_exit_signal(self, signum: int, frame: FrameType | None) -> None:
        """Drain; told twice by hand, at once. Before there is anything to drain, leave."""
        if self._loop is None or self._action_listener_process is None:
            os._exit(0)
        notices.end_in(self._notice, CRASH)
        self._loop.call_soon_threadsafe(self._drain_once, signal.Signals(signum).name)

    def _drain_once(self, why: str) -> None:
        if self._draining is None:
            LOGGER.info("told to stop by %s", why)
            self._draining = asyncio.ensure_future(self._drain())
        elif why == "SIGINT":
            # ECS says SIGTERM once or twice and means the same; a person who repeats it means now.
            self._at_once = True

    async def exit_gracefully(self) -> None:
        """Called by hatchet-sdk when its listener is gone."""
        if self._draining is None:
            if self._worker_id() is None:
                self._fault = Unreachable(
                    f"the Hatchet engine at {self._config.host_port} did not register the worker; the log says why"
                )
            LOGGER.error("the process that listens to the engine is gone")
            self._status_code = CRASH
            self._draining = asyncio.ensure_future(self._drain())
        await self._draining

    async def _drain(self) -> None:
        """Take no more work, wait for what will end in time, give back the rest, and leave."""
        started = time.monotonic()
        self._killing = True
        self.tasks.stopping = True
        await self._pause()
        # Without a listener nothing can be given back.
        self.tasks.from_within = not self._status_code and await asyncio.to_thread(self._is_to_run)
        if self.tasks.from_within:
            LOGGER.error("ECS has not stopped this worker: one of its tasks has")
        paused = time.monotonic()
        given_back, waited = await self._empty(started + self._notice - MARGIN_SECONDS)
        await asyncio.sleep(max(paused + LINGER_SECONDS - time.monotonic(), 0))
        await self._flush()
        LOGGER.info(
            "stopped after %.1f s: %d tasks given back, %d ended",
            time.monotonic() - started,
            given_back,
            waited,
        )
        self._close_queues()
        if self._loop:
            self._loop.stop()

    async def _pause(self) -> None:
        """Have the engine send no more work: by its API, or else by closing the stream."""
        worker_id = self._worker_id()
        if worker_id is not None:
            try:
                await asyncio.wait_for(self._client.workers.aio_pause(worker_id), ANSWER_SECONDS)
            except Exception as error:  # Whatever it is, the tasks must still be given back.
                LOGGER.warning("the engine's API does not pause the worker: %s", type(error).__name__)
            else:
                return
        elif self._action_listener_process is not None:
            # It may yet register, and be given a task that nobody would know of.
            self._action_listener_process.kill()
        self._close_stream()

    def _close_stream(self) -> None:
        """Have the listener stop listening."""
        # In a thread: the call waits for the listener to wake, for ever if that has died.
        threading.Thread(target=self._stop_listener_event.set, daemon=True).start()

    async def _empty(self, deadline: float) -> tuple[int, int]:
        """Until no task runs; how many were given back, and how many were waited for."""
        given_back = 0
        running = len(self.tasks.running)
        # A task whose function has just returned is told of as ended, not given back.
        for _ in range(3):
            await asyncio.sleep(0)
        runner = self._runner
        while self.tasks.running and isinstance(runner, FleetRunner):
            for key, run in list(self.tasks.running.items()):
                if not self._is_awaited(run, deadline) and runner.give_back(key):
                    LOGGER.info("gives back %s/%s", run.action.action_id, run.action.step_run_id)
                    given_back += 1
            await asyncio.sleep(LOOK_SECONDS if any(map(self._is_listed, self.tasks.running)) else 0.01)
        if isinstance(runner, FleetRunner):
            await asyncio.to_thread(runner.outbox.settle, max(deadline - time.monotonic(), ANSWER_SECONDS))
        return given_back, max(running - given_back, 0)

    def _is_listed(self, key: str) -> bool:
        runner = self._runner
        return bool(runner and key in runner.tasks and key not in runner.cancellations)

    def _is_awaited(self, run: Running, deadline: float) -> bool:
        listening = self._action_listener_process is not None and self._action_listener_process.is_alive()
        if run.action.action_id in RESUMES or self._at_once or not listening:
            return False
        task = self._action_registry.get(run.action.action_id)
        now = time.monotonic()
        return worth_waiting(
            elapsed=now - run.since,
            left=deadline - now,
            typical=self.tasks.durations.typical(task_name(run.action)),
            limit=seconds_of(task.execution_timeout) if task else None,
        )

    async def _flush(self) -> None:
        """Have the listener stop listening, send what it has, and end."""
        self._close_stream()
        runner = self._runner
        until = time.monotonic() + BOUNCED_SECONDS
        while runner and runner.running_tasks and time.monotonic() < until:
            await asyncio.sleep(0.01)
        self._event_queue.put(STOP_LOOP)
        if self._action_listener_process is not None:
            await asyncio.to_thread(self._action_listener_process.join, ANSWER_SECONDS)
            self._action_listener_process.kill()

    @property
    def _runner(self) -> Runner | None:
        return self._action_runner.runner if self._action_runner else None

    def _worker_id(self) -> str | None:
        if self._registered_id is None:
            try:
                self._registered_id = self._worker_id_queue.get(timeout=0.5)
            except queue.Empty:
                return None
        return self._registered_id
