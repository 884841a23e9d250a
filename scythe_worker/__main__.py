"""``python -m scythe_worker [health | backlog [health]]``: what the worker image runs, and the health checks."""

import os
import sys

from scythe_worker import health

USAGE = "usage: python -m scythe_worker [health | backlog [health]]"


def main(arguments: list[str]) -> int:
    """Run the worker, or ask after its health; the exit status.

    0: the worker has drained, or is healthy. 1: it died, or is not healthy. 2: something that it was given
    is wrong; each fault is one line on stderr.
    """
    if arguments == ["health"]:
        fault = health.fault(os.environ)
        if fault is not None:
            print(f"scythe_worker: {fault}", file=sys.stderr)
        return 0 if fault is None else 1
    if arguments[:1] == ["backlog"]:
        return _backlog(arguments[1:])
    if arguments:
        print(USAGE, file=sys.stderr)
        return 2
    # Not at the top: the health check runs every 30 s and needs none of it.
    from scythe_worker.settings import SettingsError
    from scythe_worker.worker import start

    try:
        start(os.environ)
    except SettingsError as error:
        for line in error.faults:
            print(f"scythe_worker: {line}", file=sys.stderr)
        return 2
    return 0


def _backlog(arguments: list[str]) -> int:
    from scythe_worker import backlog
    from scythe_worker.settings import SettingsError

    if arguments == ["health"]:
        fault = backlog.fault()
        if fault is not None:
            print(f"scythe_worker: {fault}", file=sys.stderr)
        return 0 if fault is None else 1
    if arguments:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        backlog.run(os.environ)
    except SettingsError as error:
        for line in error.faults:
            print(f"scythe_worker: {line}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
