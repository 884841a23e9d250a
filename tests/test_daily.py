"""`scythe-aws status`, `stop`, `logs` and `download`: figures, and what stands in their way.

Hatchet's REST API is a server of this process here; tests/test_walkthrough.py has a real one.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from environments.loading import load
from local_aws import LocalAws
from ops import download as downloading
from ops.errors import CommandError
from ops.fleet_queue import tasks_by_fleet
from ops.fleet_tasks import FleetTasks
from ops.logs import seconds_of
from ops.prices import usd_per_hour
from ops.status import Status, Work, span
from tests.command import COMMAND, client_token, scythe_aws

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@dataclass
class Engine:
    """Hatchet's REST API, as far as the commands ask it.

    Attributes:
        tasks: how many wait and how many run, by task.
        asked: what was called, with its query or body.
        status: of each answer.
        stubborn: whether cancelled runs stay.
    """

    tasks: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 200
    stubborn: bool = False
    cancelled: int = 0
    port: int = 0

    def answer(self, request: Request) -> Response:
        what = request.path.rpartition("/")[2]
        self.asked.append((what, request.get_json(silent=True) or request.args.to_dict(flat=False)))
        assert request.headers["Authorization"].startswith("Bearer ey")
        if self.status != 200:
            return Response("<html>", self.status)
        return Response(
            json.dumps(getattr(self, f"_{what.replace('-', '_')}")()), mimetype="application/json"
        )

    def _task_stats(self) -> Any:
        names = ("queued", "running")
        return {
            task: {kind: {"total": count} for kind, count in zip(names, counts, strict=True) if count}
            for task, counts in self.tasks.items()
            if any(counts)
        }

    def _workflows(self) -> Any:
        return {"rows": [{"name": task, "metadata": {"id": f"id-of-{task}"}} for task in self.tasks]}

    def _task_metrics(self) -> Any:
        counts = {"COMPLETED": 40, "FAILED": 2, "CANCELLED": self.cancelled}
        return [{"status": status, "count": count} for status, count in counts.items()]

    def _workflow_runs(self) -> Any:
        return {"rows": [{"duration": 240_000}, {"duration": 360_000}, {"duration": None}]}

    def _cancel(self) -> Any:
        if not self.stubborn:
            self.cancelled += sum(map(sum, self.tasks.values()))
            self.tasks = dict.fromkeys(self.tasks, (0, 0))
        return {"ids": []}


@pytest.fixture
def engine() -> Iterator[Engine]:
    it = Engine()
    server = make_server("127.0.0.1", 0, Request.application(it.answer), threaded=True)
    it.port = server.server_port
    Thread(target=server.serve_forever, daemon=True).start()
    yield it
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws.start() as started:
        started.client("s3").create_bucket(Bucket="results")
        started.client("secretsmanager").create_secret(Name="lab/hatchet-client-token")
        yield started


@dataclass
class Place:
    """An environment with a token.

    Attributes:
        aws: where.
        engine: its Hatchet.
        file: the environment's.
    """

    aws: LocalAws
    engine: Engine
    file: Path

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return scythe_aws(*arguments, cwd=self.file.parent, environment=self.aws.environment)

    def refused(self, *arguments: str | Path, status: int = 2) -> str:
        """The one line that a command ends with."""
        result = self.run(*arguments)
        assert (result.returncode, result.stderr.count("\n")) == (status, 1), result.stderr
        return result.stderr.rstrip("\n")

    def store(self, **claims: object) -> None:
        self.aws.client("secretsmanager").put_secret_value(
            SecretId="lab/hatchet-client-token", SecretString=client_token(**claims)
        )


FLEETS = """
  simulations: {role: leaf}
  annual: {role: leaf, experiments: [scythe_experiment_Annual]}
  fanouts: {role: fan}
"""


@pytest.fixture
def place(aws: LocalAws, engine: Engine, tmp_path: Path) -> Place:
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: lab\nstorage: {{existing: true, bucket: results}}\nworkers:{FLEETS}")
    place = Place(aws, engine, file)
    place.store(server_url=f"http://127.0.0.1:{engine.port}")
    return place


# --- figures


def test_a_task_counts_for_one_fleet(place: Place) -> None:
    tasks = ["scythe_experiment_annual", "scythe_scatter_gather", "scythe_experiment_b", "others", "scythe_x"]
    assert tasks_by_fleet(load(place.file), tasks) == {
        "simulations": ["scythe_experiment_b"],
        "annual": ["scythe_experiment_annual"],
        "fanouts": ["scythe_scatter_gather"],
    }


@pytest.mark.parametrize(
    ("work", "per_hour", "left"),
    [
        (Work(), None, 0),
        (Work(queued=100, seconds_each=300), 0, None),
        (Work(queued=100), None, None),
        (Work(queued=1000, running=100, seconds_each=300), 1200, 3150),
        (Work(running=100, seconds_each=300), 1200, 150),
    ],
)
def test_pace_and_time_left(work: Work, per_hour: float | None, left: float | None) -> None:
    assert (work.per_hour, work.seconds_left) == (per_hour, left)


def test_the_longest_fleet_decides() -> None:
    works = {"a": Work(), "b": Work(9, 1, seconds_each=60), "c": Work(0, 1, seconds_each=60)}
    assert Status(works, {}).seconds_left == 570
    assert Status({**works, "d": Work(queued=1)}, {}).seconds_left is None


def test_prices_of_the_guides_worker(place: Place) -> None:
    fleet = load(place.file).workers["simulations"]
    # 2 vCPU and 8 GiB; the twenty-first GiB of disk is paid.
    assert usd_per_hour(fleet, spot=False) == pytest.approx(2 * 0.04048 + 8 * 0.004445 + 0.000111)
    assert usd_per_hour(fleet, spot=True) == pytest.approx(0.3 * (2 * 0.04048 + 8 * 0.004445) + 0.000111)
    arm = fleet.model_copy(update={"architecture": "arm64", "ephemeral_storage_gb": 20})
    assert usd_per_hour(arm, spot=False) == pytest.approx(2 * 0.03238 + 8 * 0.00356)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.2, "< 1 s"),
        (59, "59 s"),
        (61, "1 min 01 s"),
        (7500, "2 h 05 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_status_is_told_by_fleet(place: Place) -> None:
    place.engine.tasks = {"scythe_experiment_b": (900, 90), "scythe_scatter_gather": (0, 1), "others": (5, 5)}
    document = json.loads(place.run("status", place.file, "--json").stdout)
    assert document["fleets"]["simulations"] == {
        "queued": 900, "running": 90, "done": 40, "failed": 2, "seconds_each": 300, "per_hour": 1080,
        "seconds_left": 3150, "tasks": None,
    }  # fmt: skip
    assert document["fleets"]["fanouts"]["running"] == 1 and document["fleets"]["annual"]["queued"] == 0
    assert document["seconds_left"] == 3150
    text = place.run("status", place.file).stdout
    assert "Time left at this pace: 52 min 30 s." in text
    assert "Not deployed: simulations, annual, fanouts (cdktf deploy lab-workers)." in text
    (asked,) = [
        query
        for what, query in place.engine.asked
        if what == "task-metrics" and "id-of-scythe_experiment_b" in query["workflow_ids"]
    ][-1:]
    assert datetime.now(UTC) - datetime.fromisoformat(asked["since"][0]) > timedelta(hours=23)


def test_watching_goes_on_while_hatchet_is_away_and_ends_with_ctrl_c(place: Place) -> None:
    fault = f"Hatchet at http://127.0.0.1:{place.engine.port} answers task-stats with 502\n"
    process = subprocess.Popen(
        [COMMAND, "status", place.file, "--watch", "--json"],
        env=place.aws.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        first = json.loads(process.stdout.readline())
        place.engine.status = 502
        assert process.stderr.readline() == fault
        place.engine.status = 200
        assert json.loads(process.stdout.readline()) == first
        process.send_signal(2)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()


# --- stop


def test_stop_cancels_scythes_tasks_alone(place: Place) -> None:
    place.engine.tasks = {"scythe_experiment_b": (9, 1), "scythe_scatter_gather": (0, 1), "others": (0, 0)}
    assert "cancels 9 queued and 2 running tasks: --yes" in place.refused("stop", place.file)
    assert place.engine.cancelled == 0
    said = place.run("stop", place.file, "--yes").stdout
    assert said == "Cancelled 11 runs.\nNo fleet is deployed (cdktf deploy lab-workers).\n"
    (body,) = [body for what, body in place.engine.asked if what == "cancel"]
    assert body["filter"]["workflowIds"] == ["id-of-scythe_experiment_b", "id-of-scythe_scatter_gather"]
    assert body["filter"]["statuses"] == ["QUEUED", "RUNNING"]
    assert NOW - datetime.fromisoformat(body["filter"]["since"]) > timedelta(days=29)


def test_runs_that_stay_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from ops import stop

    place.engine.tasks, place.engine.stubborn = {"scythe_experiment_b": (2, 1)}, True
    monkeypatch.setattr(stop, "PATIENCE", 0)
    for name, value in place.aws.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match="2 tasks still wait and 1 still run") as left:
        stop.stop(str(place.file), yes=True)
    assert left.value.status == 1


# --- Hatchet in the way


def test_hatchets_faults_are_a_line_each(place: Place) -> None:
    at = f"Hatchet at http://127.0.0.1:{place.engine.port}"
    for status, said in (
        (403, "refuses the token of lab (403): scythe-aws token lab stores another"),
        (500, "answers task-stats with 500"),
    ):
        place.engine.status = status
        assert place.refused("status", place.file) == f"{at} {said}"
    place.store(server_url="http://localhost:1")
    assert place.refused("status", place.file).endswith(
        "cannot be reached (Connection refused): it is forwarded to this machine while scythe-aws forward lab runs"
    )
    place.store(exp=1_700_000_000)
    assert place.refused("status", place.file) == "the token has expired; must be a new one"


# --- logs


def test_logs_are_told_in_their_order_and_followed(place: Place) -> None:
    client = place.aws.client("logs")
    group = "/scythe/lab/simulations"
    assert place.refused("logs", place.file, "simulations") == (
        "simulations has no log yet: run cdktf deploy lab-workers first"
    )
    client.create_log_group(logGroupName=group)
    streams = [f"worker/worker/{digit * 32}" for digit in "12"]
    now = int(time.time() * 1000)

    def write(stream: str, age: int, message: str) -> None:
        event = {"timestamp": now - age * 1000, "message": message}
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    for stream in streams:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    write(streams[0], 7200, "long ago")
    write(streams[0], 30, "first")
    write(streams[1], 20, '{"message": "second"}\n')
    said = place.run("logs", place.file, "simulations").stdout.splitlines()
    assert [line.split(" ", 2)[2] for line in said] == ["11111111 first", '22222222 {"message": "second"}']
    assert len(place.run("logs", place.file, "simulations", "--since", "1d").stdout.splitlines()) == 3
    process = subprocess.Popen(
        [COMMAND, "logs", place.file, "simulations", "--follow"],
        env=place.aws.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert [process.stdout.readline().split()[-1] for _ in said] == ["first", '"second"}']
        # An event of before the last one, which arrived late.
        write(streams[0], 22, "late")
        assert "late" in process.stdout.readline()
        process.send_signal(2)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, rest) == (0, "") and "Traceback" not in errors


def test_what_is_no_fleet_or_time_is_told(place: Place) -> None:
    assert place.refused("logs", place.file, "sims") == (
        "lab has no fleet sims; must be one of simulations, annual, fanouts"
    )
    assert place.refused("logs", place.file, "annual", "--since", "soon") == (
        "--since: got 'soon'; must be a time such as 90s, 30m, 2h or 1d"
    )
    assert seconds_of("1h30m") == 5400


# --- download


@pytest.fixture
def runs(place: Place) -> Place:
    """Runs in the bucket, laid out as scythe-engine does."""
    s3 = place.aws.client("s3")
    for run in (
        "a/v2.0.0/2026-01-02_00-00-00",
        "a/v10.0.0/2026-01-01_00-00-00",
        "a/v10.0.0/2026-01-03_00-00-00",
        "ab/v1.0.0/2026-01-01_00-00-00",
    ):
        for path in (
            "manifest.yml",
            "specs.pq",
            "final/scalars.pq",
            "results/report/1.csv",
            "results/task-dataframes/scalars/1.pq",
            "artifacts/weather/1.epw",
            "scatter-gather/input/root/1.pq",
        ):
            s3.put_object(Bucket="results", Key=f"scythe/{run}/{path}", Body=f"{run} {path}".encode())
    return place


NEWEST = "a/v10.0.0/2026-01-03_00-00-00"
RESULTS = ["final/scalars.pq", "manifest.yml", "results/report/1.csv", "specs.pq"]


def held(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ("a", NEWEST),
        ("a/v10.0.0", NEWEST),
        ("a/v2.0.0/", "a/v2.0.0/2026-01-02_00-00-00"),
        ("a/v10.0.0/2026-01-01_00-00-00", "a/v10.0.0/2026-01-01_00-00-00"),
    ],
)
def test_a_run_is_downloaded(runs: Place, given: str, run: str) -> None:
    said = runs.run("download", runs.file, given).stdout
    assert said == f"{run}: 4 files to {run}, 0 were there.\n"
    folder = runs.file.parent / run
    assert held(folder) == RESULTS
    assert (folder / "final/scalars.pq").read_text() == f"{run} final/scalars.pq"


def test_what_is_here_is_not_downloaded_again(runs: Place, tmp_path: Path) -> None:
    out = tmp_path / "out"
    runs.run("download", runs.file, "a", "--out", out)
    (out / "specs.pq").unlink()
    (out / "manifest.yml").write_text("x")
    again = (out / "final/scalars.pq").read_text()
    (out / "final/scalars.pq").write_text(again.upper())  # as long, and of another time
    said = runs.run("download", runs.file, "a", "--out", out).stdout
    assert said == f"{NEWEST}: 3 files to {out}, 1 were there.\n"
    assert (out / "final/scalars.pq").read_text() == again and held(out) == RESULTS
    everything = runs.run("download", runs.file, "a", "--out", out, "--all").stdout
    assert everything == f"{NEWEST}: 3 files to {out}, 4 were there.\n"


def test_nothing_half_written_stays(runs: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in runs.aws.variables.items():
        monkeypatch.setenv(name, value)
    replace = Path.replace

    def breaking(self: Path, target: Path) -> Path:
        if target.name == "scalars.pq":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", breaking)
    with pytest.raises(OSError, match="No space left"):
        downloading.download(str(runs.file), "a", tmp_path / "out")
    assert not [name for name in held(tmp_path / "out") if name not in RESULTS or "scalars" in name]
    monkeypatch.undo()
    assert runs.run("download", runs.file, "a", "--out", tmp_path / "out").returncode == 0
    assert held(tmp_path / "out") == RESULTS


def test_a_run_without_results_yet_is_told(runs: Place) -> None:
    s3 = runs.aws.client("s3")
    s3.put_object(Bucket="results", Key="scythe/c/v1.0.0/2026-01-01_00-00-00/specs.pq", Body=b"x")
    result = runs.run("download", runs.file, "c")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "c/v1.0.0/2026-01-01_00-00-00 has no gathered results yet (final/)" in result.stderr
    s3.delete_object(Bucket="results", Key="scythe/c/v1.0.0/2026-01-01_00-00-00/specs.pq")


def test_a_run_that_is_not_there_is_told(runs: Place) -> None:
    for run in ("b", "a/v3.0.0", "a/v2.0.0/2026-01-03_00-00-00"):
        assert runs.refused("download", runs.file, run) == (
            f"results/scythe/ has no run {run}; it has runs of a, ab"
        )


def test_a_key_that_leads_out_is_refused(runs: Place) -> None:
    key = "scythe/d/v1.0.0/2026-01-01_00-00-00/final/../../../../x"
    runs.aws.client("s3").put_object(Bucket="results", Key=key, Body=b"x")
    assert (
        runs.refused("download", runs.file, "d", status=1)
        == f"{key}: is no file's name; nothing was downloaded"
    )
    runs.aws.client("s3").delete_object(Bucket="results", Key=key)


def test_tasks_cost_what_they_have_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.aws import Caller
    from ops.fleet_tasks import DeployedFleets

    for name, value in place.aws.variables.items():
        monkeypatch.setenv(name, value)
    environment = load(place.file)
    fleets = DeployedFleets(Caller(environment), environment)
    tasks = [
        {"capacityProviderName": "FARGATE_SPOT", "startedAt": NOW - 2 * HOUR},
        {"capacityProviderName": "FARGATE", "startedAt": NOW - HOUR},
        {"capacityProviderName": "FARGATE"},
    ]
    monkeypatch.setattr(
        fleets, "_services", lambda: {"simulations": (2, 1, 3), "simulations-on-demand": (1, 0, 1)}
    )
    monkeypatch.setattr(
        fleets, "_bounds", lambda _: {"simulations": (0, 100), "simulations-on-demand": (0, 20)}
    )
    monkeypatch.setattr(fleets, "_tasks", lambda services: iter(tasks if len(services) == 2 else ()))
    spot, on_demand = (usd_per_hour(environment.workers["simulations"], spot=spot) for spot in (True, False))
    (found,) = fleets.look(NOW).items()
    assert found == (
        "simulations",
        FleetTasks(
            3, 1, 4, (0, 120), pytest.approx(2 * spot + on_demand), pytest.approx(spot + 2 * on_demand)
        ),
    )
