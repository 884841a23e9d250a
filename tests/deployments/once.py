"""Work that all of pytest's processes share, done by the one that asks first."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def once(factory: pytest.TempPathFactory, worker_id: str, work: Callable[[Path], Any]) -> Any:
    """The result of `work`, as JSON keeps it.

    Args:
        factory: pytest's fixture.
        worker_id: pytest-xdist's fixture.
        work: Given a folder of its own, which stays as long as pytest keeps the run's.
    """
    base = factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / work.__name__
    folder.mkdir(exist_ok=True)
    results = folder / "results.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not results.exists():
            text = json.dumps(work(folder))
            results.write_text(text)
    return json.loads(results.read_text())
