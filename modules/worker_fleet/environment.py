"""The plain environment of a worker's container, as Terraform expressions over a fleet's settings.

Every variable is one that scythe-engine 1.3.0 (``SCYTHE_WORKER_*``, ``SCYTHE_STORAGE_*``,
``SCYTHE_TIMEOUT_*``), hatchet-sdk (``HATCHET_CLIENT_*``), boto3 or `scythe_worker` reads. The token is
not among them: ECS reads it from Secrets Manager at each start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthesis.expression import Expression


def container_environment(
    fleet: Expression,
    *,
    worker_name: Expression | str,
    bucket: Expression | str,
    prefix: Expression | str,
    region: Expression | str,
    experiments_elsewhere: Expression | str,
) -> dict[str, str]:
    """The variables that a fleet's settings mean, each with the expression of its value.

    A value may be ``null``: that variable must be left out of the container's list, since an empty text is
    a value to scythe-engine (as a timeout, it would go to the engine as it is).

    Args:
        fleet: the fleet's settings (`FleetSettings`), such as ``local.workers.simulations``.
        worker_name: what Hatchet's dashboard calls the workers; they are many under one name.
        bucket: the name of the bucket of Scythe's specs, artifacts and results. Fan fleets need it too.
        prefix: what Scythe's keys in that bucket begin with, without a ``/`` at the end.
        region: the bucket's region. boto3 would ask us-east-1 without, past the VPC's S3 endpoint.
        experiments_elsewhere: list of the tasks that other fleets name as theirs.
    """
    timeouts = fleet.timeouts
    leaf = f'{fleet.role} == "leaf"'
    return {
        "AWS_DEFAULT_REGION": str(region),
        # ECS runs the health check inside of the container: nothing else need reach the SDK's server.
        "HATCHET_CLIENT_WORKER_HEALTHCHECK_BIND_ADDRESS": '"127.0.0.1"',
        "HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED": '"True"',
        "SCYTHE_STORAGE_BUCKET": str(bucket),
        "SCYTHE_STORAGE_BUCKET_PREFIX": str(prefix),
        "SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION": _optional(timeouts.experiment.execution),
        "SCYTHE_TIMEOUT_EXPERIMENT_SCHEDULE": _optional(timeouts.experiment.schedule),
        "SCYTHE_TIMEOUT_SCATTER_GATHER_EXECUTION": _optional(timeouts.scatter_gather.execution),
        "SCYTHE_TIMEOUT_SCATTER_GATHER_SCHEDULE": _optional(timeouts.scatter_gather.schedule),
        # scythe-engine has each of the two roles unless told otherwise.
        "SCYTHE_WORKER_DOES_FAN": _flag(f'{fleet.role} == "fan"'),
        "SCYTHE_WORKER_DOES_LEAF": _flag(leaf),
        "SCYTHE_WORKER_EXPERIMENTS": _names(f"{leaf} && {fleet.experiments} != null", fleet.experiments),
        "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE": _names(
            f"{leaf} && {fleet.experiments} == null && length({experiments_elsewhere}) > 0",
            experiments_elsewhere,
        ),
        "SCYTHE_WORKER_HIGH_CPU": _flag(fleet.high_cpu),
        "SCYTHE_WORKER_HIGH_MEMORY": _flag(fleet.high_memory),
        "SCYTHE_WORKER_NAME": str(worker_name),
        "SCYTHE_WORKER_SLOTS": f"tostring({fleet.slots})",
    }


def experiments_elsewhere(fleets: Expression, name: str) -> str:
    """The tasks that other fleets name as theirs, as the expression of a list.

    Args:
        fleets: the settings of all fleets, by name.
        name: the expression of the fleet's own.
    """
    return f"flatten([for other, its in {fleets} : its.experiments if other != {name} && its.experiments != null])"


def _flag(condition: Expression | str) -> str:
    return f'{condition} ? "True" : "False"'


def _names(condition: str, names: Expression | str) -> str:
    return f'{condition} ? join(",", {names}) : null'


def _optional(value: Expression) -> str:
    # A group of timeouts that is left out altogether is null, which has no attributes.
    return f"try({value}, null)"
