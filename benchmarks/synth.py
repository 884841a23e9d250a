"""What `python main.py` costs: time and peak memory as whole processes, against the floor and the stock import.

Run `python benchmarks/synth.py`; `--smoke` only sees that everything runs (one run each, no stock import, which
takes up to a minute). The limits are the project's: 0.7 of the floor, a fifth of the stock import, 200 MB in
Python, each further environment 0.2 of the first. The status is 1 if one is exceeded.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import synthesis  # noqa: F401  (names the packaged Node in JSII_NODE, for the stock import too)

HERE = Path(__file__).parent
PROJECT = HERE.parent
BINDINGS = "cdktf_cdktf_provider_aws"


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one process took: seconds, and the peak in MB of Python and of Node."""

    seconds: float
    python: float
    node: float


@dataclasses.dataclass(frozen=True)
class Case:
    """A program to measure."""

    name: str
    program: Path
    first: str = ""
    environments: int = 1


@dataclasses.dataclass(frozen=True)
class Bench:
    """A folder to work in, with copies of the environment's file in it, and Python's bytecode where it is its own."""

    folder: Path
    environment: Path
    own_bytecode: bool

    def measure(self, case: Case) -> Cost:
        """Run a case once."""
        report = self.folder / "report.json"
        command = [sys.executable, str(HERE / "measured.py"), str(report), case.first, str(case.program)]
        begin = time.perf_counter()
        subprocess.run(
            command, cwd=self.folder, env=self._environ(case), check=True, stdout=subprocess.DEVNULL
        )
        return Cost(time.perf_counter() - begin, **json.loads(report.read_text(encoding="utf-8")))

    def _environ(self, case: Case) -> dict[str, str]:
        # Users have their packages' bytecode, also where the benchmark's caller keeps Python from writing it.
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        bytecode = {"PYTHONPYCACHEPREFIX": str(self.folder / "bytecode")} if self.own_bytecode else {}
        files = [str(self._copy(f"bench-{number}")) for number in range(1, case.environments + 1)]
        return kept | bytecode | {"SCYTHE_AWS_ENVIRONMENTS": ":".join(files)}

    def _copy(self, name: str) -> Path:
        file = self.folder / f"{name}.yaml"
        lines = self.environment.read_text(encoding="utf-8").splitlines()
        renamed = [f"name: {name}" if line.startswith("name:") else line for line in lines]
        file.write_text("\n".join(renamed) + "\n", encoding="utf-8")
        return file


def _measured(bench: Bench, cases: list[Case], repeat: int) -> dict[str, Cost]:
    """The median cost of each case.

    More environments take longer. While noise hides that, further rounds are run, at most as many again.
    """
    runs: list[list[Cost]] = []
    while True:
        runs.append([bench.measure(case) for case in cases])
        costs = [_median(list(found)) for found in zip(*runs, strict=True)]
        seconds = [
            cost.seconds
            for case, cost in zip(cases, costs, strict=True)
            if case.name.endswith("environment(s)")
        ]
        if len(runs) >= repeat and (seconds == sorted(seconds) or len(runs) >= 2 * repeat):
            return {case.name: cost for case, cost in zip(cases, costs, strict=True)}


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(values) for values in zip(*map(dataclasses.astuple, costs), strict=True)))


def _cases(counts: list[int], *, stock: bool) -> list[Case]:
    main = PROJECT / "main.py"
    cases = [Case("floor", HERE / "floor.py")]
    cases += [Case(f"main.py, {count} environment(s)", main, environments=count) for count in counts]
    return [*cases, Case("main.py, stock import", main, BINDINGS)] if stock else cases


def _verdicts(costs: dict[str, Cost], counts: list[int]) -> list[tuple[str, float, float]]:
    """Name each ratio with its value and its limit."""
    first = costs[f"main.py, {counts[0]} environment(s)"]
    found = [("time of main.py / floor", first.seconds / costs["floor"].seconds, 0.7)]
    if stock := costs.get("main.py, stock import"):
        found.append(("time of main.py / stock import", first.seconds / stock.seconds, 0.2))
    found.append(("MB in Python", first.python, 200.0))
    for count in counts[1:]:
        further = (costs[f"main.py, {count} environment(s)"].seconds - first.seconds) / (count - 1)
        found.append((f"each further environment / first, of {count}", further / first.seconds, 0.2))
    return found


def main() -> int:
    """Measure, print the costs and the ratios, and tell whether all limits hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environment", type=Path, default=PROJECT / "environments" / "docs.yaml")
    parser.add_argument(
        "--repeat", type=int, default=3, help="runs of each case; the median counts (default 3)"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="one run each, without the stock import and the ratios"
    )
    options = parser.parse_args()
    counts = [1] if options.smoke else [1, 5, 20]
    folder = Path(tempfile.mkdtemp(prefix="scythe-aws-benchmark-"))
    try:
        bench = Bench(folder, options.environment, own_bytecode=not options.smoke)
        cases = _cases(counts, stock=not options.smoke)
        if not options.smoke:
            for case in cases:
                bench.measure(case)  # Fills the caches: bytecode, jsii's, the pruned assembly.
        costs = _measured(bench, cases, 1 if options.smoke else options.repeat)
    finally:
        shutil.rmtree(folder)
    for name, cost in costs.items():
        print(f"{name:<28} {cost.seconds:6.2f} s   Python {cost.python:5.0f} MB   Node {cost.node:5.0f} MB")
    if options.smoke:
        return 0
    verdicts = _verdicts(costs, counts)
    for name, value, limit in verdicts:
        print(f"{name:<44} {value:7.2f}   at most {limit:g}")
    return 0 if all(value <= limit for _, value, limit in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
