"""The process that hatchet-sdk listens and reports from, beside the one that runs the simulations."""

from __future__ import annotations

from typing import Any

from hatchet_sdk.clients.dispatcher import action_listener
from hatchet_sdk.worker import action_listener_process
from hatchet_sdk.worker.action_listener_process import HealthStatus, WorkerActionListenerProcess

from scythe_worker import logs

RECONNECTS = 1000
"""hatchet-sdk stops listening after 15, a minute's absence of the engine, and is deaf from then on."""


class FleetListener(WorkerActionListenerProcess):
    """hatchet-sdk's, healthy as long as it gets work, however busy the worker is."""

    def _compute_health(self) -> HealthStatus:
        # The SDK also fails while a task waits for its turn of the worker's interpreter, and while this process
        # waits for the CPU: a simulation in each slot does both.
        self._waiting_steps_blocked_since = None
        self._event_loop_blocked_since = None
        if self.action_loop_task is not None and self.action_loop_task.done():
            return HealthStatus.UNHEALTHY
        return super()._compute_health()

    async def start_blocked_main_loop(self) -> None:
        """Say nothing each second that a task waits for its turn."""


def run(*arguments: Any) -> None:
    """What the process runs; the arguments are hatchet-sdk's own."""
    logs.start()
    logs.take_over_hatchets()
    action_listener.DEFAULT_ACTION_LISTENER_RETRY_COUNT = RECONNECTS
    action_listener_process.WorkerActionListenerProcess = FleetListener  # type: ignore[misc]
    action_listener_process.worker_action_listener_process(*arguments)
