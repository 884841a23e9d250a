"""Experiments as a researcher allocates them, from the workers' own package, and their results."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from local_aws import LocalAws
from tests.support.hatchet.workers import Workers

ALLOCATE = """
import json, sys
from experiments import Input, long
from scythe.experiments import BaseExperiment
from scythe.scatter_gather import RecursionMap

lengths, branches, name = json.loads(sys.argv[1])
specs = [Input(experiment_id="e", sort_index=i, seconds=seconds) for i, seconds in enumerate(lengths)]
experiment = BaseExperiment(runnable=long, run_name=name)
run, ref = experiment.allocate(specs, recursion_map=RecursionMap(path=None, factor=branches, max_depth=1))
print(json.dumps([run.experiment_id, ref.workflow_run_id]))
"""


def register(fleet: Workers) -> None:
    """Have the engine know the experiments before any worker has run."""
    _run(fleet, "-m", "scythe_worker", "register")


def allocate(fleet: Workers, lengths: Sequence[float], branches: int) -> tuple[str, str]:
    """Allocate simulations; the experiment's id, and its run's.

    Args:
        fleet: in whose folder and environment.
        lengths: what each takes, in seconds.
        branches: the scatter_gather tasks that share them out, beside the first one.
    """
    said = _run(fleet, "-c", ALLOCATE, json.dumps([list(lengths), branches, fleet.name]))
    experiment, run = json.loads(said.splitlines()[-1])
    return experiment, run


def check_results(aws: LocalAws, fleet: Workers, prefix: str, experiment: str, count: int) -> None:
    """See that the gathered Parquet has each result once, and exact."""
    gathered = fleet.folder / "scalars.pq"
    aws.client("s3").download_file("results", f"{prefix}/{experiment}/final/scalars.pq", str(gathered))
    results = pd.read_parquet(gathered).reset_index().sort_values("sort_index")
    assert list(results["sort_index"]) == list(range(count))
    assert list(results["square"]) == [spec**2 for spec in range(count)]


def forget(experiment: str) -> None:
    """Remove what scythe-engine keeps of an experiment beside its own package."""
    import scythe

    shutil.rmtree(Path(scythe.__file__).parents[1] / "cache" / experiment, ignore_errors=True)


def _run(fleet: Workers, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=fleet.folder, env=fleet.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
