"""What a worker is called, and its labels: by the ECS task that it is, where it is one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http.client import HTTPException

from scythe_worker.link_local import open_directly

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
"""Set by ECS (Developer Guide, "Amazon ECS task metadata endpoint version 4 for tasks on Fargate")."""

SECONDS = 2
AGAIN_SECONDS = 1.0
LARGEST = 1_000_000

SERVICE, DEFINITION = "ecs_service", "ecs_task_definition"
"""Labels by which the backlog service finds the workers of a superseded deployment (`scythe_worker.rollout`)."""


def worker_name(environment: Mapping[str, str], fleet: str) -> str:
    """The fleet's name with the task's id and place, such as ``docs-simulations-0a1b...-eu-west-1a``.

    The fleet's alone outside of ECS, and where the metadata do not answer: a name is not worth a worker.

    Args:
        environment: this container's.
        fleet: what all workers of the fleet share.
    """
    task = _task(environment.get(METADATA, ""))
    parts = (
        str(task.get("TaskARN") or "").rpartition("/")[2],
        task.get("AvailabilityZone"),
        # Not among what Fargate documents today, which promises that fields may be added.
        task.get("CapacityProviderName") or task.get("CapacityProvider"),
    )
    return "-".join([fleet, *(str(part) for part in parts if part)])


def worker_labels(environment: Mapping[str, str]) -> dict[str, str]:
    """The task's service and task definition, such as ``docs-simulations:12``; without those that ECS does not tell.

    Amazon ECS Developer Guide, "Amazon ECS task metadata v4 JSON response for tasks on Fargate".
    """
    task = _task(environment.get(METADATA, ""))
    service, family, revision = (str(task.get(key) or "") for key in ("ServiceName", "Family", "Revision"))
    labels = {SERVICE: service, DEFINITION: f"{family}:{revision}" if family and revision else ""}
    return {key: value for key, value in labels.items() if value}


def is_to_run(environment: Mapping[str, str]) -> bool:
    """Whether ECS wants this task to run on; False where no metadata says it.

    ECS's agent notes that a task is to be ``STOPPED`` before its containers get SIGTERM (amazon-ecs-agent,
    ``handleDesiredStatusChange``), so a SIGTERM while it is to run comes from the task's own processes. It is asked
    twice, in case another agent is slower.
    """
    address = environment.get(METADATA, "")
    if _task(address).get("DesiredStatus") != "RUNNING":
        return False
    time.sleep(AGAIN_SECONDS)
    return _task(address).get("DesiredStatus") == "RUNNING"


def _task(address: str) -> dict[str, object]:
    if not address.startswith("http://"):
        return {}
    try:
        with open_directly(f"{address}/task", SECONDS) as response:
            task = json.loads(response.read(LARGEST))
    except (HTTPException, OSError, ValueError, RecursionError):
        return {}
    return task if isinstance(task, dict) else {}
