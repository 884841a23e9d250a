"""``scythe-aws status``: what waits, what runs, how long it will take, and what it costs."""

from __future__ import annotations

import datetime
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from environments.schema import Environment
from ops.cost.prices import SOURCE
from ops.deployed.aws import Caller
from ops.deployed.fleet_queue import tasks_by_fleet
from ops.deployed.fleet_tasks import DeployedFleets, FleetTasks
from ops.deployed.hatchet_api import HatchetApi
from ops.environment import environment_of
from ops.errors import CommandError
from synthesis.rules import printable

EVERY = 5
"""Seconds between two looks."""

BACK = datetime.timedelta(days=1)
"""How far back finished runs are counted."""

WIDTH = 110

SAMPLE = 100
"""So many of the newest completed runs tell how long one takes."""


@dataclass(frozen=True)
class Work:
    """A fleet's work in Hatchet.

    Attributes:
        queued: tasks that wait for a worker.
        running: tasks that run.
        done: that were completed, of those that began within a day.
        failed: that failed, of the same.
        seconds_each: how long one takes; None where none of the last day was completed.
    """

    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    seconds_each: float | None = None

    @property
    def per_hour(self) -> float | None:
        """How many are completed in an hour at this pace."""
        return None if self.seconds_each is None else self.running * 3600 / self.seconds_each

    @property
    def seconds_left(self) -> float | None:
        """How long all take at this pace; those that run are half done on average."""
        if not self.queued and not self.running:
            return 0.0
        if not self.per_hour:
            return None
        return (self.queued + self.running / 2) * 3600 / self.per_hour


@dataclass(frozen=True)
class Status:
    """One look at an environment.

    Attributes:
        work: by fleet.
        tasks: by fleet, of those that are deployed.
    """

    work: dict[str, Work]
    tasks: dict[str, FleetTasks]

    @property
    def seconds_left(self) -> float | None:
        """How long the longest fleet takes; None where one cannot tell."""
        left = [work.seconds_left for work in self.work.values()]
        known = [seconds for seconds in left if seconds is not None]
        return max(known, default=0.0) if len(known) == len(left) else None

    def document(self) -> dict[str, object]:
        """It all, for programs."""
        fleets = {
            name: {
                **asdict(work),
                "per_hour": work.per_hour,
                "seconds_left": work.seconds_left,
                "tasks": asdict(self.tasks[name]) if name in self.tasks else None,
            }
            for name, work in self.work.items()
        }
        return {
            "fleets": fleets,
            "seconds_left": self.seconds_left,
            "usd": sum(tasks.usd for tasks in self.tasks.values()),
            "usd_per_hour": sum(tasks.usd_per_hour for tasks in self.tasks.values()),
            "prices": SOURCE,
        }


def status(given: str, *, watch: bool = False, as_json: bool = False) -> None:
    """Print one look, or one after another until Ctrl-C.

    Args:
        given: the environment's name or path.
        watch: go on looking.
        as_json: print one JSON document per look, a line each while watching.

    Raises:
        CommandError: something cannot be reached or read; while watching, only the first time.
    """
    environment = environment_of(given)
    caller = Caller(environment)
    api, fleets = HatchetApi.of(caller, environment), DeployedFleets(caller, environment)
    found = look(environment, api, fleets)
    if not watch:
        print(json.dumps(found.document(), indent=2)) if as_json else Console().print(
            shown(environment, found)
        )
        return
    try:
        _watch(environment, api, fleets, found, as_json=as_json)
    except KeyboardInterrupt:
        return


def look(environment: Environment, api: HatchetApi, fleets: DeployedFleets) -> Status:
    """Ask Hatchet and AWS."""
    now = datetime.datetime.now(datetime.UTC)
    stats, workflows = api.task_stats(), api.workflows()
    work = {
        fleet: _work(api, {task: stats.get(task, (0, 0)) for task in tasks}, workflows, now - BACK)
        for fleet, tasks in tasks_by_fleet(environment, stats.keys() | workflows.keys()).items()
    }
    return Status(work, fleets.look(now))


def _work(
    api: HatchetApi, stats: dict[str, tuple[int, int]], workflows: dict[str, str], since: datetime.datetime
) -> Work:
    ids = [workflows[task] for task in stats if task in workflows]
    if not ids:
        return Work(
            sum(queued for queued, _ in stats.values()), sum(running for _, running in stats.values())
        )
    counts, durations = api.counts(ids, since), api.durations(ids, since, SAMPLE)
    return Work(
        sum(queued for queued, _ in stats.values()),
        sum(running for _, running in stats.values()),
        counts.get("COMPLETED", 0),
        counts.get("FAILED", 0),
        statistics.fmean(durations) if durations else None,
    )


def _watch(
    environment: Environment, api: HatchetApi, fleets: DeployedFleets, found: Status, *, as_json: bool
) -> None:
    with Live(console=_console(stderr=as_json), auto_refresh=False, transient=False) as live:
        fault = ""
        while True:
            if as_json:
                if not fault:
                    print(json.dumps(found.document()), flush=True)
            else:
                lines: Sequence[RenderableType] = [Text(fault, "red")] if fault else []
                live.update(Group(shown(environment, found), *lines), refresh=True)
            time.sleep(EVERY)
            try:
                found, fault = look(environment, api, fleets), ""
            except CommandError as error:
                fault = printable(str(error))
                if as_json:
                    print(fault, file=sys.stderr)


def _console(*, stderr: bool = False) -> Console:
    """A console that no table is squeezed on."""
    console = Console(stderr=stderr)
    console.width = max(WIDTH, console.width)
    return console


def shown(environment: Environment, found: Status) -> RenderableType:
    """A look, for people."""
    table = Table(box=None, pad_edge=False)
    for number, title in enumerate(
        (
            "fleet",
            "queued",
            "running",
            "done 24 h",
            "failed",
            "each",
            "per hour",
            "left",
            "tasks",
            "of",
            "$/h",
            "$ so far",
        )
    ):
        table.add_column(title, justify="right" if number else "left")
    for name, work in found.work.items():
        table.add_row(name, *_cells(work, found.tasks.get(name)))
    left = "not known yet" if found.seconds_left is None else span(found.seconds_left)
    document = found.document()
    totals = f"Time left at this pace: {left}. Tasks that run: ${document['usd_per_hour']:.2f} an hour, ${document['usd']:.2f} so far."
    missing = [name for name in found.work if name not in found.tasks]
    lines = [Text(totals), Text(f"{SOURCE}.")]
    if missing:
        lines.append(Text(f"Not deployed: {', '.join(missing)} (cdktf deploy {environment.name}-workers)."))
    return Group(table, *lines)


def _cells(work: Work, tasks: FleetTasks | None) -> list[str]:
    cells = [
        f"{work.queued:,}",
        f"{work.running:,}",
        f"{work.done:,}",
        f"{work.failed:,}",
        "-" if work.seconds_each is None else span(work.seconds_each),
        "-" if work.per_hour is None else f"{work.per_hour:,.0f}",
        "-" if work.seconds_left is None else span(work.seconds_left),
    ]
    if tasks is None:
        return [*cells, "-", "-", "-", "-"]
    growing = f" (to {tasks.desired})" if tasks.desired != tasks.running else ""
    return [
        *cells,
        f"{tasks.running}{growing}",
        f"{tasks.bounds[0]}-{tasks.bounds[1]}",
        f"{tasks.usd_per_hour:.2f}",
        f"{tasks.usd:.2f}",
    ]


def span(seconds: float) -> str:
    """A time in the two units that say it: ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole or not seconds else "< 1 s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 60:
        return f"{minutes} min {whole % 60:02} s"
    return f"{hours} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
