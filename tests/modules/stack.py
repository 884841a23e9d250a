"""One stack of an environment, whatever the other sections say."""

from __future__ import annotations

from typing import Any

from environments.schema import Environment
from main import compose
from ops.export.constructs import unwritten_app


def template_of(part: str, **sections: Any) -> dict[str, Any]:
    """A stack's template.

    Args:
        part: the stack, such as ``network``.
        sections: settings of the environment `prod`, past the rules over several sections.
    """
    lab = Environment.model_validate(
        {"name": "prod", "region": "eu-west-1", "workers": {"one": {"role": "leaf"}}}
    )
    with unwritten_app() as app:
        compose(app, lab.model_copy(update=sections))
        stack: Any = app.node.find_child(f"prod-{part}")
        stack.prepare_stack()
        template: dict[str, Any] = stack.to_terraform()
    return template
