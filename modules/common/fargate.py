"""The sizes that Fargate has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from synthesis.rules import CrossRule

MEMORY_GIB: Mapping[float, tuple[float, ...]] = {
    0.25: (0.5, 1, 2),
    0.5: tuple(range(1, 5)),
    1: tuple(range(2, 9)),
    2: tuple(range(4, 17)),
    4: tuple(range(8, 31)),
    8: tuple(range(16, 61, 4)),
    16: tuple(range(32, 121, 8)),
}
"""The memory in GiB that a task of so many vCPU can have.

Amazon ECS Developer Guide, "Troubleshoot Amazon ECS task definition invalid CPU or memory errors".
"""


def memory_for(cpu: float, gib_per_cpu: float) -> float:
    """The smallest memory of that many vCPU with at least so many GiB for each."""
    wanted = Fraction(cpu) * Fraction(gib_per_cpu)
    return next(memory for memory in MEMORY_GIB[cpu] if memory >= wanted)


def memory_words(cpu: float) -> str:
    """The memory that so many vCPU can have, in words."""
    sizes = MEMORY_GIB[cpu]
    steps = {later - earlier for earlier, later in pairwise(sizes)}
    if len(steps) == 1:
        return f"{sizes[0]} to {sizes[-1]} in steps of {steps.pop()}"
    return ", ".join(map(str, sizes))


def by_cpu(value: Callable[[float], str]) -> str:
    """A Terraform map from each cpu that there is, as text, to an expression."""
    return "{ " + ", ".join(f'"{cpu:g}" = {value(cpu)}' for cpu in MEMORY_GIB) + " }"


def fargate_pair() -> CrossRule:
    """Memory that Fargate has for the cpu."""

    def message(settings: Any) -> str:
        words = memory_words(settings.cpu)
        return f"got {settings.memory:g} with cpu {settings.cpu:g}; must be {words} ({_WHAT})"

    sizes = by_cpu(lambda cpu: f"[{', '.join(map(str, MEMORY_GIB[cpu]))}]")
    words = by_cpu(lambda cpu: f'"{memory_words(cpu)}"')
    return CrossRule(
        ("memory",),
        message,
        lambda settings: settings.memory in MEMORY_GIB[settings.cpu],
        # What a cpu that there is not goes with is no question.
        f"contains(lookup({sizes}, tostring({{cpu}}), [{{memory}}]), {{memory}})",
        f'must be ${{lookup({words}, tostring({{cpu}}), "")}} ({_WHAT})',
    )


_WHAT = "GiB, what Fargate has for it"
