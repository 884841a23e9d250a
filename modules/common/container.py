"""Parts of a container in a task definition, in the words of the ECS API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthesis.expression import Expression, text
from synthesis.literals import hcl


def assigned(values: Mapping[str, object]) -> str:
    """The expression of a map from names to values that are expressions themselves."""
    plain = ", ".join(f"{name} = {value}" for name, value in values.items() if str(value) != "null")
    return f"{{ {plain} }}"


def given_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of several values that are not known to be null."""
    return {name: value for name, value in values.items() if hcl(value) != "null"}


def named(values: object, key: str = "value") -> Expression:
    """What ``environment`` and ``secrets`` hold: a list of names with their values.

    Args:
        values: the expression of a map; a null leaves its name out.
        key: what a value is called: ``value``, or ``valueFrom`` for a secret's.
    """
    return Expression(f"[for name, value in {values} : {{ name = name, {key} = value }} if value != null]")


def mount_points(volumes: Mapping[str, str]) -> list[dict[str, object]]:
    """Writable volumes of the task: paths by their names."""
    return [
        {"sourceVolume": volume, "containerPath": path, "readOnly": False} for volume, path in volumes.items()
    ]


def log_configuration(log_group_name: object, region: object, prefix: str, **more: str) -> dict[str, object]:
    """A log stream ``<prefix>/<container>/<task>`` in a log group.

    Args:
        log_group_name: the expression of its name.
        region: the expression of its region.
        prefix: the beginning of the stream's name.
        more: further options of awslogs (Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch").
    """
    options = {
        "awslogs-group": text(log_group_name),
        "awslogs-region": text(region),
        "awslogs-stream-prefix": prefix,
        **more,
    }
    return {"logDriver": "awslogs", "options": options}
