"""Work that all of pytest's processes share, done by the one that asks first."""

from __future__ import annotations

import fcntl
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def once(factory: pytest.TempPathFactory, worker_id: str, work: Callable[[Path], Any], name: str) -> Any:
    """The result of `work`, as JSON keeps it.

    Args:
        factory: pytest's fixture.
        worker_id: pytest-xdist's fixture.
        work: Given a folder of its own, which stays as long as pytest keeps the run's.
        name: The folder's, which no other work has.
    """
    base = factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / name
    folder.mkdir(exist_ok=True)
    results = folder / "results.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not results.exists():
            results.write_text(json.dumps(_outcome(work, folder)))
    outcome = json.loads(results.read_text())
    if "failure" in outcome:
        pytest.fail(outcome["failure"], pytrace=False)
    return outcome["result"]


def _outcome(work: Callable[[Path], Any], folder: Path) -> dict[str, Any]:
    try:
        return {"result": work(folder)}
    except Exception:
        # One failure for all who ask, rather than another attempt for each.
        return {"failure": traceback.format_exc()}
