"""What the backlog service registers: each fleet's tasks, as that fleet's workers will."""

from __future__ import annotations

from constructs import Construct

from modules.common.container import assigned
from modules.storage.attributes import StorageAttributes
from modules.worker_fleet.environment import container_environment, experiments_elsewhere
from synthesis.expression import Expression, hcl, local, text
from synthesis.stack import Label


def fleets_environments(
    scope: Construct,
    fleets: Expression,
    *,
    label: Label,
    storage: StorageAttributes,
    region: Expression,
    image: Expression,
) -> str:
    """The workers' variables of each fleet, as JSON that Terraform writes; the same ones as in their containers.

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
        Expression("fleet"),
        worker_name=Expression(hcl(f"{text(label.name)}-${{name}}")),
        bucket=storage.bucket_name,
        prefix=storage.prefix,
        region=region,
        experiments_elsewhere=Expression(f"{elsewhere}[name]"),
    )
    given = f"merge({assigned(variables)}, fleet.environment)"
    return (
        f"jsonencode({{ for name, fleet in {fleets} : "
        f"name => {{ for key, value in {given} : key => value if value != null }} "
        f'if fleet.role == "fan" || fleet.image == {image} }})'
    )
