"""What one can choose about a fleet of workers: the keys below ``workers.<name>:``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from modules.common.fargate import MEMORY_GIB, fargate_pair
from modules.common.key_settings import key_arn
from modules.worker_fleet.environment_size import environment_fits
from modules.worker_fleet.role_defaults import memory_of_role, of_role
from modules.worker_fleet.scaling import Capacity, Scaling
from synthesis.allowed import duration, each, flag, matching, number, one_of, text, whole
from synthesis.functions import is_null, length, not_
from synthesis.left_open import LeftOpen
from synthesis.lists import has_key
from synthesis.rules import CrossRule, ItemRule, Settings
from synthesis.secret_values import keeps_secret

RESERVED_NAMES = matching(
    r"(?i:^(SCYTHE_|HATCHET_|ECS_|AWS_(CONTAINER_|EXECUTION_ENV$|(DEFAULT_)?REGION$)|HOME$|TMPDIR$))",
    "set by scythe-aws",
)
"""Environment variables that the deployment or Fargate sets, in any case: pydantic-settings reads them so."""

NO_IMAGE_TAG = "none-pushed-yet"
"""What a task definition names while there is no image; the fleet is held at 0 tasks then."""

VARIABLE = matching("^[A-Za-z_][A-Za-z0-9_]{0,127}$", "a variable's name of letters, digits and _")
IMAGE = matching(
    r"^[a-z0-9][a-z0-9._:/-]{0,254}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
    "an image's URI with a digest (...@sha256:<64 hex digits>) or a tag other than latest",
    unless=r":latest(@.*)?$",
)
SECRET_ARN = matching(
    r"^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@:-]+"
    r"|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]+)$",
    "the ARN of a secret of Secrets Manager or of a parameter of Systems Manager",
)
TASK_NAME = matching(
    "^[A-Za-z0-9_.:-]{1,200}$",
    "a task's name such as scythe_experiment_annual (scatter_gather is the fan fleets')",
    unless="^scythe_scatter_gather$",
)


class ScatterGatherTimeouts(Settings):
    """How long a scatter_gather task may wait and run; scythe-engine's own defaults."""

    schedule: Annotated[str, duration()] = Field(
        default="1h", description="How long it may wait for a worker."
    )
    execution: Annotated[str, duration()] = Field(default="1h", description="How long it may run.")


class ExperimentTimeouts(Settings):
    """How long a simulation may wait and run; scythe-engine's own defaults."""

    schedule: Annotated[str, duration()] = Field(
        default="1h", description="How long it may wait for a worker."
    )
    execution: Annotated[str, duration()] = Field(
        default="1m", description="How long it may run. A simulation of more than a minute needs more."
    )


class Timeouts(Settings):
    """Hatchet's timeouts of Scythe's tasks."""

    scatter_gather: ScatterGatherTimeouts = Field(
        default=ScatterGatherTimeouts(), description="Of the tasks that share out and gather."
    )
    experiment: ExperimentTimeouts = Field(default=ExperimentTimeouts(), description="Of the simulations.")


def _not_reserved(key: str) -> ItemRule:
    return ItemRule(
        key,
        "is set by scythe-aws or Fargate; must be another name",
        lambda _, name, __: not_(RESERVED_NAMES.check(name)),
    )


class FleetSettings(Settings):
    """An autoscaling fleet of Scythe workers on Fargate."""

    role: Annotated[str, one_of("leaf", "fan")] = Field(
        description="leaf runs simulations; fan shares them out and gathers their results."
    )
    cpu: Annotated[float, one_of(*MEMORY_GIB)] = Field(
        default=2, description="vCPU of a task. Default: 2 for a leaf fleet, 4 for a fan fleet."
    )
    memory: Annotated[float, number(0.5, 120)] = Field(
        default=8,
        description="GiB of a task, one that Fargate has for its cpu. Default: 4 GiB per vCPU for a leaf fleet, "
        "6 for a fan fleet.",
    )
    architecture: Annotated[str, one_of("x86_64", "arm64")] = Field(
        default="x86_64", description="What the image is built for; arm64 is about 20 % cheaper."
    )
    slots: Annotated[int, whole(1, 1000)] = Field(
        default=1,
        description="Hatchet tasks that a worker runs at a time. Default: 1 for a leaf fleet, 4 for a fan fleet.",
    )
    high_memory: Annotated[bool, flag()] = Field(
        default=False, description="Whether the workers take experiments that ask for the label high_memory."
    )
    high_cpu: Annotated[bool, flag()] = Field(
        default=False, description="Whether the workers take experiments that ask for the label high_cpu."
    )
    experiments: Annotated[list[str], each(TASK_NAME, 1, 100, what="task names")] | None = Field(
        default=None,
        description="The tasks that a leaf fleet runs and scales on. Default: all that no other fleet names.",
    )
    capacity: Capacity = Field(
        default=Capacity(),
        description="Spot and on-demand. Changing it deploys anew. In Terraform, a plan must know the weights.",
    )
    scaling: Scaling = Field(default=Scaling(), description="Between how many tasks the autoscaler chooses.")
    ephemeral_storage_gb: Annotated[int, whole(21, 200)] = Field(
        default=21,
        description="GiB of disk per task, the image included. 20 are free, the rest $0.0001 an hour each.",
    )
    environment: dict[Annotated[str, VARIABLE], Annotated[str, text(shortest=0)]] = Field(
        default={},
        max_length=100,
        description="Further environment variables of the container, of 30,000 bytes at most; no secrets.",
    )
    secrets: dict[Annotated[str, VARIABLE], Annotated[str, SECRET_ARN]] = Field(
        default={},
        max_length=50,
        description="Environment variables whose values ECS reads, by ARN, at each start.",
    )
    secrets_key_arns: Annotated[list[str], each(key_arn(), 0, 20, what="KMS keys")] = Field(
        default=[],
        description="The KMS keys that encrypt what secrets names. Default: AWS's own keys.",
    )
    timeouts: Timeouts = Field(default=Timeouts(), description="Hatchet's timeouts of Scythe's tasks.")
    exec: Annotated[bool, flag()] = Field(
        default=False,
        description="Whether ECS Exec may open a shell in a task; then its root file system is writable.",
    )
    image: Annotated[str, IMAGE] | None = Field(
        default=None, description="The worker image. Default: the environment's."
    )

    rules: ClassVar[tuple[CrossRule | ItemRule, ...]] = (
        fargate_pair(),
        environment_fits(),
        CrossRule(
            ("experiments",),
            "does not go with role: fan, which runs scatter_gather alone; leave it out or make the fleet a leaf",
            lambda it: (it.role != "fan") | is_null(it.experiments),
        ),
        CrossRule(
            ("secrets_key_arns",),
            "is for the keys of what secrets names; leave it out or name secrets",
            lambda it: (length(it.secrets) > 0) | (length(it.secrets_key_arns) == 0),
        ),
        ItemRule(
            "environment",
            "looks like a secret's value (not shown); must be kept in Secrets Manager and named by its ARN below secrets",
            lambda _, name, value: not_(keeps_secret(name, value)),
        ),
        _not_reserved("environment"),
        _not_reserved("secrets"),
        ItemRule(
            "secrets",
            "stands below environment too; must stand below one of them",
            lambda it, name, _: not_(has_key(it.environment, name)),
        ),
    )
    left_open: ClassVar[Mapping[str, LeftOpen]] = {
        "cpu": lambda it: of_role(it.role).cpu,
        "memory": lambda it: memory_of_role(it.role, it.cpu),
        "slots": lambda it: of_role(it.role).slots,
    }
