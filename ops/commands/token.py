"""``scythe-aws token``: store Hatchet's client token or have a new one made, and start the fleets that waited for it."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence

from environments.schema import Environment
from ops.deployed.aws import Caller
from ops.deployed.fleets import Fleet, Fleets
from ops.deployed.hatchet_token import claims_of, require_reachable
from ops.deployed.rotation import rotate
from ops.deployed.secret import secret_of, store
from ops.environment import environment_of
from ops.errors import CommandError


def token(given: str, arguments: Sequence[str] = (), *, make_anew: bool = False) -> None:
    """Store a client token from standard input or have one made, start the fleets, and print what they still wait for.

    Args:
        given: the environment's name or path.
        arguments: what stands after it, which is refused: other users of the machine see a command line, and the
            shell keeps it.
        make_anew: have the set-up of a self-hosted engine make another; nothing is read.

    Raises:
        CommandError: no token is given, made or stored.
    """
    if arguments:
        raise CommandError(
            "the token is read from standard input and never given as an argument (not shown); if that was one, "
            "revoke it: it stands in the shell's history"
        )
    environment = environment_of(given)
    _require_maker(environment, make_anew=make_anew)
    caller = _make_anew(environment) if make_anew else _store_given(environment)
    fleets = Fleets(caller, environment).start()
    for fleet in fleets:
        print(_state(environment, fleet))
    if any("deploy" in fleet.waits_for for fleet in fleets):
        print(f"Then run: cdktf deploy {environment.name}-workers")


def _require_maker(environment: Environment, *, make_anew: bool) -> None:
    """Refuse to store what the engine's set-up makes, and to make what Hatchet Cloud does."""
    name, mode = environment.name, environment.hatchet.mode
    if mode == "self_hosted" and not make_anew:
        raise CommandError(
            f"{name} hosts Hatchet itself (hatchet.mode: {mode}), and its set-up makes and stores the token: for another "
            f"one run scythe-aws token {name} --rotate"
        )
    if mode == "cloud" and make_anew:
        raise CommandError(
            f"{name} is with Hatchet Cloud (hatchet.mode: {mode}), whose dashboard makes tokens: make one there, and "
            f"give it to scythe-aws token {name}"
        )


def _store_given(environment: Environment) -> Caller:
    value = _read_token(environment)
    require_reachable(claims_of(value))
    caller = Caller(environment)
    replaced = store(caller, environment, value)
    print(f"The token is stored in {secret_of(environment)}.")
    if replaced:
        print("It replaces another, which tasks that run already keep until they end.")
    return caller


def _make_anew(environment: Environment) -> Caller:
    caller = Caller(environment)
    services = rotate(caller, environment)
    print(f"A new token is stored in {secret_of(environment)}.")
    until = ""
    if services:
        print(f"Started anew with it, each as its tasks end: {', '.join(services)}.")
        until = " until all of them have"
    print(
        f"The token before stays valid{until}; a later set-up (one runs each day) then revokes it. "
        "Shells of scythe-aws connect still have it: leave them and connect again."
    )
    return caller


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
