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


def refusal(environment: Environment, states: Path = STATES) -> str:
    """Why an environment must not be synthesized, in view of what it deployed. Empty where it may.

    The states of a bucket are not read.
    """
    if environment.state.bucket:
        return ""
    return _moved(environment, states) or _narrowed(environment, states)


def _moved(environment: Environment, states: Path) -> str:
    """The provider would find nothing of it in the new region, forget it and make it all anew."""
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


def _narrowed(environment: Environment, states: Path) -> str:
    """AWS deletes no subnet with network interfaces in it (Amazon VPC User Guide, "Delete a subnet").

    Those of tasks, load balancers and databases belong to other stacks, which know of no subnet less before `-network`
    has been applied.
    """
    network = environment.network
    file = states / f"{environment.name}-network.tfstate"
    zones = {zone for kind, zone, _ in _instances(file) if kind == "aws_subnet" and isinstance(zone, str)}
    users = [
        part
        for part in ("workers", "hatchet")
        if any(True for _ in _instances(states / f"{environment.name}-{part}.tfstate"))
    ]
    if network.existing is not None or len(zones) <= network.az_count or not users:
        return ""
    using = " and ".join(f"{environment.name}-{part}" for part in users)
    return (
        f"{environment.name}: network.az_count: got {network.az_count}, but {file} holds subnets in {len(zones)} zones, "
        f"which {using} may use, and AWS deletes no subnet in use; must be at least {len(zones)}, or destroy {using} first "
        "and deploy anew"
    )


def _regions(file: Path) -> Iterator[str]:
    for _, _, arn in _instances(file):
        if isinstance(arn, str) and (match := _ARN.match(arn)):
            yield match[1]


def _instances(file: Path) -> list[tuple[object, object, object]]:
    """Of each resource in a state: its type, its key below the resource's address, and its ARN."""
    try:
        state: Any = json.loads(file.read_text(encoding="utf-8"))
        resources = state["resources"] if isinstance(state, dict) else []
        return [
            (resource.get("type"), instance.get("index_key"), instance["attributes"].get("arn"))
            for resource in resources
            if resource["mode"] == "managed"
            for instance in resource["instances"]
        ]
    # Terraform says what is wrong with a state that cannot be read.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
