"""Import of the researcher's package, whose code may do anything."""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any

from scythe_worker.settings import SettingsError

if TYPE_CHECKING:
    from hatchet_sdk.runnables.workflow import BaseWorkflow

LONGEST = 300
"""Characters of an exception's text in a line."""


def import_experiments(module: str) -> None:
    """Import a package or module, which registers its experiments.

    Its code finds a neutral ``sys.argv``: argparse at import would read the worker's own arguments. Whatever it does to
    logging and to the standard streams is undone.

    Raises:
        SettingsError: it cannot be imported, or ends the process; one line.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    arguments, streams = sys.argv, (sys.stdout, sys.stderr)
    sys.argv = [module]
    try:
        importlib.import_module(module)
    except BaseException as error:  # SystemExit too, which is no Exception
        raise SettingsError(f"{module}: cannot be imported: {described(error)}{_place(error)}") from None
    finally:
        sys.argv = arguments
        sys.stdout, sys.stderr = streams
        root.setLevel(level)
        root.handlers[:] = handlers


def registered(module: str) -> list[BaseWorkflow[Any]]:
    """What an imported package has registered.

    Raises:
        SettingsError: nothing.
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
    return found


def described(error: BaseException) -> str:
    """An exception's type and text on one line of printable text, however it was made."""
    try:
        text = str(error)
    except BaseException as unprintable:
        text = f"(its text cannot be read: {type(unprintable).__name__})"
    line = "".join(c if c.isprintable() else " " for c in text[: 10 * LONGEST])
    line = " ".join(line.split())
    return f"{type(error).__name__}: {line if len(line) <= LONGEST else line[:LONGEST] + '...'}"


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<")]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
