"""What people read of the modules: a README for each, with what it makes and costs, its usage and its tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cdktf import TerraformElement

from ops.export import given
from ops.export.blocks import module_block
from ops.export.constructs import CONSTRUCTS, Module
from ops.export.prose import parts, prose
from ops.export.rendering import render
from ops.export.root import RootModule
from ops.export.tables import Contents, tables
from ops.terraform import Terraform

if TYPE_CHECKING:
    # Else jsii would start before the seam of `synthesis`.
    from constructs import Construct

SOURCE = "<namespace>/scythe/aws"
"""The modules' address in a registry."""

_CUT = "# 8<\n"


def readme_of(module: Module, variables: str, version: str) -> str:
    """A submodule's README.

    Args:
        module: the module.
        variables: its ``variables.tf``, formatted.
        version: the release that its usage pins.
    """
    arguments = {
        "source": f"{SOURCE}//modules/{module.name}",
        "version": version,
        **given.usage(module.synthesis["variable"]),
    }
    elements = [
        (element.kind, element.labels[0], element.labels[1])
        for element in module.elements
        if element.kind in {"resource", "data"}
    ]
    return render(
        "module.md",
        name=module.name,
        about=prose(CONSTRUCTS[module.name]),
        parts=parts(_parts_of(module.made)),
        usage=_formatted([module_block(module.call_name, arguments)])[0],
        tables=tables(Contents(module.synthesis, elements, {}, variables)),
    )


def readme_of_root(
    root: RootModule, modules: list[Module], variables: str, version: str, examples: Mapping[str, str]
) -> str:
    """The root's README.

    Args:
        root: the root module.
        modules: the submodules.
        variables: its ``variables.tf``, formatted.
        version: the release that its usage pins.
        examples: what each example shows, by its name.
    """
    calls = {name: str(arguments["source"]) for name, arguments in root.calls.items()}
    arguments = {"source": SOURCE, "version": version, **given.usage(root.synthesis["variable"])}
    return render(
        "README.md",
        modules={module.name: prose(CONSTRUCTS[module.name]).partition("\n\n")[0] for module in modules},
        examples=examples,
        usage=_formatted([module_block("scythe", arguments)])[0],
        tables=tables(Contents(root.synthesis, [], calls, variables)),
    )


def formatted(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts as ``terraform fmt`` writes them.

    Raises:
        TerraformError: terraform is missing or too old.
    """
    return dict(zip(texts, _formatted(list(texts.values())), strict=True))


def _formatted(texts: list[str]) -> list[str]:
    """One process for all of them."""
    Terraform.require(os.environ)
    return Terraform.format("-", text=_CUT.join(texts)).split(_CUT)


def _parts_of(made: Construct) -> dict[type, list[str]]:
    """The ids of a construct's parts, by their class."""
    found: dict[type, list[str]] = {}
    for part in made.node.find_all():
        if part is not made and not isinstance(part, TerraformElement):
            found.setdefault(type(part), []).append(part.node.id)
    return found
