"""``scythe-aws synth``: write the stacks, and say what the fleets still wait for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from environments.loading import file_name
from environments.schema import Environment
from environments.states import refusal, states_from
from ops.environment import environments_of
from ops.errors import CommandError


def synth(given: Sequence[str], out: Path, *, as_json: bool = False) -> None:
    """Write the stacks of environments and print them.

    Args:
        given: names or paths of environments; none for all.
        out: the output folder.
        as_json: print one JSON document: ``stacks``, and ``fleets_without_image`` by environment.

    Raises:
        CommandError: what an environment deployed forbids it.
    """
    found = environments_of(given)
    # Only now, since it takes a second: faults of a file are told at once.
    from main import parts, synthesize

    environments = [environment for _, environment in found]
    if refusals := list(filter(None, map(refusal, environments))):
        raise CommandError("\n".join(refusals))
    synthesize(environments, out, states_from(out))
    stacks = [f"{environment.name}-{part}" for environment in environments for part in parts(environment)]
    waiting = {environment.name: _without_image(environment) for environment in environments}
    if as_json:
        print(json.dumps({"stacks": stacks, "fleets_without_image": waiting}, indent=2))
        return
    for stack in stacks:
        print(out / "stacks" / stack / "cdk.tf.json")
    for (path, environment), fleets in zip(found, waiting.values(), strict=True):
        if fleets:
            image = file_name(path.with_name(f"{environment.name}.image"))
            print(
                f"{environment.name}: {', '.join(fleets)} wait for an image: until {image} or the key image names one, "
                "the task definition names the tag none-pushed-yet and all bounds are 0"
            )


def _without_image(environment: Environment) -> list[str]:
    return [name for name, fleet in environment.workers.items() if environment.image_of(fleet) is None]
