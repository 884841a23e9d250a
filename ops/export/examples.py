"""Configurations that use the modules, each of which plans as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.export.rendering import below, render

EXAMPLES: Mapping[str, str] = {
    "hatchet-cloud": "A whole deployment with Hatchet Cloud, two fleets and alarms by mail.",
    "self-hosted": "A deployment with an engine of its own, with or without a domain.",
    "existing-vpc": "A deployment in a VPC and with a bucket that are there already.",
    "fleet-only": "The fleets and the service that wakes them by their submodules, given objects of one's own making.",
}
"""What each shows, by its folder."""

FIXTURE = "tests/fixtures/same-apply"
"""A configuration in which values of all inputs come from resources that the same apply makes."""


def examples(terraform: Mapping[str, Any]) -> dict[str, str]:
    """The files of the examples and of the fixture by their paths, as text that ``terraform fmt`` has yet to align.

    Args:
        terraform: the ``terraform`` block of the root, whose versions they ask for.
    """
    versions = render(
        "examples/versions.tf",
        terraform=terraform["required_version"],
        aws=terraform["required_providers"]["aws"]["version"],
    )
    files = {"examples/README.md": render("examples/README.md", examples=EXAMPLES)}
    for folder in (*(f"examples/{name}" for name in EXAMPLES), FIXTURE):
        files |= {f"{folder}/{file}": render(f"{folder}/{file}") for file in below(folder)}
        files[f"{folder}/versions.tf"] = versions
    return files
