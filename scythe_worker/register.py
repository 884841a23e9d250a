"""Registers what the fleets' workers will run, before any of them has run.

Hatchet drops what is allocated to a task that nobody has registered, without an error; fleets that sleep at no
task would never wake for it. Each fleet's environment is read by a process of its own: scythe-engine takes the
timeouts from there when it is imported, and each fleet may have others.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping

from scythe_worker import logs
from scythe_worker.settings import SettingsError

LOGGER = logging.getLogger(__name__)

FLEETS = "SCYTHE_REGISTER_FLEETS"
"""JSON: the environment variables of each fleet's workers, by its name. Left out: what stands in the environment."""

LONGEST_SECONDS = 900.0
"""For one fleet: five minutes for an engine that is away, the rest for a package that is slow to import."""

CRASH = 1
HOPELESS = frozenset({3, 4})
"""The engine does not answer, or takes no token: it would be the same for the next fleet."""


def run(environment: Mapping[str, str], *, longest: float = LONGEST_SECONDS) -> int:
    """Register each fleet's tasks; 0, or the status of the first fleet that could not be.

    Args:
        environment: the process's own.
        longest: seconds after which a fleet is given up.

    Raises:
        SettingsError: for fleets that cannot be read.
        EngineError: for an engine that does not answer, or does not take the token.
    """
    fleets = _fleets(environment.get(FLEETS))
    if fleets is None:
        from scythe_worker.worker import register

        return register(environment)
    logs.start()
    shared = {name: value for name, value in environment.items() if name != FLEETS}
    first = 0
    for name, own in fleets.items():
        status = _register({**shared, **own}, longest)
        if status == 0:
            continue
        LOGGER.error(
            "fleet %s is not registered (exit status %d, the lines before say why); what is allocated to a task that "
            "no worker has registered yet is lost",
            name,
            status,
        )
        first = first or (status if status > 0 else CRASH)
        if status in HOPELESS:
            break
    return first


def _register(environment: Mapping[str, str], longest: float) -> int:
    command = [sys.executable, "-m", "scythe_worker", "register"]
    try:
        return subprocess.run(command, env=dict(environment), timeout=longest, check=False).returncode
    except subprocess.TimeoutExpired:
        LOGGER.error("it took more than %d s", longest)  # noqa: TRY400  # the time says all
        return CRASH


def _fleets(value: str | None) -> Mapping[str, Mapping[str, str]] | None:
    if value is None:
        return None
    try:
        fleets = json.loads(value)
    except ValueError:
        fleets = None
    if not isinstance(fleets, dict) or not all(map(_is_environment, fleets.values())):
        raise SettingsError(f"{FLEETS}: cannot be read; must be JSON, an object of each fleet's variables")
    return fleets


def _is_environment(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
