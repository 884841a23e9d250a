"""A client of a real engine: starts tasks by their names, and asks how they ended."""

from __future__ import annotations

import json
import time
from typing import Any

from hatchet_sdk.client import Client
from hatchet_sdk.clients.rest.models.v1_task_summary import V1TaskSummary
from hatchet_sdk.config import ClientConfig, ClientTLSConfig

from tests.support.hatchet.engine import Hatchet

ENDED = ("COMPLETED", "FAILED", "CANCELLED")


class Runs:
    """Runs of one engine."""

    def __init__(self, hatchet: Hatchet) -> None:
        self._client = Client(ClientConfig(token=hatchet.token, tls_config=ClientTLSConfig(strategy="none")))
        self._hatchet = hatchet

    def start(self, task: str, **given: object) -> str:
        """Start a task; its run's id."""
        spec = {"experiment_id": "e1", "sort_index": 0, **given}
        return self._client.admin.run_workflow(task, json.dumps(spec)).workflow_run_id

    def task(self, run: str) -> V1TaskSummary:
        """The run's task as it stands; raises while the engine does not know it yet."""
        return self._client.runs.get(run).tasks[0]

    def ended(self, run: str, seconds: float = 60) -> V1TaskSummary:
        """The run's task once it has ended."""
        until = time.monotonic() + seconds
        status = "unknown"
        while time.monotonic() < until:
            try:
                task = self.task(run)
            except Exception as error:  # The engine's history lags behind.
                status = type(error).__name__
            else:
                status = str(task.status.value)
                if status in ENDED:
                    return task
            time.sleep(0.1)
        raise AssertionError(f"run {run} is {status} after {seconds} s")

    def counts(self, run: str) -> tuple[int, int, int]:
        """The task's attempts beyond the first, those that were failures to the engine, and those that were not."""
        ((total, failed, internal),) = self._hatchet.query(
            "SELECT retry_count, app_retry_count, internal_retry_count "  # noqa: S608  # the engine's own id
            f"FROM v1_task WHERE workflow_run_id = '{run}'"
        )
        return int(total), int(failed), int(internal)

    def events(self, run: str) -> Any:
        """The task's history."""
        from scythe_worker.runner import history

        return list(history(self._client.config)(run))
