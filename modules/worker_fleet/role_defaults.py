"""The size of a fleet that says nothing of it: the guide's for its role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

from modules.common.fargate import MEMORY_GIB, memory_for
from synthesis.lists import at, lookup


@dataclass(frozen=True)
class RoleDefaults:
    """The defaults of a role.

    Attributes:
        cpu: vCPU of a task.
        gib_per_cpu: GiB for each of them.
        slots: Hatchet tasks of a worker.
        most_tasks: tasks of a fleet.
    """

    cpu: float
    gib_per_cpu: float
    slots: int
    most_tasks: int


ROLE_DEFAULTS: Mapping[str, RoleDefaults] = {
    "leaf": RoleDefaults(cpu=2, gib_per_cpu=4, slots=1, most_tasks=100),
    "fan": RoleDefaults(cpu=4, gib_per_cpu=6, slots=4, most_tasks=10),
}


def of_role(role: str) -> Any:
    """The defaults of a role; each is null for a role that there is not."""
    return SimpleNamespace(
        **{
            field.name: lookup(
                {name: getattr(default, field.name) for name, default in ROLE_DEFAULTS.items()}, role, None
            )
            for field in fields(RoleDefaults)
        }
    )


def memory_of_role(role: str, cpu: float) -> Any:
    """The default of the memory: the smallest with the role's GiB for each vCPU."""
    tables = {
        name: {size: memory_for(size, default.gib_per_cpu) for size in MEMORY_GIB}
        for name, default in ROLE_DEFAULTS.items()
    }
    return at(at(tables, role), cpu)
