"""ECS as workers and the backlog service see it: its agent in each task, the tasks' metadata, and two of its calls.

It refuses what ECS refuses. A protection that leaves more tasks protected than desired is ``DEPLOYMENT_BLOCKED``, and
``ExpiresInMinutes`` is from 1 to 2,880 (Amazon ECS Developer Guide, "Protect your Amazon ECS tasks from being terminated
by scale-in events"); a call for a task that ECS does not run is ``TASK_NOT_VALID`` ("Amazon ECS API failure reasons"). A
refused call leaves what is in force.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from threading import RLock
from typing import Any, Protocol

from scythe_worker.protection import MOST_MINUTES
from tests.support.serving import answering

ARN = "arn:aws:ecs:eu-west-1:123456789012"


@dataclass
class EcsTask:
    """A task, as ECS knows it.

    Attributes:
        id: of 32 hexadecimal digits.
        revision: of its task definition, and of its deployment.
        until: the moment of `time.monotonic` at which its protection ends.
    """

    id: str
    revision: int
    until: float = 0

    @property
    def is_protected(self) -> bool:
        """Whether ECS leaves it alone."""
        return time.monotonic() < self.until


class EcsService(Protocol):
    """A service, as far as ECS's answers go."""

    name: str
    desired: int
    revision: int

    def running(self) -> Iterable[EcsTask]:
        """Return the tasks that are to run on."""

    def created(self, revision: int) -> datetime:
        """Return when a deployment began."""


class Ecs:
    """The agent's and the control plane's answers.

    Attributes:
        address: of the agents and the metadata.
        asked: the protections that tasks have asked for: id, and minutes or None.
        refused: how many of them were refused, by the code.
        throttles: how many of the next calls are throttled.
    """

    def __init__(self, cluster: str, minute: float = 60.0) -> None:
        """Begin without services.

        Args:
            cluster: its name.
            minute: seconds of each of a protection's minutes.
        """
        self.cluster, self.address, self._minute = cluster, "", minute
        self.asked: list[tuple[str, int | None]] = []
        self.refused: Counter[str] = Counter()
        self.throttles = 0
        self._services: dict[str, EcsService] = {}
        self._lock = RLock()

    def add(self, service: EcsService) -> None:
        """Know a service from now on."""
        self._services[service.name] = service

    def variables(self, task: str) -> dict[str, str]:
        """What ECS sets in a task's containers."""
        return {
            "ECS_AGENT_URI": f"{self.address}/agent/{task}",
            "ECS_CONTAINER_METADATA_URI_V4": f"{self.address}/metadata/{task}",
        }

    def protect(self, id_: str, body: Any) -> tuple[int, dict[str, Any]]:
        """The agent's answer to a PUT of ``task-protection/v1/state``."""
        arn = f"{ARN}:task/{self.cluster}/{id_}"
        wanted, minutes = body.get("ProtectionEnabled"), body.get("ExpiresInMinutes", 120)
        with self._lock:
            self.asked.append((id_, minutes if wanted else None))
            if self.throttles:
                self.throttles -= 1
                return 400, self._error(arn, "ThrottlingException", "Rate exceeded")
            if type(wanted) is not bool or type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
                return 400, self._error(
                    arn, "InvalidParameterException", "expiresInMinutes must be 1 to 2880"
                )
            service, task = self._find(id_)
            if service is None or task is None:
                return 200, self._failure(arn, "TASK_NOT_VALID", "the task is not running")
            others = sum(other.is_protected for other in service.running() if other is not task)
            if wanted and others + 1 > service.desired:
                return 200, self._failure(arn, "DEPLOYMENT_BLOCKED", "more tasks protected than desired")
            task.until = time.monotonic() + minutes * self._minute if wanted else 0.0
            return 200, {"protection": {"ProtectionEnabled": wanted, "TaskArn": arn}}

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        """``DescribeServices``."""
        assert cluster == self.cluster and 1 <= len(services) <= 10
        with self._lock:
            known = [self._services[name] for name in services if name in self._services]
            return {"services": [self._described(service) for service in known]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        """``DescribeTasks``."""
        assert cluster == self.cluster and 1 <= len(tasks) <= 100
        with self._lock:
            found = [(id_, *self._find(id_)) for id_ in tasks]
            return {
                "tasks": [
                    {
                        "taskArn": f"{ARN}:task/{self.cluster}/{id_}",
                        "group": f"service:{service.name}",
                        "startedBy": _deployment(task.revision),
                        "desiredStatus": "RUNNING",
                    }
                    for id_, service, task in found
                    if service is not None and task is not None
                ]
            }

    def metadata(self, id_: str) -> dict[str, Any]:
        """What the metadata endpoint says of a task."""
        service, task = self._find(id_)
        if service is None or task is None:
            return {}
        return {
            "TaskARN": f"{ARN}:task/{self.cluster}/{id_}",
            "AvailabilityZone": "eu-west-1a",
            "ServiceName": service.name,
            "Family": service.name,
            "Revision": str(task.revision),
        }

    def _described(self, service: EcsService) -> dict[str, Any]:
        tasks = list(service.running())
        older = sorted({task.revision for task in tasks} - {service.revision}, reverse=True)
        return {
            "serviceName": service.name,
            "desiredCount": service.desired,
            "runningCount": len(tasks),
            "deployments": [
                {
                    "id": _deployment(revision),
                    "status": "ACTIVE" if place else "PRIMARY",
                    "taskDefinition": f"{ARN}:task-definition/{service.name}:{revision}",
                    "createdAt": service.created(revision),
                }
                for place, revision in enumerate([service.revision, *older])
            ],
        }

    def _find(self, id_: str) -> tuple[EcsService | None, EcsTask | None]:
        for service in self._services.values():
            for task in service.running():
                if task.id == id_:
                    return service, task
        return None, None

    def _failure(self, arn: str, reason: str, detail: str) -> dict[str, Any]:
        self.refused[reason] += 1
        return {"failure": {"Arn": arn, "Reason": reason, "Detail": detail}}

    def _error(self, arn: str, code: str, message: str) -> dict[str, Any]:
        self.refused[code] += 1
        return {"error": {"Arn": arn, "Code": code, "Message": message}}


def _deployment(revision: int) -> str:
    return f"ecs-svc/{revision:019}"


def now() -> datetime:
    """The time, as ECS tells it."""
    return datetime.now(UTC)


@contextmanager
def ecs(cluster: str, minute: float = 60.0) -> Iterator[Ecs]:
    """An ECS whose agents answer while the block lasts."""
    it = Ecs(cluster, minute)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            _, kind, id_, path = self.path.split("/", 3)
            valid = (kind, path) == ("agent", "task-protection/v1/state")
            self._answer(*(it.protect(id_, body) if valid else (404, {})))

        def do_GET(self) -> None:
            _, kind, id_, path = self.path.split("/", 3)
            valid = (kind, path) == ("metadata", "task")
            self._answer(*((200, it.metadata(id_)) if valid else (404, {})))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with answering(Handler) as port:
        it.address = f"http://127.0.0.1:{port}"
        yield it
