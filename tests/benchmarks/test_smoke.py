"""The benchmarks run; what they measure is judged where nothing else runs."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.support.project import ROOT

needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not on the PATH")


@pytest.mark.parametrize(
    "benchmark",
    [
        "benchmarks.synth",
        "benchmarks.worker_start",
        pytest.param("benchmarks.image_weight", marks=needs_zstd),
    ],
)
def test_a_benchmark_runs(benchmark: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", benchmark, "--smoke"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
