"""Medians and 90th percentiles over many seeds, as docs/autoscaling.md publishes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from statistics import median

from benchmarks.autoscaling.report import duration
from benchmarks.autoscaling.scenarios import Played

PUBLISHED = ("ten", "thousand", "guide", "rounds", "fallback", "rollout")
"""The scenarios of the documentation, each over `SEEDS`."""

SEEDS = 60

_COLUMNS: Mapping[str, tuple[str, Callable[[float | None], str]]] = {
    "first_decided": ("first task decided", duration),
    "full_decided": ("full fleet decided", duration),
    "full_from_allocation": ("from the allocation", duration),
    "full_started": ("full fleet runs", duration),
    "over": ("over", lambda value: "never" if value is None else f"{value:.1%}"),
    "asleep": ("asleep after", duration),
    "cost": ("cost (Spot)", lambda value: "never" if value is None else f"${value:,.2f}"),
    "rollout": ("rollout", lambda value: "" if value is None else duration(value)),
    "fallback_until": ("on-demand until", lambda value: "" if value is None else duration(value)),
    "set_back": ("set back", lambda value: f"{value or 0:g}"),
}


def percentile(values: Sequence[float | None], share: float) -> float | None:
    """Return the smallest value that is no less than a share of them; None (never) counts as the largest."""
    ordered = sorted(values, key=lambda value: float("inf") if value is None else value)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def middle(values: Sequence[float | None]) -> float | None:
    """Return the median; None (never) counts as the largest."""
    found = median(float("inf") if value is None else value for value in values)
    return None if found == float("inf") else found


def table(played: Sequence[Played]) -> str:
    """Return a Markdown table: for each scenario and fleet, the median and the 90th percentile of its seeds."""
    titles = [title for title, _ in _COLUMNS.values()]
    lines = [
        "| " + " | ".join(["scenario", "fleet", "seeds", *titles]) + " |",
        "|" + "---|" * (len(titles) + 3),
    ]
    for scenario, fleet in dict.fromkeys(
        (item.scenario, item.fleet) for item in played if item.scaled_by == "synthesized"
    ):
        found = [
            item.figures
            for item in played
            if (item.scenario, item.fleet, item.scaled_by) == (scenario, fleet, "synthesized")
        ]
        cells = []
        for name, (_, shown) in _COLUMNS.items():
            values = [getattr(figures, name) for figures in found]
            low, high = shown(middle(values)), shown(percentile(values, 0.9))
            cells.append(low if low == high else f"{low} / {high}")
        lines.append("| " + " | ".join([scenario, fleet, str(len(found)), *cells]) + " |")
    return "\n".join(lines)
