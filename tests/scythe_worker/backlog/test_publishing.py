"""What the backlog service publishes, what it is told, and its process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local_aws import LocalAws
from scythe_worker import backlog
from scythe_worker.backlog import Publisher, next_wait
from scythe_worker.backlog_settings import CLUSTER, FLEETS, NAMESPACE, BacklogSettings
from scythe_worker.settings import SettingsError
from tests.scythe_worker.backlog.conftest import (
    FANOUTS,
    HEAVY,
    NOW,
    SIMULATIONS,
    Engine,
    engine,
    settings,
    stats,
)
from tests.scythe_worker.test_worker import token
from tests.support.project import ROOT

# What is published.


class CloudWatch:
    """Keeps what is published; raises `refusal` where there is one."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.namespaces: set[str] = set()
        self.calls = 0
        self.refusal: Exception | None = None

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        self.calls += 1
        if self.refusal:
            raise self.refusal
        self.namespaces.add(Namespace)
        self.published += MetricData

    def values(self, fleet: str) -> dict[str, float]:
        return {
            datum["MetricName"]: datum["Value"]
            for datum in self.published
            if datum["Dimensions"] == [{"Name": "Fleet", "Value": fleet}]
        }


@dataclass
class Running:
    """A publisher whose clock is the test's."""

    engine: Engine
    cloudwatch: CloudWatch
    publisher: Publisher
    published: Path
    lines: list[str]

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with engine() as it:
        lines: list[str] = []
        cloudwatch, published = CloudWatch(), tmp_path / "published"
        publisher = Publisher(
            settings(it.url), cloudwatch, published, log=lines.append, now=lambda: NOW.timestamp() + 3
        )
        yield Running(it, cloudwatch, publisher, published, lines)


def test_two_calls_publish_all_fleets(running: Running) -> None:
    running.engine.body = json.dumps({"scythe_experiment_hourly": stats(7, 1)}).encode()
    assert running.publisher.step() == pytest.approx(5)
    assert (len(running.engine.asked), running.cloudwatch.calls) == (1, 1)
    assert running.cloudwatch.values("simulations") == {
        "Queued": 7, "Running": 1, "OldestQueuedSeconds": 0, "Demand": 8,
    }  # fmt: skip
    assert running.cloudwatch.values("fanouts")["Demand"] == 0
    assert running.cloudwatch.namespaces == {"Scythe/test"}
    assert {datum["StorageResolution"] for datum in running.cloudwatch.published} == {1}
    assert running.published.exists()


def test_it_asks_shortly_before_a_period_of_cloudwatch_ends() -> None:
    assert [next_wait(now) for now in (1000.0, 1007.9, 1008.0, 1009.0)] == pytest.approx([8, 0.1, 10, 9])


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_an_engine_that_refuses_publishes_nothing(running: Running, status: int) -> None:
    running.engine.status = status
    waits = [running.publisher.step() for _ in range(7)]
    assert waits == [2, 4, 8, 16, 30, 30, 30]
    assert running.cloudwatch.calls == 0
    assert not running.published.exists()
    (line,) = running.log()
    assert line["level"] == "warning"
    assert str(status) in line["message"]


def test_it_leaves_an_engine_alone_for_as_long_as_that_asks(running: Running) -> None:
    running.engine.status, running.engine.headers = 429, {"Retry-After": "45"}
    assert running.publisher.step() == 45
    running.engine.headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert running.publisher.step() == 4


def test_an_engine_that_is_away_publishes_nothing(running: Running) -> None:
    away = Publisher(settings(), running.cloudwatch, running.published, log=running.lines.append)
    away.step()
    assert running.cloudwatch.calls == 0
    assert "does not answer" in running.log()[0]["message"]


@pytest.mark.parametrize(
    "refusal",
    [
        ClientError({"Error": {"Code": "Throttling"}}, "PutMetricData"),
        EndpointConnectionError(endpoint_url="x"),
    ],
    ids=["refuses", "is away"],
)
def test_cloudwatch_that_refuses_is_told_once_and_asked_again(running: Running, refusal: Exception) -> None:
    running.cloudwatch.refusal = refusal
    assert [running.publisher.step() for _ in range(3)] == [2, 4, 8]
    assert not running.published.exists()
    running.cloudwatch.refusal = None
    running.publisher.step()
    messages = [line["message"] for line in running.log()]
    assert len(messages) == 3
    assert "CloudWatch takes no metrics" in messages[0]
    assert messages[1:] == ["metrics again", "demand"]
    assert running.publisher.step() == pytest.approx(5)


def test_the_token_is_in_no_line(running: Running) -> None:
    running.engine.status = 401
    running.publisher.step()
    assert "a-token" not in "".join(running.lines)


def test_health_goes_by_the_last_publication(tmp_path: Path) -> None:
    published = tmp_path / "published"
    assert backlog.fault(published) == "nothing has been published"
    published.touch()
    assert backlog.fault(published) is None
    os.utime(published, (time.time() - 299, time.time() - 299))
    assert backlog.fault(published) is None
    os.utime(published, (time.time() - 302, time.time() - 302))
    assert "302 seconds" in str(backlog.fault(published))


# What it is told.


def environment(url: str, **changes: str | None) -> dict[str, str]:
    given = {
        "HATCHET_CLIENT_TOKEN": token(sub="our-tenant", server_url=url),
        NAMESPACE: "Scythe/test",
        FLEETS: json.dumps(
            {
                "simulations": {"role": "leaf", "slots": 1, "experiments": None},
                "heavy": {"role": "leaf", "slots": 2, "experiments": ["Scythe_Experiment_Annual"]},
                "fanouts": {"role": "fan", "slots": 4, "experiments": None},
            }
        ),
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def test_settings_come_from_the_token_and_the_environment() -> None:
    loaded = BacklogSettings.load(environment("https://cloud.example"))
    assert (loaded.server_url, loaded.tenant) == ("https://cloud.example", "our-tenant")
    assert loaded.fleets == (SIMULATIONS, HEAVY, FANOUTS)
    inside = BacklogSettings.load(environment("https://x", HATCHET_CLIENT_SERVER_URL="http://api:8080/"))
    assert inside.server_url == "http://api:8080"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"HATCHET_CLIENT_TOKEN": None}, "HATCHET_CLIENT_TOKEN: not set"),
        ({"HATCHET_CLIENT_TOKEN": "canary"}, "not an API token"),
        ({"HATCHET_CLIENT_TOKEN": "eyA.eyA.canary"}, "not an API token"),
        ({"HATCHET_CLIENT_TOKEN": token(server_url="http://x")}, "names no tenant"),
        ({"HATCHET_CLIENT_TOKEN": token(sub="t")}, "HATCHET_CLIENT_SERVER_URL: got ''"),
        ({"HATCHET_CLIENT_SERVER_URL": "ftp://x"}, "must be the http or https URL"),
        ({NAMESPACE: None}, f"{NAMESPACE}: not set"),
        ({FLEETS: None}, f"{FLEETS}: must be"),
        ({FLEETS: "{}"}, "names no fleet"),
        ({FLEETS: '{"a": {"role": "leaf", "slots": 0}}'}, f"{FLEETS}: must be"),
        ({FLEETS: '{"a": {"role": "both", "slots": 1}}'}, f"{FLEETS}: must be"),
        ({FLEETS: '{"a": 1}'}, f"{FLEETS}: must be"),
    ],
)
def test_wrong_settings_are_one_line_each(changes: Mapping[str, str | None], fault: str) -> None:
    with pytest.raises(SettingsError) as error:
        BacklogSettings.load(environment("http://x", **changes))
    assert len(error.value.faults) == 1
    assert fault in error.value.faults[0]
    assert "canary" not in str(error.value)


# The process.


def process(given: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scythe_worker", "backlog", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **given},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.timeout(120)
def test_the_process_publishes_is_light_and_ends_at_once(tmp_path: Path) -> None:
    with engine() as it, LocalAws.start(log=tmp_path / "local-aws.log") as aws:
        it.body = json.dumps({"scythe_scatter_gather": stats(9, 1)}).encode()
        with process({**environment(it.url), **aws.environment, "PYTHONUNBUFFERED": "1"}) as running:
            assert running.stdout is not None
            lines = [json.loads(running.stdout.readline()) for _ in range(2)]
            resident = psutil.Process(running.pid).memory_info().rss / 2**20
            modules = {Path(file.path).name for file in psutil.Process(running.pid).memory_maps()}
            begin = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert running.wait(10) == 0
            took = time.monotonic() - begin
        assert lines[1]["fanouts"] == 3
        # At once, on a loaded machine too: not after the poll or the period of ten seconds.
        assert took < 5
        # Of the task's 1 GiB, which is for registering; scythe-engine and hatchet-sdk would take 200.
        assert resident < 120, f"{resident:.0f} MiB"
        assert not any("grpc" in name for name in modules)
        found = aws.client("cloudwatch").list_metrics(Namespace="Scythe/test")["Metrics"]
        assert len(found) == 12


def test_a_wrong_setting_ends_the_process(tmp_path: Path) -> None:
    with process(environment("http://x", **{NAMESPACE: None})) as running:
        assert running.wait(30) == 2
        assert running.stderr is not None
        assert running.stderr.read().startswith(f"scythe_worker: {NAMESPACE}: not set")


def test_wrong_arguments_say_what_is_right() -> None:
    with process({}, "helth") as running:
        assert running.wait(30) == 2
        assert running.stderr is not None
        assert running.stderr.read().startswith("usage: ")


@pytest.mark.timeout(120)
def test_the_process_looks_at_the_fleets_services_and_publishes_without_them(tmp_path: Path) -> None:
    with engine() as it, LocalAws.start(log=tmp_path / "local-aws.log") as aws:
        it.body = json.dumps({"scythe_scatter_gather": stats(9, 1)}).encode()
        given = {
            **environment(it.url, **{CLUSTER: "test-workers"}),
            **aws.environment,
            "PYTHONUNBUFFERED": "1",
        }
        with process(given) as running:
            assert running.stdout is not None
            lines = [json.loads(running.stdout.readline()) for _ in range(3)]
            resident = psutil.Process(running.pid).memory_info().rss / 2**20
            running.send_signal(signal.SIGTERM)
            assert running.wait(10) == 0
        assert {line["message"] for line in lines} == {
            "the backlog service runs", "demand", "ECS: ClusterNotFoundException",
        }  # fmt: skip
        assert resident < 150, f"{resident:.0f} MiB"
