"""``scythe-aws stop``: cancel what waits and runs, and have the fleets at their minimum."""

from __future__ import annotations

import datetime
import sys
import time

import typer
from botocore.exceptions import ClientError

from environments.schema import Environment
from ops.deployed.aws import Caller, is_refusal
from ops.deployed.fleet_queue import tasks_by_fleet
from ops.deployed.fleet_tasks import DeployedFleets
from ops.deployed.hatchet_api import KEPT, HatchetApi
from ops.environment import environment_of
from ops.errors import CommandError

PATIENCE = 60
"""Seconds after which runs that are still there are told of; the engine cancels in the background."""

POLL = 1


def stop(given: str, *, yes: bool = False) -> None:
    """Cancel the environment's runs, then set its services to their minimum.

    Hatchet knows no environments: the runs are those of Scythe's tasks in the token's tenant.

    Args:
        given: the environment's name or path.
        yes: do not ask first.

    Raises:
        CommandError: something is missing, the answer was no, or runs are left.
    """
    environment = environment_of(given)
    caller = Caller(environment)
    api = HatchetApi.of(caller, environment)
    fleets = DeployedFleets(caller, environment)
    queued, running = _runs(environment, api)
    if not yes:
        _confirm(environment, api, queued, running)
    cancelled = _cancel(environment, api)
    print(f"Cancelled {cancelled} runs." if cancelled else "No run waited or ran.")
    _lower(environment, fleets)


def _confirm(environment: Environment, api: HatchetApi, queued: int, running: int) -> None:
    if not sys.stdin.isatty():
        raise CommandError(
            f"stop cancels {queued} queued and {running} running tasks: --yes says that it may"
        )
    question = (
        f"Cancel {queued} queued and {running} running tasks of Scythe's at {api.url}, and have the fleets of "
        f"{environment.name} at their minimum?"
    )
    if not typer.confirm(question):
        raise CommandError("nothing was stopped", 1)


def _runs(environment: Environment, api: HatchetApi) -> tuple[int, int]:
    stats = api.task_stats()
    ours = [task for tasks in tasks_by_fleet(environment, stats).values() for task in tasks]
    return sum(stats[task][0] for task in ours), sum(stats[task][1] for task in ours)


def _cancel(environment: Environment, api: HatchetApi) -> int:
    """Cancel until none is left: runs that fan out make others meanwhile."""
    known = api.workflows()
    ours = [known[task] for tasks in tasks_by_fleet(environment, known).values() for task in tasks]
    if not ours:
        return 0
    since = datetime.datetime.now(datetime.UTC) - KEPT
    until = time.monotonic() + PATIENCE
    before, states = api.counts(ours, since).get("CANCELLED", 0), {}
    while True:
        api.cancel(ours, since)
        time.sleep(POLL)
        states, left = api.counts(ours, since), _runs(environment, api)
        if not any(left):
            return states.get("CANCELLED", 0) - before
        if time.monotonic() > until:
            raise CommandError(
                f"{left[0]} tasks still wait and {left[1]} still run {PATIENCE} seconds after they were cancelled: "
                f"repeat scythe-aws stop {environment.name}",
                1,
            )


def _lower(environment: Environment, fleets: DeployedFleets) -> None:
    try:
        lowered = fleets.to_minimum()
        if not lowered:
            print(f"No fleet is deployed (cdktf deploy {environment.name}-workers).")
        for name, (before, after) in lowered.items():
            print(
                f"{name}: {before} tasks, as few as it may have."
                if before == after
                else f"{name}: {before} tasks to {after}."
            )
    except ClientError as error:
        if not is_refusal(error):
            raise
        # A researcher's policy does not allow it: with the right come other images and sizes.
        print(
            "The fleets shrink by themselves, as their queue is empty; at once with the right ecs:UpdateService on "
            f"{environment.name}-workers."
        )
