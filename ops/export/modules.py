"""From constructs to the files of a module."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

from modules.backlog.backlog import Backlog
from modules.cluster.cluster import Cluster
from modules.expression import text
from modules.hatchet.hatchet import Hatchet
from modules.hatchet.repositories import Repositories
from modules.hatchet.token import ClientToken
from modules.module_stack import Element, ModuleStack
from modules.network.network import Network
from modules.observability.observability import Observability
from modules.researcher.researcher import Researcher
from modules.rules import Settings
from modules.stack import Label, ScytheApp
from modules.storage.storage import Storage
from modules.worker_fleet.worker_fleet import WorkerFleet
from ops.export.blocks import argument, assigned, block, element
from ops.export.layout import STEP
from ops.export.parameters import Parameters

if TYPE_CHECKING:
    # Else jsii would start before the seam of `modules`.
    from constructs import Construct

CONSTRUCTS: Mapping[str, type[Construct]] = {
    "network": Network,
    "storage": Storage,
    "client-token": ClientToken,
    "repositories": Repositories,
    "researcher": Researcher,
    "cluster": Cluster,
    "hatchet": Hatchet,
    "worker-fleet": WorkerFleet,
    "backlog": Backlog,
    "observability": Observability,
}
"""The construct of each submodule."""

LONGEST = 300
"""Lines of a file of several parts, beyond which each has its own."""

PUBLISHED = ("attributes", "access")
"""What of a construct's own is its module's outputs."""


def modules() -> dict[str, dict[str, str]]:
    """The files of each module by name, as text that ``terraform fmt`` has yet to align."""
    with tempfile.TemporaryDirectory() as unused:
        app = ScytheApp(outdir=unused)
        return {
            name: _files(composed(app, name, construct), construct.__module__)
            for name, construct in CONSTRUCTS.items()
        }


def composed(app: ScytheApp, name: str, construct: type[Construct]) -> ModuleStack:
    """A module of one construct, whose parameters are its variables."""
    stack = ModuleStack(app, name)
    hints = get_type_hints(construct.__init__)
    given = {
        parameter: _argument(stack, parameter, hints[parameter])
        for parameter, details in inspect.signature(construct.__init__).parameters.items()
        if details.kind is details.KEYWORD_ONLY
    }
    made = construct(stack, "Default", **given)
    for part in PUBLISHED:
        if hasattr(made, part):
            stack.publish(getattr(made, part))
    return stack


def _argument(stack: ModuleStack, parameter: str, type_: type) -> Any:
    if type_ is Label:
        return stack.label
    if issubclass(type_, Settings):
        return stack.variables(type_)
    if dataclasses.is_dataclass(type_):
        return stack.given(parameter, type_)
    value = getattr(stack.variables(Parameters, [parameter]), parameter)
    return text(value) if type_ is str else value


def _files(stack: ModuleStack, main: str) -> dict[str, str]:
    synthesis = stack.synthesize()
    elements = list(stack.elements(synthesis))
    made = [item for item in elements if item.kind != "output"]
    return {
        **_by_topic(made, main),
        "outputs.tf": _joined(_output(item) for item in elements if item.kind == "output"),
        "variables.tf": _joined(_variable(name, body) for name, body in synthesis["variable"].items()),
        "versions.tf": _versions(synthesis["terraform"]),
    }


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
    if values := [argument(item.labels[0], item.body) for item in mine if item.kind == "locals"]:
        texts.append(block("locals", (), [values]))
    for kind in ("data", "ephemeral", "resource"):
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
