"""The network's stack of an environment with some settings."""

from __future__ import annotations

from typing import Any

from environments.schema import Environment
from main import compose
from modules.network.settings import NetworkSettings
from ops.export.constructs import unwritten_app


def of_network(settings: NetworkSettings) -> dict[str, Any]:
    """The template."""
    lab = Environment.model_validate(
        {"name": "prod", "region": "eu-west-1", "workers": {"one": {"role": "leaf"}}}
    )
    # Past the rules over several sections, which ask for more than a network.
    environment = lab.model_copy(update={"network": settings})
    with unwritten_app() as app:
        compose(app, environment)
        stack: Any = app.node.find_child("prod-network")
        stack.prepare_stack()
        template: dict[str, Any] = stack.to_terraform()
    return template
