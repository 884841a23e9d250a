"""The plain environment of a worker's container.

Every variable is one that scythe-engine 1.3.0 (``SCYTHE_WORKER_*``, ``SCYTHE_STORAGE_*``,
``SCYTHE_TIMEOUT_*``), hatchet-sdk (``HATCHET_CLIENT_*``), boto3 or `scythe_worker` reads. The token is
not among them: ECS reads it from Secrets Manager at each start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.worker_fleet.settings import FleetSettings
from synthesis.functions import attempt, choose, is_set, length, not_, to_text
from synthesis.lists import collect_entries, flatten, join


def container_environment(
    fleet: FleetSettings,
    *,
    worker_name: str,
    bucket: object,
    prefix: object,
    region: object,
    experiments_elsewhere: list[str],
) -> dict[str, Any]:
    """The variables that a fleet's settings mean.

    A value may be ``null``: that variable must be left out of the container's list, since an empty text is
    a value to scythe-engine (as a timeout, it would go to the engine as it is).

    Args:
        fleet: the fleet's settings.
        worker_name: what Hatchet's dashboard calls the workers; they are many under one name.
        bucket: the name of the bucket of Scythe's specs, artifacts and results. Fan fleets need it too.
        prefix: what Scythe's keys in that bucket begin with, without a ``/`` at the end.
        region: the bucket's region. boto3 would ask us-east-1 without, past the VPC's S3 endpoint.
        experiments_elsewhere: list of the tasks that other fleets name as theirs.
    """
    timeouts = fleet.timeouts
    is_leaf, names_its_own = fleet.role == "leaf", is_set(fleet.experiments)
    leaves_some = is_leaf & not_(names_its_own) & (length(experiments_elsewhere) > 0)
    variables = {
        "AWS_DEFAULT_REGION": region,
        # ECS runs the health check inside of the container: nothing else need reach the SDK's server.
        "HATCHET_CLIENT_WORKER_HEALTHCHECK_BIND_ADDRESS": "127.0.0.1",
        "HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED": "True",
        "SCYTHE_STORAGE_BUCKET": bucket,
        "SCYTHE_STORAGE_BUCKET_PREFIX": prefix,
        # A group of timeouts that is left out altogether is null, which has no attributes.
        "SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION": attempt(lambda: timeouts.experiment.execution, None),
        "SCYTHE_TIMEOUT_EXPERIMENT_SCHEDULE": attempt(lambda: timeouts.experiment.schedule, None),
        "SCYTHE_TIMEOUT_SCATTER_GATHER_EXECUTION": attempt(lambda: timeouts.scatter_gather.execution, None),
        "SCYTHE_TIMEOUT_SCATTER_GATHER_SCHEDULE": attempt(lambda: timeouts.scatter_gather.schedule, None),
        # scythe-engine has each of the two roles unless told otherwise.
        "SCYTHE_WORKER_DOES_FAN": _flag(fleet.role == "fan"),
        "SCYTHE_WORKER_DOES_LEAF": _flag(is_leaf),
        "SCYTHE_WORKER_EXPERIMENTS": _names(is_leaf & names_its_own, fleet.experiments),
        "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE": _names(leaves_some, experiments_elsewhere),
        "SCYTHE_WORKER_HIGH_CPU": _flag(fleet.high_cpu),
        "SCYTHE_WORKER_HIGH_MEMORY": _flag(fleet.high_memory),
        "SCYTHE_WORKER_NAME": worker_name,
        "SCYTHE_WORKER_SLOTS": to_text(fleet.slots),
    }
    return {name: value for name, value in variables.items() if value is not None}


def experiments_elsewhere(fleets: Mapping[str, FleetSettings], name: str) -> list[str]:
    """The tasks that other fleets name as theirs.

    Args:
        fleets: the settings of all fleets, by name.
        name: the fleet's own.
    """
    named: list[str] = flatten(
        collect_entries(
            fleets,
            lambda _, settings: settings.experiments,
            lambda other, settings: (other != name) & is_set(settings.experiments),
        )
    )
    return named


def _flag(condition: bool) -> str:
    said: str = choose(condition, "True", "False")
    return said


def _names(condition: bool, names: list[str] | None) -> str | None:
    said: str | None = choose(condition, join(",", names), None)
    return said
