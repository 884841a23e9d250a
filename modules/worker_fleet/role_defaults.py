"""The size of a fleet that says nothing of it: the guide's for its role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modules.common.fargate import by_cpu, memory_for


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


def of_role(attribute: str) -> str:
    """A default as a Terraform expression over ``{role}``; null for a role that there is not."""
    values = ", ".join(f"{role} = {getattr(default, attribute):g}" for role, default in ROLE_DEFAULTS.items())
    return f"lookup({{ {values} }}, {{role}}, null)"


def memory_of_role() -> str:
    """The default of the memory as a Terraform expression over ``{role}`` and ``{cpu}``."""
    tables = ", ".join(f"{role} = {_memory(default.gib_per_cpu)}" for role, default in ROLE_DEFAULTS.items())
    return f"{{ {tables} }}[{{role}}][tostring({{cpu}})]"


def _memory(gib_per_cpu: float) -> str:
    return by_cpu(lambda cpu: f"{memory_for(cpu, gib_per_cpu):g}")
