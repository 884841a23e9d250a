"""An environment and its Hatchet, whose REST API is a server of this process; tests/project/test_walkthrough.py has a real one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from local_aws import LocalAws
from tests.support.command import client_token, scythe_aws
from tests.support.serving import started


@dataclass
class Engine:
    """Hatchet's REST API, as far as the commands ask it.

    Attributes:
        tasks: how many wait and how many run, by task.
        asked: what was called, with its query or body.
        status: of each answer.
        stubborn: whether cancelled runs stay.
        odd: answers as they are, by what is asked.
    """

    tasks: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 200
    stubborn: bool = False
    odd: dict[str, bytes] = field(default_factory=dict)
    cancelled: int = 0
    port: int = 0

    def answer(self, request: Request) -> Response:
        what = request.path.rpartition("/")[2]
        self.asked.append((what, request.get_json(silent=True) or request.args.to_dict(flat=False)))
        assert request.headers["Authorization"].startswith("Bearer ey")
        if self.status != 200:
            return Response("<html>", self.status)
        if what in self.odd:
            return Response(self.odd[what], mimetype="application/json")
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
    with started(make_server("127.0.0.1", 0, Request.application(it.answer), threaded=True)) as it.port:
        yield it


@pytest.fixture(scope="module")
def lab(aws: LocalAws) -> LocalAws:
    """A local AWS with what `-storage` makes for `lab`."""
    aws.client("s3").create_bucket(Bucket="results")
    aws.client("secretsmanager").create_secret(Name="lab/hatchet-client-token")
    return aws


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
def place(lab: LocalAws, engine: Engine, tmp_path: Path) -> Place:
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: lab\nstorage: {{existing: true, bucket: results}}\nworkers:{FLEETS}")
    place = Place(lab, engine, file)
    place.store(server_url=f"http://127.0.0.1:{engine.port}")
    return place
