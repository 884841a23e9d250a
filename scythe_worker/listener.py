"""The process that hatchet-sdk listens and reports from, beside the one that runs the simulations."""

from __future__ import annotations

import dataclasses
import time
from multiprocessing.connection import Connection
from typing import Any

from hatchet_sdk.clients.dispatcher import action_listener
from hatchet_sdk.contracts.dispatcher_pb2 import STEP_EVENT_TYPE_ACKNOWLEDGED, STEP_EVENT_TYPE_STARTED
from hatchet_sdk.runnables.action import ActionType
from hatchet_sdk.worker import action_listener_process
from hatchet_sdk.worker.action_listener_process import (
    ActionEvent,
    HealthStatus,
    QueuedBatchActionEvent,
    WorkerActionListenerProcess,
)

from scythe_worker import logs, notice

RECONNECTS = 1000
"""hatchet-sdk stops listening after 15, a minute's absence of the engine, and is deaf from then on."""


HEARTBEAT_SECONDS = 60.0
"""The longest time without a heartbeat that went out: hatchet-sdk sends one each 4 s, so something holds this process up."""


class FleetListener(WorkerActionListenerProcess):
    """hatchet-sdk's, healthy as long as it gets work, however busy the worker is."""

    def _compute_health(self) -> HealthStatus:
        # The SDK also fails while a task waits for its turn of the worker's interpreter, and while this process
        # waits for the CPU: a simulation in each slot does both.
        self._waiting_steps_blocked_since = None
        self._event_loop_blocked_since = None
        if any(
            task is not None and task.done() for task in (self.action_loop_task, self.event_send_loop_task)
        ):
            return HealthStatus.UNHEALTHY
        health = super()._compute_health()
        if health == HealthStatus.HEALTHY and self.listener is not None:
            beaten = self.listener.time_last_hb_succeeded or 0.0
            return health if time.time() - beaten < HEARTBEAT_SECONDS else HealthStatus.UNHEALTHY
        return health

    async def send_event(self, event: ActionEvent | QueuedBatchActionEvent, retry_attempt: int = 1) -> None:
        """Tell the engine what happens to a task: that it is here, and only then that it has begun.

        hatchet-sdk says twice that it has begun. A task may wait for its turn (`scythe_worker.lost`), and the history
        must tell whether it ran when its worker was lost.
        """
        if (
            isinstance(event, ActionEvent)
            and event.action.action_type == ActionType.START_STEP_RUN
            and event.type == STEP_EVENT_TYPE_STARTED
            and event.action.step_run_id not in self.running_step_runs
        ):
            self.running_step_runs[event.action.step_run_id] = self.now()
            event = dataclasses.replace(event, type=STEP_EVENT_TYPE_ACKNOWLEDGED)
        await super().send_event(event, retry_attempt)

    async def start_blocked_main_loop(self) -> None:
        """Say nothing each second that a task waits for its turn."""


def run(signals: Connection | None, seconds: float, *arguments: Any) -> None:
    """What the process runs.

    Args:
        signals: tells of the worker's signals (`scythe_worker.notice`).
        seconds: from SIGTERM to the kill.
        *arguments: hatchet-sdk's own.
    """
    logs.start()
    if signals is not None:
        notice.watch(signals, seconds)
    logs.take_over_hatchets()
    action_listener.DEFAULT_ACTION_LISTENER_RETRY_COUNT = RECONNECTS
    action_listener_process.WorkerActionListenerProcess = FleetListener  # type: ignore[misc]
    action_listener_process.worker_action_listener_process(*arguments)
