"""Fleet and backlog over time, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.autoscaling.scenarios import Played, Scenario

mpl.use("agg")
# The same picture has the same bytes.
mpl.rcParams["svg.hashsalt"] = "scythe-aws"
MOST_POINTS = 600
COLOURS = {
    "synthesized": "#0b6e4f",
    "CPU target tracking": "#c1121f",
    "backlog target tracking": "#e09f3e",
    "guide's fixed fleet": "#6c757d",
    "ideal": "#1d3557",
}


def draw(played: Sequence[Played], scenarios: Mapping[str, Scenario], folder: Path) -> list[Path]:
    """Draw each scenario's leaf fleets as PNG and SVG; the files."""
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for name, scenario in scenarios.items():
        mine = [item for item in played if item.scenario == name and item.fleet != "fanouts"]
        figure, (fleet, backlog) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 5), layout="constrained")
        for item in mine:
            samples = item.samples[:: max(1, len(item.samples) // MOST_POINTS)]
            minutes = [sample.time / 60 for sample in samples]
            colour, width = COLOURS[item.scaled_by], 2 if item.scaled_by == "synthesized" else 1
            fleet.plot(
                minutes, [s.tasks for s in samples], color=colour, linewidth=width, label=item.scaled_by
            )
            backlog.plot(minutes, [s.queued + s.running for s in samples], color=colour, linewidth=width)
        fleet.set_title(scenario.what, loc="left", fontsize="medium")
        fleet.set_ylabel("tasks of the fleet")
        backlog.set_ylabel("simulations left")
        backlog.set_xlabel("minutes since the allocation")
        fleet.legend(loc="upper right", fontsize="small")
        for axes in (fleet, backlog):
            axes.grid(alpha=0.3)
            axes.set_ylim(bottom=0)
        for kind, metadata in (("png", {}), ("svg", {"Date": None})):
            file = folder / f"autoscaling-{name}.{kind}"
            figure.savefig(file, metadata=metadata, dpi=120)
            files.append(file)
        pyplot.close(figure)
    return files
