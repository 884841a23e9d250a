"""From a worker's process start to its registration, and its memory: this project's against scythe-engine's own.

Run `python -m benchmarks.worker_start`; `--smoke` only sees that both start. Both run the same experiments against
the tests' stand-in of an engine (no real one need be here), in turns, so that what else the machine does strikes
both. Everything is the median of the runs. What is judged is the CPU time until the registration, which other
programs hardly change; the memory is what the processes of a worker have to themselves (USS), and with their part of
what they share (PSS).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.scythe_worker.test_image import arrival, connection
from tests.scythe_worker.test_worker import EXPERIMENT, environment, package
from tests.support.hatchet_engine import engine

STOCK = """
from scythe.worker import ScytheWorkerConfig

import experiments

if __name__ == "__main__":
    ScytheWorkerConfig().start()
"""

COMMANDS = {"stock": ["start.py"], "scythe_worker": ["-m", "scythe_worker"]}
LIMIT = 1.0
"""No slower than scythe-engine's own."""

Measure = tuple[float, float, float, float]


def measure(command: Sequence[str], folder: Path) -> Measure:
    """Seconds to the registration, those of CPU, and MiB of the worker's processes: USS and PSS.

    One that ends instead raises, with its log.
    """
    log = folder / "log"
    with engine() as hatchet, log.open("wb") as out:
        given = environment(SCYTHE_WORKER_SLOTS="1", PYTHONDONTWRITEBYTECODE=None, **connection(hatchet))
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder, env=given, stdout=out, stderr=subprocess.STDOUT, process_group=0,
        )  # fmt: skip
        try:
            arrival(hatchet.registered, process, log)
            took = time.perf_counter() - started
            tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            cpu = sum(sum(one.cpu_times()[:2]) for one in tree)
            used = [one.memory_full_info() for one in tree]
            return took, cpu, sum(one.uss for one in used) / 2**20, sum(one.pss for one in used) / 2**20
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def main() -> int:
    """Measure both in turns, print the medians and the ratios; 1 if ours is slower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each")
    parser.add_argument("--smoke", action="store_true", help="one run each, without the limit")
    options = parser.parse_args()
    measured: dict[str, list[Measure]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="worker-start-") as name:
        folder = package(Path(name), EXPERIMENT)
        (folder / "start.py").write_text(STOCK)
        for command in COMMANDS.values():  # warms the disk's cache, and Python's own
            measure(command, folder)
        for _ in range(0 if options.smoke else options.repeat):
            for which, command in COMMANDS.items():
                measured[which].append(measure(command, folder))
    if options.smoke:
        print("both register")
        return 0
    middle = {
        which: tuple(statistics.median(column) for column in zip(*runs, strict=True))
        for which, runs in measured.items()
    }
    print(f"{'':14} registered     CPU         USS         PSS")
    for which, (seconds, cpu, own, shared) in middle.items():
        print(f"{which:14} {seconds:8.2f} s  {cpu:5.2f} s  {own:6.0f} MiB  {shared:6.0f} MiB")
    ratios = [ours / stock for ours, stock in zip(middle["scythe_worker"], middle["stock"], strict=True)]
    print(f"{'ratio':14} {ratios[0]:8.2f}    {ratios[1]:5.2f}    {ratios[2]:6.2f}      {ratios[3]:6.2f}")
    return 0 if ratios[1] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
