"""``python -m scythe_worker backlog``: tells CloudWatch every ten seconds what Hatchet has for each fleet to do.

Beside that it pauses the workers that ECS waits for (`scythe_worker.rollout`).

The fleets wake, grow and sleep by these metrics alone, so they are never guessed: while the engine or CloudWatch
is away nothing is published, alarms see missing data, and the fleets stay as they are. While nothing waits, a zero a
minute is enough (`scythe_worker.pace`). Standard library and boto3 alone: it runs day and night in half a GiB.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from scythe_worker.backlog_settings import BacklogSettings
from scythe_worker.backlog_stats import AwayError, Figures, ask, figures
from scythe_worker.busy import Busy
from scythe_worker.deployments import Ecs
from scythe_worker.link_local import keep_from_proxies
from scythe_worker.pace import Pace
from scythe_worker.rollout import Rollout

PERIOD = 10
"""Seconds between two questions, and publications: an alarm's shortest period (Amazon CloudWatch API, ``PutMetricAlarm``)."""

OFFSET = 8
"""Seconds after the full ten at which it asks: CloudWatch's periods begin there, and an alarm looks at a period
that is over, so a figure from shortly before its end is the youngest that the alarm can see."""

LONGEST_WAIT = 30

STALE = 30 * PERIOD
"""Seconds without a publication after which the task is replaced: five minutes, longer than an engine's restart. A
new task reads the token anew."""

PUBLISHED = Path("/tmp/backlog-published")  # noqa: S108  # a volume of the container's own
"""Touched each time that the engine has answered and what is due is published; the health check goes by its age."""


class CloudWatch(Protocol):
    """As much of boto3's client as is used."""

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> object:
        """Publish."""


def run(
    environment: Mapping[str, str],
    *,
    client: CloudWatch | None = None,
    published: Path = PUBLISHED,
    ecs: Ecs | None = None,
) -> None:
    """Publish until SIGTERM, which ends the process at once: a publication that is lost costs ten seconds.

    Raises:
        SettingsError: for what is wrong with the environment.
    """
    settings = BacklogSettings.load(environment)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    keep_from_proxies()
    published.touch()
    publisher = Publisher(settings, client or _cloudwatch(), published)
    if settings.cluster:
        publisher.rollout = Rollout(settings, ecs or _ecs(), publisher.say)
        publisher.rollout.start()
    publisher.run()


def fault(published: Path = PUBLISHED) -> str | None:
    """What is wrong with the backlog service of this container; None if it is healthy."""
    try:
        age = time.time() - published.stat().st_mtime
    except OSError:
        return "nothing has been published"
    return f"nothing has been published for {age:.0f} seconds" if age > STALE else None


class Publisher:
    """Asks and publishes, again and again.

    Args:
        settings: whom to ask about what.
        client: CloudWatch.
        published: touched each time that all went well.
        log: takes each line of the log.
        now: seconds since the epoch.
        sleep: waits.

    Attributes:
        rollout: pauses workers by the same figures; None where nobody does.
    """

    def __init__(
        self,
        settings: BacklogSettings,
        client: CloudWatch,
        published: Path,
        log: Callable[[str], None] = print,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._client, self._published = settings, client, published
        self._log, self._now, self._sleep = log, now, sleep
        self._demands: dict[str, int] = {}
        self._busy = Busy(settings)
        self._pace = Pace(now())
        self.rollout: Rollout | None = None
        self._trouble, self._since, self._failures = "", 0.0, 0

    def run(self) -> None:
        """Publish without end."""
        self.say("info", "the backlog service runs", fleets=[fleet.name for fleet in self._settings.fleets])
        while True:
            self._sleep(self.step())

    def step(self) -> float:
        """Publish what is due; the seconds until the next time."""
        try:
            moment = datetime.fromtimestamp(self._now(), UTC)
            told = figures(ask(self._settings), self._settings.fleets, moment)
            found = self._busy.raised(told, self.rollout.pausing if self.rollout else ())
            if self.rollout:
                self.rollout.note(found)
            due = self._pace.due(found.values(), moment.timestamp())
            if due:
                self._put(found, due, moment)
                self._pace.published(moment.timestamp())
        except AwayError as error:
            return self._failed(str(error), error.wait)
        self._published.touch()
        self._succeeded(found)
        return next_wait(self._now())

    def _put(self, found: Mapping[str, Figures], due: tuple[str, ...], moment: datetime) -> None:
        """Publish in one request.

        It takes up to 1,000 figures (Amazon CloudWatch API, ``PutMetricData``); these are at most 200, four for
        each of 50 fleets.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        data = [datum for fleet, of_fleet in found.items() for datum in _data(fleet, of_fleet, due, moment)]
        try:
            self._client.put_metric_data(Namespace=self._settings.namespace, MetricData=data)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an error")
            raise AwayError(f"CloudWatch takes no metrics: {code}") from error
        except BotoCoreError as error:
            raise AwayError(f"CloudWatch takes no metrics: {type(error).__name__}") from error

    def _failed(self, what: str, wait: float) -> float:
        self._failures += 1
        if not self._trouble:
            self._since = self._now()
        if what != self._trouble:
            self._trouble = what
            self.say("warning", what, consequence="no metrics until it is over; the fleets stay as they are")
        return max(wait, min(LONGEST_WAIT, 2.0**self._failures))

    def _succeeded(self, found: Mapping[str, Figures]) -> None:
        if self._trouble:
            self.say("info", "metrics again", after_seconds=round(self._now() - self._since))
        self._trouble, self._failures = "", 0
        demands = {fleet: of_fleet.demand for fleet, of_fleet in found.items()}
        if demands != self._demands:
            self.say("info", "demand", **demands)
            self._demands = demands

    def say(self, level: str, message: str, **more: object) -> None:
        """Write a line of the log."""
        time_ = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        self._log(json.dumps({"time": time_, "level": level, "message": message, **more}))


def next_wait(now: float) -> float:
    """The seconds until the next time: shortly before the end of one of CloudWatch's periods."""
    return PERIOD - (now - OFFSET) % PERIOD


def _data(fleet: str, of_fleet: Figures, due: tuple[str, ...], moment: datetime) -> list[dict[str, Any]]:
    values: dict[str, tuple[float, Any]] = {
        "Queued": (of_fleet.queued, "Count"),
        "Running": (of_fleet.running, "Count"),
        "OldestQueuedSeconds": (of_fleet.oldest_seconds, "Seconds"),
        "Demand": (of_fleet.demand, "Count"),
    }
    return [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "Fleet", "Value": fleet}],
            "Timestamp": moment,
            "Value": value,
            "Unit": unit,
            "StorageResolution": 1,
        }
        for name, (value, unit) in values.items()
        if name in due
    ]


def _cloudwatch() -> CloudWatch:
    import boto3
    from botocore.config import Config

    # One attempt: the next figures are newer than a repetition of these.
    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
    client: CloudWatch = boto3.client("cloudwatch", config=config)
    return client


def _ecs() -> Ecs:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
    client: Ecs = boto3.client("ecs", config=config)
    return client
