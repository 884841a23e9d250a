"""How many tasks a fleet has, when, and of what capacity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from modules.worker_fleet.role_defaults import of_role
from modules.worker_fleet.schedules import moment, schedule_expression, time_zone
from synthesis.allowed import whole
from synthesis.functions import beyond_terraform, choose, is_null
from synthesis.left_open import LeftOpen
from synthesis.lists import collect, is_distinct
from synthesis.rules import CrossRule, Settings

MOST_TASKS = 5000
"""Tasks per service (Amazon ECS Developer Guide, "Amazon ECS service quotas")."""

MOST_SCHEDULES = 20
"""Schedules of a fleet. Each has a place of its own in the chain of changes to the fleet's scalable target."""


FALLBACK = "-on-demand"
"""The end of the name of the service that stands in for a fleet while Spot has no capacity."""


class Fallback(Settings):
    """On-demand tasks in place of Spot tasks that Fargate has no capacity for."""

    max: Annotated[int, whole(1, MOST_TASKS)] = Field(
        description="The most on-demand tasks that stand in, beside the fleet's own max."
    )
    minutes: Annotated[int, whole(3, 60)] = Field(
        default=5,
        description="How long Spot tasks must have been missing. Starting takes one or two minutes anyway.",
    )


class Capacity(Settings):
    """How tasks are shared between Spot and on-demand capacity."""

    spot: Annotated[int, whole(0, 1000)] = Field(
        default=1,
        description="The weight of Fargate Spot, up to 70 % cheaper and taken back with two minutes' notice. "
        "Default: 1, or 0 where on_demand has a weight.",
    )
    on_demand: Annotated[int, whole(0, 1000)] = Field(
        default=0, description="The weight of on-demand capacity."
    )
    on_demand_base: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=0, description="So many tasks run on demand before the weights count."
    )
    fallback: Fallback | None = Field(
        default=None,
        description="On-demand tasks, in a service of their own, for as long as Spot has no capacity. Default: none.",
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        CrossRule(
            ("spot",),
            "and on_demand are both 0; must not be, for ECS starts no task without a weight",
            lambda it: (it.spot != 0) | (it.on_demand != 0),
        ),
        CrossRule(
            ("fallback",),
            "stands in for Spot tasks, and spot is 0; leave out fallback or give spot a weight",
            lambda it: is_null(it.fallback) | (it.spot > 0),
        ),
        # A provider of weight 0 places no tasks (Amazon ECS API Reference, CapacityProviderStrategyItem).
        CrossRule(
            ("on_demand_base",),
            "needs a weight, and on_demand is 0; give on_demand a weight or leave out on_demand_base",
            lambda it: (it.on_demand_base == 0) | (it.on_demand > 0),
        ),
    )

    left_open: ClassVar[Mapping[str, LeftOpen]] = {"spot": lambda it: choose(it.on_demand > 0, 0, 1)}


LEAST_BELOW_MOST = CrossRule(
    ("min",),
    lambda it: f"is over max: got {it.min} and {it.max}; must be at most max",
    lambda it: it.min <= it.max,
)


class Schedule(Settings):
    """Another minimum and maximum for some time; its end restores the fleet's own."""

    start: Annotated[str, schedule_expression()] = Field(description="When it begins.")
    end: Annotated[str, schedule_expression()] = Field(description="When it ends.")
    min: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=0, description="The fewest tasks meanwhile. Default: the fleet's own."
    )
    max: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=0, description="The most tasks meanwhile. Default: the fleet's own."
    )
    timezone: Annotated[str, time_zone()] = Field(
        default="UTC", description="The time zone of start and end."
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        LEAST_BELOW_MOST,
        CrossRule(
            ("end",),
            "does not come after start; must be another time than start, and of two dates the later",
            lambda it: (it.start != it.end) & beyond_terraform(_ends_later, it.start, it.end),
        ),
    )

    left_open: ClassVar[Mapping[str, LeftOpen]] = {"min": lambda it: it.min, "max": lambda it: it.max}


class Scaling(Settings):
    """Between how many tasks the autoscaler chooses."""

    min: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=0, description="The fewest tasks: with 0 an idle fleet costs nothing."
    )
    max: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=100,
        description="The most tasks. Default: 100 for a leaf fleet, 10 for a fan fleet. "
        "In Terraform, a plan must know it: alarms are made for it.",
    )
    quiet_minutes: Annotated[int, whole(1, 60)] = Field(
        default=2,
        description="Minutes without anything to do after which the last tasks are stopped. A new start costs a task "
        "about one.",
    )
    schedule: list[Schedule] = Field(
        default=[], max_length=MOST_SCHEDULES, description="Times with another min and max."
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        LEAST_BELOW_MOST,
        CrossRule(
            ("schedule",),
            "has two schedules with one start; must have each start once",
            lambda it: is_distinct(collect(it.schedule, lambda item: (item.start, item.timezone))),
        ),
    )

    left_open: ClassVar[Mapping[str, LeftOpen]] = {"max": lambda it: of_role(it.role).most_tasks}


def _ends_later(start: str, end: str) -> bool:
    first, last = moment(start), moment(end)
    return first is None or last is None or first < last
