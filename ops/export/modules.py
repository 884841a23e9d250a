"""From constructs to the files of a module."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modules.common.account import REGION_AND_ACCOUNT
from ops.export.blocks import (
    argument,
    assigned,
    block,
    element,
    joined,
    locals_block,
    output_block,
    terraform_block,
)
from ops.export.constructs import Module
from ops.export.layout import STEP
from synthesis.module_stack import Element, ModuleStack

LONGEST = 300
"""Lines of a file of several parts, beyond which each has its own."""


def files_of(module: Module) -> dict[str, str]:
    """The files of a module by name, as text that ``terraform fmt`` has yet to align."""
    made = [item for item in module.elements if item.kind != "output"]
    called = [item for item in made if item.maker == ModuleStack.__module__ and _is_of_account(item)]
    own = [item for item in made if item not in called]
    return {
        **_by_topic(own, type(module.made).__module__),
        **({"data.tf": _text_of("Where the module is called.", called)} if called else {}),
        **module.stack.texts,
        "outputs.tf": joined(output_block(item.labels[0], item.body) for item in module.of_kind("output")),
        "variables.tf": joined(
            variable_block(name, body) for name, body in module.synthesis["variable"].items()
        ),
        "versions.tf": terraform_block({**module.synthesis["terraform"], "backend": {}}),
    }


def _is_of_account(item: Element) -> bool:
    return item.kind == "data" or item.labels == (REGION_AND_ACCOUNT,)


def _by_topic(made: Sequence[Element], main: str) -> dict[str, str]:
    """A file for what the parts of one class make, or for each part where that file would be long."""
    files = {}
    for maker in dict.fromkeys(item.maker for item in made):
        mine = [item for item in made if item.maker == maker]
        parts = dict.fromkeys(item.part for item in mine)
        whole = _text_of(_title(maker), mine)
        if len(parts) > 1 and whole.count("\n") > LONGEST:
            for part in parts:
                title = f"{part}: {_title(maker)}"
                files[f"{part}.tf"] = _text_of(title, [item for item in mine if item.part == part])
        else:
            name = {main: "main", ModuleStack.__module__: "locals"}.get(maker, maker.rpartition(".")[2])
            files[f"{name}.tf"] = whole
    return files


def _title(maker: str) -> str:
    if maker == ModuleStack.__module__:
        return "What is left open, filled in."
    return (inspect.getdoc(sys.modules[maker]) or "").partition("\n")[0]


def _text_of(title: str, mine: Iterable[Element]) -> str:
    texts = [f"# {title}\n"]
    texts += locals_block({item.labels[0]: item.body for item in mine if item.kind == "locals"})
    for kind in ("data", "ephemeral", "resource"):
        texts += [element(kind, item.labels, item.body, item.shape) for item in mine if item.kind == kind]
    return joined(texts)


def variable_block(name: str, body: Mapping[str, Any]) -> str:
    """A variable."""
    lines = [argument("description", body["description"]), assigned("type", body["type"])]
    lines += [argument("default", body["default"])] if "default" in body else []
    lines += [] if body["nullable"] else [argument("nullable", False)]
    rules = [
        [
            f"{STEP}validation {{",
            *(argument(key, rule[key], STEP * 2) for key in ("condition", "error_message")),
            f"{STEP}}}",
        ]
        for rule in body.get("validation", [])
    ]
    return block("variable", (name,), [lines, *rules])
