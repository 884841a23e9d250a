"""``scythe-aws token``: store Hatchet's client token, and let the fleets that waited for it start."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence

from environments.schema import Environment
from ops.aws import Caller
from ops.environment import environment_of
from ops.errors import CommandError
from ops.fleets import Fleet, Fleets
from ops.hatchet_token import check_token
from ops.secret import secret_of, store


def token(given: str, arguments: Sequence[str] = ()) -> None:
    """Read a client token from standard input, store it, start the fleets, and print what they still wait for.

    Args:
        given: the environment's name or path.
        arguments: what stands after it, which is refused: other users of the machine see a command line, and the
            shell keeps it.

    Raises:
        CommandError: no token is given or stored.
    """
    if arguments:
        raise CommandError(
            "the token is read from standard input and never given as an argument (not shown); if that was one, "
            "revoke it: it stands in the shell's history"
        )
    environment = environment_of(given)
    value = _read_token(environment)
    check_token(value)
    caller = Caller(environment)
    replaced = store(caller, environment, value)
    print(f"The token is stored in {secret_of(environment)}.")
    if replaced:
        print("It replaces another, which tasks that run already keep until they end.")
    fleets = Fleets(caller, environment).start()
    for fleet in fleets:
        print(_state(environment, fleet))
    if any("deploy" in fleet.waits_for for fleet in fleets):
        print(f"Then run: cdktf deploy {environment.name}-workers")


def _read_token(environment: Environment) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"Hatchet's client token for {environment.name} (not shown): ").strip()
    return sys.stdin.read().strip()


def _state(environment: Environment, fleet: Fleet) -> str:
    if not fleet.waits_for:
        return f"{fleet.name}: may run {fleet.bounds[0]} to {fleet.bounds[1]} tasks."
    words = {
        "image": f"an image (named by environments/{environment.name}.image or the key image)",
        "deploy": f"the deployment of {environment.name}-workers",
    }
    return f"{fleet.name}: waits for {' and '.join(words[cause] for cause in fleet.waits_for)}."
