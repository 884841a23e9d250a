"""From constructs to the files of a module."""

from __future__ import annotations

import inspect
import sys
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from modules.module_stack import Element, ModuleStack
from modules.network.network import Network
from modules.network.settings import NetworkSettings
from modules.stack import ScytheApp
from modules.storage.settings import StorageSettings
from modules.storage.storage import Storage
from ops.export.blocks import argument, assigned, block, element
from ops.export.layout import STEP


def modules() -> dict[str, dict[str, str]]:
    """The files of each module by name, as text that ``terraform fmt`` has yet to align."""
    with tempfile.TemporaryDirectory() as unused:
        app = ScytheApp(outdir=unused)
        network = ModuleStack(app, "network")
        made = Network(network, "Default", label=network.label, settings=network.variables(NetworkSettings))
        network.publish(made.attributes)
        storage = ModuleStack(app, "storage")
        kept = Storage(storage, "Default", label=storage.label, settings=storage.variables(StorageSettings))
        storage.publish(kept.attributes)
        return {
            "network": _files(network, Network.__module__),
            "storage": _files(storage, Storage.__module__),
        }


def _files(stack: ModuleStack, main: str) -> dict[str, str]:
    synthesis = stack.synthesize()
    elements = list(stack.elements(synthesis))
    made = [item for item in elements if item.kind != "output"]
    return {
        **{
            "main.tf" if maker == main else f"{maker.rpartition('.')[2]}.tf": _text_of(maker, made)
            for maker in dict.fromkeys(item.maker for item in made)
        },
        "outputs.tf": _joined(_output(item) for item in elements if item.kind == "output"),
        "variables.tf": _joined(_variable(name, body) for name, body in synthesis["variable"].items()),
        "versions.tf": _versions(synthesis["terraform"]),
    }


def _text_of(maker: str, made: Iterable[Element]) -> str:
    """What the constructs of one Python module made, below the first line of that module's docstring."""
    mine = [item for item in made if item.maker == maker]
    title = (inspect.getdoc(sys.modules[maker]) or "").partition("\n")[0]
    texts = [f"# {title}\n"]
    if values := [argument(item.labels[0], item.body) for item in mine if item.kind == "locals"]:
        texts.append(block("locals", (), [values]))
    for kind in ("data", "resource"):
        texts += [element(kind, item.labels, item.body, item.shape) for item in mine if item.kind == kind]
    return _joined(texts)


def _variable(name: str, body: Mapping[str, Any]) -> str:
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


def _output(item: Element) -> str:
    return block("output", item.labels, [[argument(key, item.body[key]) for key in ("description", "value")]])


def _versions(settings: Mapping[str, Any]) -> str:
    required = [f"{STEP}required_providers {{"]
    for name, provider in settings["required_providers"].items():
        lines = [argument(key, provider[key], STEP * 3) for key in ("source", "version")]
        required += [f"{STEP * 2}{name} = {{", *lines, f"{STEP * 2}}}"]
    required.append(f"{STEP}}}")
    return block("terraform", (), [[argument("required_version", settings["required_version"])], required])


def _joined(blocks: Iterable[str]) -> str:
    return "\n".join(blocks)
