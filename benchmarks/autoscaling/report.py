"""The figures, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.autoscaling.scenarios import Played, Scenario

COLUMNS = (
    "fleet", "scaled by", "first task\ndecided", "first task\nruns", "full fleet\ndecided", "full fleet\nruns",
    "over", "lost to\nscale-in", "lost to\nSpot", "asleep\nafter", "took", "most\ntasks", "cost",
)  # fmt: skip


def print_tables(played: Sequence[Played], scenarios: Mapping[str, Scenario]) -> None:
    """Print a table for each scenario."""
    console = Console()
    for name, scenario in scenarios.items():
        table = Table(title=f"{name}: {scenario.what}", title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="left" if column in ("fleet", "scaled by") else "right")
        mine = [item for item in played if item.scenario == name]
        for fleet in dict.fromkeys(item.fleet for item in mine):
            for item in mine:
                if item.fleet == fleet:
                    table.add_row(*row(item))
            table.add_section()
        console.print(table)


def row(item: Played) -> list[str]:
    """The cells of one line, in the order of `COLUMNS`."""
    found = item.figures
    return [
        item.fleet,
        item.scaled_by,
        duration(found.first_decided),
        duration(found.first_started),
        duration(found.full_decided),
        duration(found.full_started),
        f"{found.over:.1%}",
        duration(found.lost_to_scale_in),
        duration(found.lost_to_spot),
        duration(found.asleep),
        duration(found.makespan),
        str(found.most),
        f"${found.cost:,.2f}",
    ]


def duration(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return "never"
    if seconds < 300:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3 * 3600 else f"{seconds / 3600:.1f} h"
