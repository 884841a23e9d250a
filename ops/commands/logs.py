"""``scythe-aws logs``: what a fleet's workers write."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from ops.deployed.aws import Caller, code
from ops.environment import environment_of
from ops.errors import CommandError
from synthesis.rules import printable

EVERY = 2
"""Seconds between two looks."""

LATE = 30_000
"""Milliseconds by which an event may arrive after others of its time."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def logs(given: str, fleet: str, *, since: str, follow: bool = False) -> None:
    """Print a fleet's log, oldest lines first.

    Args:
        given: the environment's name or path.
        fleet: the fleet's name.
        since: how far back, such as ``90s``, ``30m``, ``2h``, ``1d``.
        follow: go on until Ctrl-C.

    Raises:
        CommandError: there is no such fleet or log.
    """
    environment = environment_of(given)
    back = seconds_of(since)
    if fleet not in environment.workers:
        raise CommandError(
            f"{environment.name} has no fleet {fleet}; must be one of {', '.join(environment.workers)}"
        )
    client = Caller(environment).session.client("logs")
    start = int((time.time() - back) * 1000)
    try:
        for event in _events(client, f"/scythe/{environment.name}/{fleet}", start, follow=follow):
            print(_line(event), flush=follow)
    except KeyboardInterrupt:
        return
    except ClientError as error:
        if code(error) != "ResourceNotFoundException":
            raise
        raise CommandError(
            f"{fleet} has no log yet: run cdktf deploy {environment.name}-workers first"
        ) from None


def seconds_of(text: str) -> int:
    """The seconds of a time such as ``1h30m``.

    Raises:
        CommandError: it is none.
    """
    if not re.fullmatch(r"(\d+[smhd])+", text):
        raise CommandError(f"--since: got {text!r}; must be a time such as 90s, 30m, 2h or 1d")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))


def _events(client: Any, group: str, start: int, *, follow: bool) -> Iterator[dict[str, Any]]:
    """The events of a log group (CloudWatch Logs API, FilterLogEvents), each once."""
    seen: dict[str, int] = {}
    while True:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start):
            for event in page["events"]:
                if event["eventId"] not in seen:
                    seen[event["eventId"]] = event["timestamp"]
                    yield event
        if not follow:
            return
        start = max(start, max(seen.values(), default=start) - LATE)
        seen = {id_: moment for id_, moment in seen.items() if moment >= start}
        time.sleep(EVERY)


def _line(event: dict[str, Any]) -> str:
    moment = datetime.datetime.fromtimestamp(event["timestamp"] / 1000, datetime.UTC)
    # The stream is worker/worker/<task id>: its first letters tell the tasks apart.
    task = event["logStreamName"].rpartition("/")[2][:8]
    # An experiment writes what it likes; one event is one line.
    return printable(f"{moment:%Y-%m-%d %H:%M:%S} {task} {event['message'].rstrip().expandtabs(4)}")
