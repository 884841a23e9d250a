"""docs/walkthrough.md, followed on a real engine: from a token to results, with the example repository.

What it takes is what a deployment gives: Terraform applies the environment to the local AWS, and the workers, and
what registers their experiments, get the environment of its task definitions, in the image's tree, read-only, as its
user. Not followed here: Docker's build and push (tests/ops/commands/test_image.py), and that ECS starts the tasks.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from tests.ops.commands.test_token import IMAGE, lab
from tests.scythe_worker.test_image import Image, free_port
from tests.support.command import scythe_aws
from tests.support.deployed import Deployed
from tests.support.hatchet.engine import Hatchet, hatchet
from tests.support.project import ROOT

EXAMPLE = ROOT / "examples" / "heating"
WALKTHROUGH = ROOT / "docs" / "walkthrough.md"
SECONDS = 180

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@dataclass
class Place:
    """A deployed environment, its engine, and its workers.

    Attributes:
        aws: where.
        engine: Hatchet's.
        folder: where commands are typed.
        file: the environment's.
        workers: starts them.
    """

    aws: LocalAws
    engine: Hatchet
    folder: Path
    file: Path
    workers: ExitStack

    def run(self, *arguments: str | Path) -> str:
        """What a command prints; it must end well."""
        result = scythe_aws(*arguments, cwd=self.folder, environment=self.aws.environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def allocate(self, houses: int) -> list[str]:
        """Allocate as a researcher does; the runs' names."""
        # In place of TLS, which a token's engine has.
        plain = ("env", "HATCHET_CLIENT_TLS_STRATEGY=none")
        return self.run(
            "connect", self.file, "--", *plain, sys.executable, EXAMPLE / "allocate.py", str(houses)
        ).split()

    def status(self) -> Any:
        return json.loads(self.run("status", self.file, "--json"))

    def wait_until_done(self) -> Any:
        """The status once nothing waits or runs."""
        until = time.monotonic() + SECONDS
        while True:
            found = self.status()
            if not any(fleet["queued"] or fleet["running"] for fleet in found["fleets"].values()):
                return found
            assert time.monotonic() < until, f"{found}\n{self.logs()}"
            time.sleep(1)

    def wait_until_queued(self, fleet: str, number: int) -> None:
        until = time.monotonic() + SECONDS
        while (found := self.status()["fleets"][fleet]["queued"]) != number:
            assert time.monotonic() < until, f"{found} queued\n{self.logs()}"
            time.sleep(1)

    def start_workers(self) -> None:
        """Start a worker of each fleet, with what its task definition says."""
        for fleet in ("fanouts", "simulations"):
            image = Image(self.folder / fleet, EXAMPLE / "experiments")
            given = image.environment() | self.aws.variables | self._task_environment(fleet)
            # The tasks of one machine share its ports; this engine is without TLS.
            given |= {
                "HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT": str(free_port()),
                "HATCHET_CLIENT_TLS_STRATEGY": "none",
            }
            self.workers.enter_context(image.run(given, self.folder / f"{fleet}.log"))
        self._wait_for_workers(2)

    def register(self) -> None:
        """Register what the image has, as the backlog service's task does first."""
        image = Image(self.folder / "register", EXAMPLE / "experiments")
        given = image.environment() | self.aws.variables | self._task_environment("backlog", "register")
        given |= {"HATCHET_CLIENT_TLS_STRATEGY": "none"}
        with image.run(given, self.folder / "register.log", "register") as process:
            assert process.wait(SECONDS) == 0, self.logs()

    def logs(self) -> str:
        return "\n".join(file.read_text()[-3000:] for file in self.folder.glob("*.log"))

    def _task_environment(self, service_name: str, name: str = "worker") -> dict[str, str]:
        ecs, secrets = self.aws.client("ecs"), self.aws.client("secretsmanager")
        (service,) = ecs.describe_services(cluster="lab-workers", services=[service_name])["services"]
        task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        (container,) = [each for each in task["containerDefinitions"] if each["name"] == name]
        return {item["name"]: item["value"] for item in container["environment"]} | {
            item["name"]: secrets.get_secret_value(SecretId=item["valueFrom"])["SecretString"]
            for item in container["secrets"]
        }

    def _wait_for_workers(self, number: int) -> None:
        until = time.monotonic() + SECONDS
        while int(self.engine.query('SELECT count(*) FROM "Worker" WHERE "isActive"')[0][0]) < number:
            assert time.monotonic() < until, self.logs()
            time.sleep(0.5)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("walkthrough")
    (folder / "environments").mkdir()
    # In place of docker: the line that scythe-aws image push writes.
    (folder / "environments" / "lab.image").write_text(f"{IMAGE}\n")
    with (
        LocalAws.start(log=folder / "local-aws.txt") as aws,
        hatchet(folder) as engine,
        ExitStack() as workers,
    ):
        fleets = {"simulations": {"role": "leaf", "slots": 4}, "fanouts": {"role": "fan"}}
        deployed = Deployed.synthesized(aws, folder, {**lab(aws), "workers": fleets})
        deployed.apply(["network", "storage"])
        # In place of scythe-aws token, which refuses an engine of this machine: no task could reach it.
        aws.client("secretsmanager").put_secret_value(
            SecretId="lab/hatchet-client-token", SecretString=engine.token
        )
        deployed.apply(["workers"])
        yield Place(aws, engine, folder, folder / "environments" / "lab.yaml", workers)


def heat(u_value: float, area: float, setpoint: float, weather: str) -> tuple[float, float]:
    """What the example computes, once more."""
    with (EXAMPLE / "weather" / Path(weather).name).open(newline="") as file:
        outside = [float(row["temperature"]) for row in csv.DictReader(file)]
    losses = [u_value * area * max(0.0, setpoint - temperature) / 1000 for temperature in outside]
    return sum(losses), max(losses)


def test_from_allocate_to_results(place: Place) -> None:
    place.register()
    houses, insulations = place.allocate(6)
    # No worker has ever run: what waits here is what wakes the fleets.
    assert place.engine.query('SELECT count(*) FROM "Worker"') == [("0",)]
    place.wait_until_queued("fanouts", 2)
    place.start_workers()
    assert re.fullmatch(r"scythe_experiment_heating/v1\.0\.0/[\d_-]+", houses)
    assert insulations.startswith("scythe_experiment_payback/v1.0.0/")
    found = place.wait_until_done()["fleets"]
    assert {name: (fleet["done"], fleet["failed"]) for name, fleet in found.items()} == {
        "simulations": (12, 0),
        "fanouts": (2, 0),
    }
    assert found["simulations"]["tasks"]["bounds"] == [0, 100] and found["simulations"]["seconds_each"] > 0

    said = place.run("download", place.file, "scythe_experiment_heating")
    assert said == f"{houses}: 5 files to {houses}, 0 were there.\n"
    import pandas

    rows = pandas.read_parquet(place.folder / houses / "final" / "scalars.pq").reset_index()
    assert sorted(rows["sort_index"]) == list(range(6))
    for row in rows.itertuples():
        expected = heat(row.u_value, row.area, row.setpoint, row.weather)
        assert (row.energy, row.peak) == pytest.approx(expected, rel=1e-12)
    years = place.run("download", place.file, insulations, "--out", "payback")
    assert years.startswith(f"{insulations}: 4 files to payback")
    payback = pandas.read_parquet(place.folder / "payback" / "final" / "scalars.pq").reset_index()
    assert list(payback.sort_values("price")["years"]) == [2, 4, 6, 8, 10, 11]


def test_stop_cancels_what_waits_and_lowers_the_fleets(place: Place) -> None:
    place.workers.close()
    place.allocate(3)
    place.aws.client("ecs").update_service(cluster="lab-workers", service="simulations", desiredCount=7)
    before = place.status()["fleets"]
    assert (before["fanouts"]["queued"], before["simulations"]["tasks"]["desired"]) == (2, 7)
    said = place.run("stop", place.file, "--yes").splitlines()
    assert said == [
        "Cancelled 2 runs.",
        "fanouts: 0 tasks, as few as it may have.",
        "simulations: 7 tasks to 0.",
    ]
    after = place.status()["fleets"]
    assert (after["fanouts"]["queued"], after["simulations"]["tasks"]["desired"]) == (0, 0)
    assert place.run("stop", place.file, "--yes").startswith("No run waited or ran.\n")


def test_the_walkthroughs_commands_are_these() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", WALKTHROUGH.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert [line.split()[:3] for line in lines if line.startswith("scythe-aws")] == [
        ["scythe-aws", "image", "build"],
        ["scythe-aws", "image", "push"],
        ["scythe-aws", "token", "docs"],
        ["scythe-aws", "connect", "docs"],
        ["scythe-aws", "status", "docs"],
        ["scythe-aws", "logs", "docs"],
        ["scythe-aws", "download", "docs"],
        ["scythe-aws", "stop", "docs"],
    ]
