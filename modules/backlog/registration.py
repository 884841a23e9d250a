"""What the backlog service registers: each fleet's tasks, as that fleet's workers will."""

from __future__ import annotations

from collections.abc import Mapping

from modules.container import assigned
from modules.expression import Expression, hcl, text
from modules.stack import Label
from modules.storage.attributes import StorageAttributes
from modules.worker_fleet.environment import container_environment
from modules.worker_fleet.settings import FleetSettings


def fleets_environments(
    fleets: Mapping[str, FleetSettings],
    experiments_elsewhere: Mapping[str, list[str]],
    *,
    label: Label,
    storage: StorageAttributes,
    region: Expression,
    image: Expression,
) -> str:
    """The workers' variables of each fleet, as JSON that Terraform writes; the same ones as in their containers.

    Left out are the leaf fleets of another image, which may have other experiments, and the fleets' own secrets,
    which nobody needs to say what there is. The fan fleets' task is scythe-engine's own, and in every image.
    """
    given = {
        name: container_environment(
            fleet,  # type: ignore[arg-type]  # the settings' references, as everywhere here
            worker_name=Expression(hcl(f"{text(label.name)}-{name}")),
            bucket=storage.bucket_name,
            prefix=storage.prefix,
            region=region,
            experiments_elsewhere=Expression(hcl(experiments_elsewhere[name])),
        )
        for name, fleet in fleets.items()
    }
    environments = {
        name: Expression(
            f"{{ for name, value in merge({assigned(variables)}, {fleets[name].environment}) : "
            "name => value if value != null }"
        )
        for name, variables in given.items()
    }
    runs = {
        name: Expression(f'{fleet.role} == "fan" || {fleet.image} == {image}')
        for name, fleet in fleets.items()
    }
    return f"jsonencode({{ for name, variables in {hcl(environments)} : name => variables if {hcl(runs)}[name] }})"
