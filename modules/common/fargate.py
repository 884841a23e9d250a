"""The sizes that Fargate has."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from synthesis.functions import contains
from synthesis.lists import lookup
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


def fargate_pair() -> CrossRule:
    """Memory that Fargate has for the cpu."""
    words = {cpu: memory_words(cpu) for cpu in MEMORY_GIB}
    return CrossRule(
        ("memory",),
        lambda it: (
            f"got {it.memory:g} GiB with cpu {it.cpu:g}, for which Fargate has {lookup(words, it.cpu, '')}; "
            "must be a size that Fargate has for the cpu"
        ),
        # What a cpu that there is not goes with is no question.
        lambda it: contains(lookup(MEMORY_GIB, it.cpu, [it.memory]), it.memory),
    )
