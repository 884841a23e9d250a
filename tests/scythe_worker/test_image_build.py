"""Dockerfile.worker, built by buildah as a researcher's repository is, and a worker of that image.

No Docker engine and no registry need be here: what runs in the build runs in a chroot, the base image is of this
machine's own Python (`tests.support.machine_base`), and the packages are the locked ones, from Python's package index.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scythe_worker.test_image import UID, VOLUMES, arrival, connection
from tests.support.hatchet_engine import engine
from tests.support.machine_base import lay_out
from tests.support.project import ROOT

INDEX = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BASE = "localhost/python"
IMAGE = "localhost/heating"


def lacking() -> str:
    """Why no image can be built here; empty where one can."""
    if not shutil.which("buildah"):
        return "buildah is not on PATH"
    if os.geteuid() != 0 or sys.platform != "linux":
        return "buildah builds in a chroot as root of Linux alone"
    if not Path(CERTIFICATES).exists() or not Path("/sbin/ldconfig").exists():
        return "the base image is made of a Debian's files"
    return ""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(lacking()), reason=lacking()),
]


class Buildah:
    """buildah with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._store = [f"--root={folder / 'store'}", f"--runroot={folder / 'run'}"]
        (folder / "tmp").mkdir()
        self._environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "TMPDIR": str(folder / "tmp")}

    def __call__(self, *arguments: str) -> str:
        """What it prints; fails with what it says."""
        ran = subprocess.run(
            ["buildah", *self._store, *arguments],
            env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"buildah {arguments[0]}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}"
        return ran.stdout

    def build(self, tag: str, recipe: Path, context: Path, *options: str) -> None:
        """Build an image."""
        given = (
            f"--file={recipe}",
            "--format=docker",
            "--isolation=chroot",
            "--layers=false",
            f"--tag={tag}",
        )
        self("build", *given, *options, str(context))

    def start(self, container: str, log: Path, **given: str) -> subprocess.Popen[bytes]:
        """Run a container's command."""
        environment = [f"--env={name}={value}" for name, value in given.items()]
        command = [*self._store, "run", "--isolation=chroot", *environment, container]
        with log.open("wb") as out:
            return subprocess.Popen(
                ["buildah", *command, "--", "python", "-m", "scythe_worker"],
                env=self._environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip


@pytest.fixture(scope="module")
def buildah() -> Iterator[Buildah]:
    """One that has the image of the example's repository."""
    try:
        urllib.request.urlopen(f"{INDEX.rstrip('/')}/uv/", timeout=20).close()
    except OSError as error:
        pytest.skip(f"Python's package index cannot be reached: {getattr(error, 'reason', error)}")
    with tempfile.TemporaryDirectory(prefix="buildah-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        it = Buildah(folder)
        try:
            make_base(it, folder)
            it.build(
                IMAGE, ROOT / "Dockerfile.worker", ROOT / "examples" / "heating",
                f"--build-arg=PYTHON_IMAGE={BASE}", f"--build-context=scythe-aws={ROOT}",
                f"--ignorefile={ROOT / 'Dockerfile.worker.dockerignore'}",
            )  # fmt: skip
            yield it
        finally:
            it("rm", "--all")


def make_base(buildah: Buildah, folder: Path) -> None:
    programs = lay_out(folder / "base")
    recipe = folder / "base.Dockerfile"
    recipe.write_text(
        f"FROM scratch\nCOPY . /\nENV PATH={programs}:/usr/sbin:/usr/bin SSL_CERT_FILE={CERTIFICATES} "
        f"PIP_CERT={CERTIFICATES} PIP_INDEX_URL={INDEX} UV_DEFAULT_INDEX={INDEX}\n"
        "RUN python -m ensurepip --default-pip\n"
    )
    buildah.build(BASE, recipe, folder / "base")
    shutil.rmtree(folder / "base")


def test_the_image_declares_what_the_task_definition_counts_on(buildah: Buildah) -> None:
    found: Any = json.loads(buildah("inspect", "--type=image", IMAGE))["Docker"]["config"]
    assert (found["User"], found["WorkingDir"]) == (f"{UID}:{UID}", "/app")
    assert sorted(found["Volumes"]) == sorted(VOLUMES)
    assert found["Cmd"] == ["python", "-m", "scythe_worker"]
    assert found["Healthcheck"]["Test"] == ["CMD", "python", "-m", "scythe_worker", "health"]


def test_a_worker_of_the_image_registers_its_experiments(buildah: Buildah, tmp_path: Path) -> None:
    container = buildah("from", IMAGE).strip()
    log = tmp_path / "log"
    with engine() as hatchet:
        given = {"AWS_DEFAULT_REGION": "us-east-1", "SCYTHE_STORAGE_BUCKET": "results", **connection(hatchet)}
        process = buildah.start(container, log, **given)
        try:
            arrival(hatchet.registered, process, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert [workflow.name for workflow in hatchet.workflows] == [
        "scythe_scatter_gather",
        "scythe_experiment_heating",
        "scythe_experiment_payback",
    ]
    # The repository's own version of what it locks, and nothing of the worker's user to write but the volumes.
    locked = re.search(
        r'name = "hatchet-sdk"\nversion = "(.*)"', (ROOT / "examples/heating/uv.lock").read_text()
    )
    says = (
        "import hatchet_sdk, importlib.metadata as m, os; print(os.getuid(), m.version('hatchet-sdk'), "
        "[p for p in ('/app', '/opt/scythe', '/tmp', '/var/cache/scythe', '/home/scythe') if os.access(p, os.W_OK)])"
    )
    said = buildah("run", "--isolation=chroot", container, "--", "python", "-c", says)
    assert locked is not None
    assert said.strip() == f"{UID} {locked[1]} {['/tmp', '/var/cache/scythe', '/home/scythe']}"
