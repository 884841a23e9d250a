"""A worker ends within the notice, and its signs of life tell a blocked event loop from a busy interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scythe_worker import alive
from tests.support.project import ROOT

WORKER = """
import ctypes, multiprocessing, os, signal, subprocess, sys, time
from scythe_worker import notice

def listen(reader, seconds):
    notice.watch(reader, seconds)
    print("listens", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: notice.end_in(6, 7) if "thread" in sys.argv else None)
    context = multiprocessing.get_context("spawn")
    reader = notice.pipe()
    child = context.Process(target=listen, args=(reader, 6), daemon=True)
    child.start()
    if "fork" in sys.argv:
        # Whatever is sent to a child of a simulation is not for the worker.
        forked = os.fork()
        if forked == 0:
            time.sleep(60)
        time.sleep(0.5)
        os.kill(forked, signal.SIGTERM)
        status = os.waitpid(forked, 0)[1]
        assert os.WTERMSIG(status) == signal.SIGTERM
        print("forked ended", flush=True)
    if "held" in sys.argv:
        ctypes.PyDLL(None).sleep(60)
    time.sleep(8 if "fork" in sys.argv else 60)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "status"), [("held", -signal.SIGKILL), ("blocked", -signal.SIGKILL), ("thread", 7), ("fork", 0)]
)
def test_sigterm_always_ends(tmp_path: Path, how: str, status: int) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    process = subprocess.Popen(
        [sys.executable, "worker.py", how],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    said = process.stdout.readline()
    if how == "fork":
        assert {said, process.stdout.readline()} == {"listens\n", "forked ended\n"}
    else:
        assert said == "listens\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(20) == status
    if how != "fork":
        assert time.monotonic() - began < 6


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "BLOCKED_SECONDS", 0.5)
    failed: list[OSError] = []
    file = tmp_path / "alive-1"
    beats = alive.Beats(file, lambda: None, failed.append, every=0.05)
    until(file.exists)
    assert alive.fault(file) is None
    # The event loop does not run, and other threads do.
    until(lambda: alive.fault(file) is not None)
    assert (alive.fault(file) or "").startswith("the worker's event loop is blocked, for ")
    beats.tick()
    until(lambda: alive.fault(file) is None)
    file.unlink()
    tmp_path.chmod(0o700)
    monkeypatch.setattr(alive, "leave", _cannot)
    until(lambda: bool(failed))


def _cannot(*_: object, **__: object) -> None:
    raise OSError(30, "Read-only file system")
