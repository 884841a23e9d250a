"""What the backlog service registers: each fleet's tasks, as that fleet's workers will."""

from __future__ import annotations

from dataclasses import dataclass

from constructs import Construct

from modules.storage.attributes import StorageAttributes
from modules.worker_fleet.environment import container_environment, experiments_elsewhere
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Expression, local, text
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.typed import typed

MOST_CHARACTERS = 40_000
"""Of all fleets' variables: a task definition has 64 KiB (Amazon ECS Developer Guide, "Amazon ECS service quotas")."""


@dataclass(frozen=True)
class Registered:
    """What the container that registers is given of the fleets.

    Attributes:
        shared: the expression of the variables that all fleets have alike, which stand in the container's own.
        fleets: the expression of JSON: the other variables of each fleet, by its name.
        fits: the expression of whether they are few enough for a task definition.
    """

    shared: Expression
    fleets: str
    fits: str


def fleets_environments(
    scope: Construct,
    fleets: Expression,
    *,
    label: Label,
    storage: StorageAttributes,
    region: Expression,
    image: Expression,
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
    elsewhere = local(
        scope,
        "experiments_elsewhere",
        f"{{ for name in keys({fleets}) : name => {experiments_elsewhere(fleets, 'name')} }}",
    )
    variables = container_environment(
        typed(FleetSettings, "fleet"),
        worker_name=f"{text(label.name)}-${{name}}",
        bucket=storage.bucket_name,
        prefix=storage.prefix,
        region=region,
        experiments_elsewhere=typed(list[str], f"{elsewhere}[name]"),
    )
    given = f"merge({hcl(variables)}, fleet.environment)"
    registered = local(
        scope,
        "registered",
        f"{{ for name, fleet in {fleets} : "
        f"name => {{ for key, value in {given} : key => value if value != null }} "
        f'if fleet.role == "fan" || fleet.image == {image} }}',
    )
    # Twelve fleets with one large environment would otherwise have it twelve times.
    shared = local(
        scope,
        "shared_variables",
        f"{{ for key, value in try(values({registered})[0], {{}}) : key => value "
        f"if alltrue([for one in values({registered}) : try(one[key] == value, false)]) }}",
    )
    own = local(
        scope,
        "own_variables",
        f"{{ for name, one in {registered} : "
        f"name => {{ for key, value in one : key => value if !contains(keys({shared}), key) }} }}",
    )
    return Registered(
        shared,
        f"jsonencode({own})",
        f"length(jsonencode({shared})) + length(jsonencode({own})) <= {MOST_CHARACTERS}",
    )
