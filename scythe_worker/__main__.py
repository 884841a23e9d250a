"""``python -m scythe_worker [health | register | backlog [health]]``: what the worker image runs, and the health checks."""

import contextlib
import logging
import os
import signal
import sys
from multiprocessing import util
from typing import NoReturn

from scythe_worker import health, streams

USAGE = "usage: python -m scythe_worker [health | register | backlog [health]]"
CRASH = 1


def main(arguments: list[str]) -> int:
    """Run the worker, register its experiments, or ask after its health; the exit status.

    0: the worker has drained, all is registered, or it is healthy. 1: it crashed, or is not healthy. 2: something that it was given
    is wrong. 3: the engine does not answer. 4: the engine refuses the token. Each fault of 2, 3 and 4 is one
    line on stderr, the last of the log.
    """
    streams.install()
    if arguments == ["health"]:
        return _health(health.fault(os.environ))
    if arguments[:1] == ["backlog"]:
        return _backlog(arguments[1:])
    if arguments not in ([], ["register"]):
        print(USAGE, file=sys.stderr)
        return 2
    registers = bool(arguments)
    if not registers:
        # Until there is a worker there is nothing to drain, and importing it takes seconds.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
    status, lines = _work(registers)
    for line in lines:
        _say(line)
    return leave(status)


def _health(fault: str | None) -> int:
    if fault is not None:
        _say(fault)
    return 0 if fault is None else 1


def _say(line: str) -> None:
    print(f"scythe_worker: {line}", file=sys.stderr, flush=True)


def leave(status: int) -> NoReturn:
    """End the process, whatever its threads do: Python would wait for simulations that were given back."""
    # It is leaving: another SIGTERM must not make a drained worker one that was killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    # Else the tracker of multiprocessing's semaphores complains into the log.
    util._run_finalizers(0)  # type: ignore[attr-defined]  # what multiprocessing itself does at the end
    logging.shutdown()
    streams.restore()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


def _work(registers: bool) -> tuple[int, tuple[str, ...]]:
    # Not at the top: the health check runs every 30 s and needs none of it.
    from scythe_worker.settings import SettingsError

    try:
        if registers:
            from scythe_worker import register

            return register.run(os.environ), ()
        from scythe_worker.worker import start

        return start(os.environ), ()
    except SettingsError as error:
        return 2, error.faults
    except BaseException as error:
        from scythe_worker.engine import EngineError

        if isinstance(error, EngineError):
            return error.status, (str(error),)
        logging.getLogger("scythe_worker").critical("crashed", exc_info=True)
        return CRASH, ()


def _backlog(arguments: list[str]) -> int:
    from scythe_worker import backlog
    from scythe_worker.settings import SettingsError

    if arguments == ["health"]:
        return _health(backlog.fault())
    if arguments:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        backlog.run(os.environ)
    except SettingsError as error:
        for line in error.faults:
            _say(line)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
