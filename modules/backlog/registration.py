"""What the backlog service registers: each fleet's tasks, as that fleet's workers will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from modules.storage.attributes import StorageAttributes
from modules.worker_fleet.environment import container_environment, experiments_elsewhere
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Expression, local, shared, text
from synthesis.functions import attempt, is_set, not_
from synthesis.lists import all_of, at, has_key, map_entries, merged, values
from synthesis.literals import hcl
from synthesis.stack import Label

MOST_CHARACTERS = 40_000
"""Of all fleets' variables: a task definition has 64 KiB (Amazon ECS Developer Guide, "Amazon ECS service quotas")."""


@dataclass(frozen=True)
class Registered:
    """What the container that registers is given of the fleets.

    Attributes:
        shared: the variables that all fleets have alike, which stand in the container's own.
        fleets: JSON: the other variables of each fleet, by its name.
        fits: whether they are few enough for a task definition.
    """

    shared: Expression
    fleets: Expression
    fits: Expression


def fleets_environments(
    scope: Construct,
    fleets: Mapping[str, FleetSettings],
    *,
    label: Label,
    storage: StorageAttributes,
    region: Expression,
    image: str,
) -> Registered:
    """The workers' variables of each fleet; the same ones as in their containers.

    Left out are the leaf fleets of another image, which may have other experiments, and the fleets' own secrets,
    which nobody needs to say what there is. The fan fleets' task is scythe-engine's own, and in every image.

    Args:
        scope: the backlog service.
        fleets: the settings of all fleets, by name.
        label: what names them.
        storage: where their specs and results are.
        region: of the storage.
        image: the one that registers.
    """
    elsewhere = shared(
        scope,
        "experiments_elsewhere",
        map_entries(fleets, lambda name, _: experiments_elsewhere(fleets, name)),
    )

    def variables(name: str, fleet: FleetSettings) -> Any:
        told = container_environment(
            fleet,
            worker_name=f"{text(label.name)}-{name}",
            bucket=storage.bucket_name,
            prefix=storage.prefix,
            region=region,
            experiments_elsewhere=at(elsewhere, name),
        )
        return map_entries(merged(told, fleet.environment), where=lambda key, value: is_set(value))

    registered = shared(
        scope,
        "registered",
        map_entries(fleets, variables, lambda _, fleet: (fleet.role == "fan") | (fleet.image == image)),
    )
    # Twelve fleets with one large environment would otherwise have it twelve times.
    alike = shared(scope, "shared_variables", in_all(values(registered)))
    own = map_entries(
        registered, lambda _, fleet: map_entries(fleet, where=lambda key, _: not_(has_key(alike, key)))
    )
    shared_variables = local(scope, "shared_variables", hcl(alike))
    own_variables = local(scope, "own_variables", hcl(own))
    characters = f"length(jsonencode({shared_variables})) + length(jsonencode({own_variables}))"
    return Registered(
        shared_variables,
        Expression(f"jsonencode({own_variables})"),
        Expression(f"{characters} <= {MOST_CHARACTERS}"),
    )


def in_all(fleets: Any) -> Any:
    """The variables that each of several fleets has, with the same value."""
    return map_entries(
        attempt(lambda: fleets[0], {}),
        where=lambda key, value: all_of(
            fleets, lambda fleet: attempt(lambda: at(fleet, key) == value, otherwise=False)
        ),
    )
