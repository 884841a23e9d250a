"""What the states beside the output tell before anything is planned."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments.schema import Environment

STATES = Path("state")
"""The folder of the local backend's states, in the folder where the project's commands run."""

_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]+):[0-9]*:")
"""An ARN with its region; those of global services have none."""


def states_from(out: Path) -> str:
    """The path of `STATES` from a stack's folder below an output folder, wherever that is.

    Terraform runs in ``<out>/stacks/<stack>``. Another output folder must not begin with an empty state.
    """
    return os.path.relpath(STATES.resolve(), (out / "stacks" / "any").resolve())


def moved(environment: Environment, states: Path = STATES) -> str:
    """Why an environment must not be synthesized: what it deployed is in another region. Empty where it may.

    The provider would find nothing of it in the new region, forget it and make it all anew. The states of a bucket are
    not read.
    """
    if environment.state.bucket:
        return ""
    for file in sorted(states.glob(f"{environment.name}-*.tfstate")):
        regions = set(_regions(file))
        if regions and environment.region not in regions:
            there = ", ".join(sorted(regions))
            return (
                f"{environment.name}: region: got {environment.region}, but {file} holds resources in {there}, which "
                "would be forgotten and paid for; must be that region, or destroy them there first, or give this "
                "environment another name"
            )
    return ""


def _regions(file: Path) -> Iterator[str]:
    try:
        state: Any = json.loads(file.read_text(encoding="utf-8"))
        resources = state["resources"] if isinstance(state, dict) else []
        values = [
            instance["attributes"].get("arn")
            for resource in resources
            if resource["mode"] == "managed"
            for instance in resource["instances"]
        ]
    # Terraform says what is wrong with a state that cannot be read.
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return
    for value in values:
        if isinstance(value, str) and (match := _ARN.match(value)):
            yield match[1]
