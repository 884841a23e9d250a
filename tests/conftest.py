"""What all tests stand on: a local AWS, its providers, the exported modules."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from local_aws import LocalAws
from tests.support.once import once
from tests.support.providers import Providers

pytest_plugins = ["tests.support.running"]

# A machine that does other work too is no fault of what is tested.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Have Ctrl-C heard: what a shell runs in its background ignores it, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """The local AWS of one of pytest's processes; tests have it as `aws`."""
    with LocalAws.start() as started:
        yield started


@pytest.fixture(scope="module")
def aws(local_aws: LocalAws) -> LocalAws:
    """An empty local AWS for a file's tests, with clients of its own, on which tests may hang things."""
    local_aws.reset()
    return LocalAws(local_aws.endpoint_url, local_aws.region, local_aws.log)


@pytest.fixture
def providers(aws: LocalAws) -> Iterator[Providers]:
    """The providers of a test's local AWS."""
    with Providers.of(aws.environment) as started:
        yield started


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The output folder of `docs` and of the contract's self-hosted environment, for all that only read it."""
    from environments.loading import FOLDER, load_all
    from main import synthesize
    from tests.support.project import SELF_HOSTED

    def work(folder: Path) -> str:
        synthesize(load_all([FOLDER / "docs.yaml", SELF_HOSTED]), folder / "out")
        return str(folder / "out")

    return Path(once(tmp_path_factory, worker_id, work, "synthesized"))


@pytest.fixture(scope="session")
def stacks(synthesized: Path) -> dict[str, dict[str, Any]]:
    """What the stacks of `docs` and of the contract's self-hosted environment `prod` say, by their names."""
    return {
        file.parent.name: json.loads(file.read_text())
        for file in sorted(synthesized.glob("stacks/*/cdk.tf.json"))
    }


@pytest.fixture(scope="session")
def modules_repository(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, str]:
    """The files of the exported modules by their paths, made once for all of pytest's processes."""
    from ops.export.repository import repository

    files: dict[str, str] = once(tmp_path_factory, worker_id, lambda _: repository(None), "repository")
    return files
