"""As much of a Hatchet engine as a worker needs to register, to be given one task, and to report on it.

It speaks hatchet-sdk's own protocol, with its generated messages; there is no queue, and no REST API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue
from typing import Any

import grpc  # type: ignore[import-untyped]
from hatchet_sdk.contracts import dispatcher_pb2 as messages
from hatchet_sdk.contracts.v1 import workflows_pb2

ENDS = (messages.STEP_EVENT_TYPE_COMPLETED, messages.STEP_EVENT_TYPE_FAILED)


class Engine:
    """Notes what workers send; `give` has a task run.

    Attributes:
        port: where it listens, on loopback and without TLS.
        workflows: the workflows that workers have put, in order.
        registered: each worker's registration.
        ended: for each task that has ended, the event's name and payload.
    """

    def __init__(self, server: Any) -> None:
        """Serve on a port of its own."""
        self._server = server
        self.workflows: list[Any] = []
        self.registered: Queue[Any] = Queue()
        self.ended: Queue[tuple[str, str]] = Queue()
        self._actions: Queue[Any] = Queue()
        dispatcher = {
            "GetVersion": _answers(messages.GetVersionRequest, self._version),
            "Heartbeat": _answers(messages.HeartbeatRequest, lambda request: messages.HeartbeatResponse()),
            "ListenV2": _handler(
                grpc.unary_stream_rpc_method_handler, messages.WorkerListenRequest, self._assigned
            ),
            "Register": _answers(messages.WorkerRegisterRequest, self._register),
            "SendStepActionEvent": _answers(messages.StepActionEvent, self._event),
        }
        admin = {"PutWorkflow": _answers(workflows_pb2.CreateWorkflowVersionRequest, self._put)}
        for service, methods in (("Dispatcher", dispatcher), ("v1.AdminService", admin)):
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        self.port: int = server.add_insecure_port("127.0.0.1:0")

    def give(self, action_id: str, payload: Mapping[str, object], task_run: str = "task-run") -> None:
        """Assign a task's run to the worker that listens."""
        self._actions.put(
            messages.AssignedAction(
                tenant_id="tenant",
                workflow_run_id="run",
                job_id="job",
                job_run_id="job-run",
                task_id="task",
                task_run_external_id=task_run,
                action_id=action_id,
                task_name=action_id.split(":")[1],
                action_type=messages.START_STEP_RUN,
                action_payload=json.dumps({"input": payload}),
            )
        )

    def close(self) -> None:
        """Let the listening worker's stream end."""
        self._actions.put(None)

    def stop(self) -> None:
        """Be gone, as an engine that is stopped."""
        self.close()
        self._server.stop(grace=None).wait()

    def _put(self, request: Any) -> Any:
        self.workflows.append(request)
        return workflows_pb2.CreateWorkflowVersionResponse(id="version", workflow_id="workflow")

    def _version(self, request: Any) -> Any:
        return messages.GetVersionResponse(version="v0.104.7")

    def _register(self, request: Any) -> Any:
        self.registered.put(request)
        return messages.WorkerRegisterResponse(tenant_id="tenant", worker_id="worker", worker_name="worker")

    def _assigned(self, request: Any) -> Iterator[Any]:
        while (action := self._actions.get()) is not None:
            yield action

    def _event(self, request: Any) -> Any:
        if request.event_type in ENDS:
            self.ended.put((messages.StepActionEventType.Name(request.event_type), request.event_payload))
        return messages.ActionEventResponse(tenant_id="tenant", worker_id="worker")


def _handler(kind: Callable[..., Any], request: Any, behave: Callable[[Any], Any]) -> Any:
    return kind(
        lambda message, context: behave(message),
        request_deserializer=request.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )


def _answers(request: Any, behave: Callable[[Any], Any]) -> Any:
    return _handler(grpc.unary_unary_rpc_method_handler, request, behave)


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine that runs until the block ends."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    it = Engine(server)
    server.start()
    try:
        yield it
    finally:
        it.stop()
