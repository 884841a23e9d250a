"""Import of the researcher's package, whose code may do anything."""

from __future__ import annotations

import importlib
import logging
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any

from scythe_worker import logs
from scythe_worker.failures import line
from scythe_worker.settings import SettingsError

if TYPE_CHECKING:
    from hatchet_sdk.runnables.workflow import BaseWorkflow

LONGEST = 300
"""Characters of an exception's text in a line."""

TOLD = (signal.SIGTERM, signal.SIGINT)


def import_experiments(module: str) -> None:
    """Import a package or module, which registers its experiments.

    Its code finds a neutral ``sys.argv``: argparse at import would read the worker's own arguments. Whatever it does to
    logging, to the standard streams and to the signals' handlers is undone.

    Raises:
        SettingsError: it cannot be imported, or ends the process; one line.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    arguments, streams = sys.argv, (sys.stdout, sys.stderr)
    signals = {number: signal.getsignal(number) for number in TOLD}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    sys.argv = [module]
    try:
        importlib.import_module(module)
    except BaseException as error:  # SystemExit too, which is no Exception
        raise SettingsError(f"{module}: cannot be imported: {line(error, LONGEST)}{_place(error)}") from None
    finally:
        sys.argv = arguments
        sys.stdout, sys.stderr = streams
        root.setLevel(level)
        root.handlers[:] = handlers
        logs.restore()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in signals.items():
            if handler is not None:
                signal.signal(number, handler)


def registered(module: str) -> list[BaseWorkflow[Any]]:
    """What an imported package has registered.

    Raises:
        SettingsError: nothing, or a task of a kind that the worker does not run.
    """
    from scythe.registry import ExperimentRegistry

    # The registry lists its standalone tasks alone; workflows that are included there must be run as well.
    found: list[BaseWorkflow[Any]] = [
        *ExperimentRegistry.experiments(),
        *ExperimentRegistry._workflows_dict.values(),
    ]
    if not found:
        raise SettingsError(
            f"{module}: registers no experiment; must have one with @ExperimentRegistry.Register()"
        )
    # hatchet-sdk runs a batch past the worker's wrapper: one failure would take the worker down.
    batches = [task.name for workflow in found for task in workflow.tasks if getattr(task, "batch", None)]
    if batches:
        raise SettingsError(
            f"{module}: {', '.join(batches)}: got a batch task, which this worker does not run; "
            "must be an experiment with @ExperimentRegistry.Register(), or a task of hatchet.task()"
        )
    return found


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<")]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
