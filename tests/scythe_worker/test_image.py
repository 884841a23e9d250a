"""The worker image's recipe, without Docker: what it declares, and a worker run as it says.

The image's tree is laid out in a folder, owned by someone else than the worker's user, with nothing to write
but the declared volumes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty, Queue
from socket import socket
from typing import TypeVar

import pytest

from tests.scythe_worker.test_worker import environment, package, token, worker
from tests.support.hatchet_engine import Engine, engine
from tests.support.project import ROOT
from tests.support.serving import serving

RECIPE = (ROOT / "Dockerfile.worker").read_text()
VOLUMES = ("/tmp", "/var/cache/scythe", "/home/scythe")
UID = 10001
T = TypeVar("T")

EXPERIMENT = """
import tempfile
from pathlib import Path

from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.registry import ExperimentRegistry
from scythe.utils.filesys import FileReference

class Input(ExperimentInputSpec):
    weather: FileReference

class Output(ExperimentOutputSpec):
    uid: int
    weather: str
    artifact: str
    temporary: str
    refused: list[str]

@ExperimentRegistry.Register(retries=0)
def annual(input_spec: Input, tempdir: Path) -> Output:
    '''Reads its artifact, writes where it may and tries where it may not.'''
    import os, scythe, experiments
    (tempdir / "out.txt").write_text("x")
    Path.home().joinpath("cache.txt").write_text("x")
    refused = []
    site = Path(scythe.__file__).parents[1]
    for folder in (site / "scythe", site, Path(experiments.__file__).parent):
        try:
            (folder / "x").write_text("x")
        except PermissionError:
            refused.append(folder.name)
    weather = input_spec.weather
    return Output(uid=os.getuid(), weather=weather.read_text(), artifact=str(weather.resolve()),
        temporary=str(tempdir), refused=refused)
"""


def as_worker() -> list[str]:
    """What makes the next program one of an ordinary user: root's rights but to read are gone."""
    if os.geteuid() != 0:
        return []
    read = "+dac_read_search"  # Python itself may lie in root's home.
    return ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", f"--inh-caps={read}",
            f"--ambient-caps={read}", "--bounding-set=-all,+dac_read_search", "--"]  # fmt: skip


class Image:
    """The image's tree in a folder: ``app`` and ``site-packages`` read-only, the volumes the worker's."""

    def __init__(self, root: Path, experiments: str | Path = EXPERIMENT) -> None:
        import scythe

        self.app = root / "app"
        self.site = root / "site-packages"
        self.volumes = {path: root / "volumes" / path.lstrip("/") for path in VOLUMES}
        for volume in self.volumes.values():
            volume.mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(volume, UID, UID)
        self.app.mkdir(parents=True)
        ours = shutil.ignore_patterns("__pycache__")
        if isinstance(experiments, Path):
            shutil.copytree(experiments, self.app / "experiments", ignore=ours)
        else:
            package(self.app, experiments)
        shutil.copytree(ROOT / "scythe_worker", self.app / "scythe_worker", ignore=ours)
        shutil.copytree(Path(scythe.__file__).parent, self.site / "scythe")
        (self.site / "cache").symlink_to(self.volumes["/var/cache/scythe"])
        for path in (*self.app.rglob("*"), *self.site.rglob("*"), self.app, self.site):
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222 | 0o555 * path.is_dir())

    def environment(self, **more: str) -> dict[str, str]:
        """The image's variables, and the worker's."""
        return environment(
            PYTHONPATH=f"{self.app}:{self.site}", TMPDIR=str(self.volumes["/tmp"]),
            HOME=str(self.volumes["/home/scythe"]), **more,
        )  # fmt: skip

    @contextlib.contextmanager
    def run(self, given: Mapping[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The image's command, run as the image says, until the block ends."""
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*as_worker(), sys.executable, "-m", "scythe_worker", *arguments],
                cwd=self.app, env=dict(given), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def arrival(queue: Queue[T], process: subprocess.Popen[bytes], log: Path) -> T:
    """What the worker sends next; fails with the worker's log when it ends instead."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(Empty):
            return queue.get(timeout=0.2)
    pytest.fail(f"the worker ({process.poll()}) sends nothing:\n{log.read_text()}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connection(hatchet: Engine) -> dict[str, str]:
    """What leads a worker to this engine."""
    address = f"127.0.0.1:{hatchet.port}"
    return {
        "HATCHET_CLIENT_TOKEN": token(
            sub="tenant", server_url="http://127.0.0.1:1", grpc_broadcast_address=address
        ),
        "HATCHET_CLIENT_TLS_STRATEGY": "none",
    }


def test_a_worker_of_a_read_only_image_runs_a_task(tmp_path: Path) -> None:
    image = Image(tmp_path / "image")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "weather.epw").write_text("rain")
    port = str(free_port())
    with engine() as hatchet, serving(tmp_path / "www") as url:
        given = image.environment(
            SCYTHE_WORKER_DOES_FAN="False", SCYTHE_WORKER_SLOTS="2", SCYTHE_WORKER_NAME="docs-simulations",
            SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION="30m", HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED="True",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_BIND_ADDRESS="127.0.0.1",
            HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT=port, **connection(hatchet),
        )  # fmt: skip
        log = tmp_path / "log"
        with image.run(given, log) as process:
            registered = arrival(hatchet.registered, process, log)
            hatchet.give(
                "scythe_experiment_annual:scythe_experiment_annual",
                {"experiment_id": "e1", "sort_index": 0, "weather": f"{url}/weather.epw"},
            )
            kind, payload = arrival(hatchet.ended, process, log)
            health = worker("health", at=image.app, given=given)
        text = log.read_text()
    assert kind == "STEP_EVENT_TYPE_COMPLETED", payload + text
    assert (registered.worker_name, registered.slot_config["default"]) == ("docs-simulations", 2)
    assert [workflow.name for workflow in hatchet.workflows] == ["scythe_experiment_annual"]
    assert [task.timeout for task in hatchet.workflows[0].tasks] == ["30m"]
    assert (health.returncode, health.stderr) == (0, "")
    output = json.loads(payload)
    assert output["weather"] == "rain"
    assert output["artifact"] == str(image.volumes["/var/cache/scythe"] / "e1" / "weather.epw")
    assert Path(output["temporary"]).parent == image.volumes["/tmp"]
    assert output["refused"] == ["scythe", "site-packages", "experiments"]
    assert output["uid"] == (UID if os.geteuid() == 0 else os.geteuid())
    assert (image.volumes["/home/scythe"] / "cache.txt").exists()
    assert not list(image.app.rglob("__pycache__"))


TWO = (
    EXPERIMENT
    + """
@ExperimentRegistry.Register()
def daily(input_spec: Input) -> Output:
    '''Another.'''
"""
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "registers"),
    [
        ({"LEAF": "False"}, ["scythe_scatter_gather"]),
        ({}, ["scythe_experiment_annual", "scythe_experiment_daily"]),
        ({"EXPERIMENTS": "scythe_experiment_annual"}, ["scythe_experiment_annual"]),
        ({"EXPERIMENTS_ELSEWHERE": "scythe_experiment_annual"}, ["scythe_experiment_daily"]),
    ],
)
def test_a_worker_registers_its_fleets_tasks_alone(
    tmp_path: Path, told: dict[str, str], registers: list[str]
) -> None:
    roles = {"DOES_LEAF": str("LEAF" not in told), "DOES_FAN": str("LEAF" in told)}
    given = {f"SCYTHE_WORKER_{name}": value for name, value in (told | roles).items()}
    image = Image(tmp_path / "image", TWO)
    log = tmp_path / "log"
    with engine() as hatchet, image.run(image.environment(**given, **connection(hatchet)), log) as process:
        arrival(hatchet.registered, process, log)
    assert [workflow.name for workflow in hatchet.workflows] == registers


def test_a_cache_without_a_volume_is_said_at_once(tmp_path: Path) -> None:
    image = Image(tmp_path / "image")
    image.volumes["/var/cache/scythe"].rmdir()
    log = tmp_path / "log"
    with image.run(image.environment(), log) as process:
        assert process.wait(timeout=60) == 2
    assert re.fullmatch(
        r"scythe_worker: \S+/site-packages/cache: cannot be written; must be .*\n", log.read_text()
    )


def test_volumes_are_made_for_the_worker_before_they_are_declared() -> None:
    final = RECIPE.split("\nFROM ")[-1]
    declared = re.search(r"^VOLUME (\[.*\])$", final, re.MULTILINE)
    assert declared is not None and declared[1] == '["/tmp", "/var/cache/scythe", "/home/scythe"]'
    made = final[: declared.start()]
    for volume in VOLUMES:
        assert re.search(rf"install -d -o {UID} -g {UID} -m \d+ .*{volume}\b", made), volume
    assert f"\nUSER {UID}:{UID}\n" in made
    assert re.search(r'^CMD \["python", "-m", "scythe_worker"\]$', final, re.MULTILINE)
    # scythe-engine imports requests without declaring it; the repository's versions are its own, and are checked.
    assert 'RUN EXTRAS="$EXTRAS" sh /install/install.sh\n' in RECIPE.split("\nFROM base\n")[0]
    assert RECIPE.index("\nUSER ") < RECIPE.index("RUN python -m scythe_worker.check ")
    assert "type=cache" not in RECIPE
    assert re.search(r"^ARG PYTHON_IMAGE=\S+:\S+@sha256:[0-9a-f]{64}$", RECIPE, re.MULTILINE)
