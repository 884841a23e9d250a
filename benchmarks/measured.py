"""Run a Python program and report the memory that it and its child processes took at their peak.

`python measured.py REPORT MODULE_TO_IMPORT_FIRST PROGRAM`; the module may be the empty string.
"""

from __future__ import annotations

import atexit
import importlib
import json
import resource
import runpy
import sys
from pathlib import Path


def _report(file: Path) -> None:
    # ru_maxrss is in KiB on Linux and in bytes on macOS (getrusage(2) of each).
    unit = 2**20 if sys.platform == "darwin" else 2**10
    used = (
        resource.getrusage(who).ru_maxrss / unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    file.write_text(json.dumps(dict(zip(("python", "node"), used, strict=True))), encoding="utf-8")


def _main() -> None:
    report, first, program = sys.argv[1:]
    # Exit handlers run last in, first out: jsii's, which ends Node and waits for it, is registered later.
    atexit.register(_report, Path(report))
    sys.path[0] = str(Path(program).parent)
    sys.argv = [program]
    if first:
        importlib.import_module(first)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    _main()
