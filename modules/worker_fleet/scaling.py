"""How many tasks a fleet has, when, and of what capacity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from modules.worker_fleet.role_defaults import of_role
from modules.worker_fleet.schedules import moment, schedule_expression, time_zone
from synthesis.allowed import whole
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
        "Left out: 1, or 0 where on_demand has a weight.",
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
            lambda settings: settings.spot + settings.on_demand > 0,
            "{spot} != 0 || {on_demand} != 0",
        ),
        CrossRule(
            ("fallback",),
            "stands in for Spot tasks, and spot is 0; leave out fallback or give spot a weight",
            lambda settings: settings.fallback is None or settings.spot > 0,
            "{spot} > 0 ? true : {fallback} == null",
        ),
        # A provider of weight 0 places no tasks (Amazon ECS API Reference, CapacityProviderStrategyItem).
        CrossRule(
            ("on_demand_base",),
            "needs a weight, and on_demand is 0; give on_demand a weight or leave out on_demand_base",
            lambda settings: settings.on_demand_base == 0 or settings.on_demand > 0,
            "{on_demand} > 0 || {on_demand_base} == 0",
        ),
    )

    left_open: ClassVar[Mapping[str, str]] = {"spot": "{on_demand} > 0 ? 0 : 1"}

    @model_validator(mode="before")
    @classmethod
    def _leave_spot_to_itself(cls, data: Any) -> Any:
        if isinstance(data, dict) and "spot" not in data and data.get("on_demand", 0) != 0:
            return {"spot": 0, **data}
        return data


def _least_below_most() -> CrossRule:
    return CrossRule(
        ("min",),
        lambda settings: f"is over max: got {settings.min} and {settings.max}; must be at most max",
        lambda settings: settings.min <= settings.max,
        "{min} <= {max}",
        "is over max: got ${{min}} and ${{max}}; must be at most max",
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
        _least_below_most(),
        CrossRule(
            ("end",),
            "does not come after start; must be another time than start, and of two dates the later",
            lambda settings: _ends_later(settings.start, settings.end),
            "{start} != {end}",
        ),
    )

    left_open: ClassVar[Mapping[str, str]] = {"min": "{min}", "max": "{max}"}


class Scaling(Settings):
    """Between how many tasks the autoscaler chooses."""

    min: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=0, description="The fewest tasks: with 0 an idle fleet costs nothing."
    )
    max: Annotated[int, whole(0, MOST_TASKS)] = Field(
        default=100, description="The most tasks. Left out: 100 for a leaf fleet, 10 for a fan fleet."
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
        _least_below_most(),
        CrossRule(
            ("schedule",),
            "has two schedules with one start; must have each start once",
            lambda settings: (
                len({(item.start, item.timezone) for item in settings.schedule}) == len(settings.schedule)
            ),
            "length(distinct([for item in {schedule} : [item.start, item.timezone]])) == length({schedule})",
        ),
    )

    left_open: ClassVar[Mapping[str, str]] = {"max": of_role("most_tasks")}

    @model_validator(mode="before")
    @classmethod
    def _keep_bounds_in_schedules(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("schedule"), list):
            return data
        bounds = {"min": data.get("min", 0), "max": data.get("max", 100)}
        own = {key: value for key, value in bounds.items() if type(value) is int and 0 <= value <= MOST_TASKS}
        return {
            **data,
            "schedule": [{**own, **item} if isinstance(item, dict) else item for item in data["schedule"]],
        }


def _ends_later(start: str, end: str) -> bool:
    first, last = moment(start), moment(end)
    return first < last if first and last else start != end
