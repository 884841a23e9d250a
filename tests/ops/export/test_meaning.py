"""The exported HCL says what the stacks' JSON says, also where no plan shows it: write-only arguments, lifecycles.

That both plan the same is shown in tests/deployments/test_exit.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

from environments.loading import load
from main import parts, synthesize
from ops.export.constructs import modules_of, unwritten_app
from ops.export.exit import Sources, configurations
from tests.support.project import SELF_HOSTED

"""Its stacks have all that there is, some of it counted 0 times."""

pytestmark = pytest.mark.slow

MOVED = re.compile(
    r'from = (\w+)\.([\w-]+)\n\s+to = module\.([\w-]+)(?:\["[\w-]+"\])?\.(\w+)\.([\w-]+)(?:\[0\])?\n'
)
CALL = re.compile(r'module "([\w-]+)" \{\n\s+source\s*= "\.\./modules/([\w-]+)"')
META = ("count", "for_each", "lifecycle", "tags")

Blocks = Mapping[tuple[str, str], Mapping[str, Any]]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, exported: Path) -> dict[str, tuple[Any, Any]]:
    """What the stacks and the modules say of each resource, by its address in the way out."""
    folder = tmp_path_factory.mktemp("meaning")
    environment = load(SELF_HOSTED)
    synthesize([environment], folder / "cdktf.out")
    written = {path.name: resources(path) for path in (exported / "modules").iterdir()}
    found: dict[str, tuple[Any, Any]] = {}
    with unwritten_app() as app:
        exits = configurations(environment, modules_of(app), Sources(".."))
    assert len(exits) == len(parts(environment))
    for stack, files in exits.items():
        template = json.loads((folder / f"cdktf.out/stacks/{stack}/cdk.tf.json").read_text())
        modules = dict(CALL.findall(files["main.tf"]))
        moves = MOVED.findall(files["moved.tf"])
        moved = {move[:2] for move in moves}
        for type_, named in template.get("resource", {}).items():
            assert all("count" in body for name, body in named.items() if (type_, name) not in moved), stack
        for type_, name, call, *theirs in moves:
            address = ".".join((stack, call, name, *theirs))
            found[address] = (template["resource"][type_][name], written[modules[call]][theirs[0], theirs[1]])
    return found


def resources(module: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(module.glob("*.tf")):
        if path.name in {"variables.tf", "outputs.tf", "versions.tf"}:
            continue
        with path.open(encoding="utf-8") as file:
            parsed = hcl2.load(file)
        for block in parsed.get("resource", []):
            for type_, names in block.items():
                for name, body in names.items():
                    if name != "__is_block__":
                        found[type_.strip('"'), name.strip('"')] = plain(body)
    return found


def plain(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if not key.startswith("__")}


def arguments(body: Mapping[str, Any]) -> set[str]:
    dynamic = body.get("dynamic", {})
    blocks = (
        dynamic if isinstance(dynamic, Mapping) else {key: 1 for block in dynamic for key in plain(block)}
    )
    # An empty list of blocks is none.
    return {key for key, value in body.items() if value != [] and key not in {"//", "dynamic", *META}} | {
        name.strip('"') for name in blocks
    }


def lifecycle(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a resource's lifecycle says; of a condition, that it is there."""
    given = body.get("lifecycle", {})
    blocks = [plain(block) for block in given] if isinstance(given, list) else [given]
    said: dict[str, Any] = {}
    for block in blocks:
        for key, value in block.items():
            if key in {"precondition", "postcondition"}:
                said[key] = len(value)
            elif isinstance(value, list):
                said[key] = sorted(re.sub(r'^\$\{|\}$|"', "", item) for item in value)
            else:
                said[key] = value
    return said


def test_a_resource_has_the_same_arguments_and_blocks(pairs: Mapping[str, tuple[Any, Any]]) -> None:
    for address, (stack, module) in pairs.items():
        assert (address, arguments(module)) == (address, arguments(stack))
        assert (address, "for_each" in module) == (address, "for_each" in stack)
        # What a stack of values has is there without a count.
        assert "count" in module or "count" not in stack, address


def test_a_resource_has_the_same_lifecycle(pairs: Mapping[str, tuple[Any, Any]]) -> None:
    said = {address: lifecycle(stack) for address, (stack, _) in pairs.items()}
    assert {address: lifecycle(module) for address, (_, module) in pairs.items()} == said
    kinds = {key for found in said.values() for key in found}
    assert kinds == {"ignore_changes", "create_before_destroy", "precondition", "postcondition"}


def test_write_only_arguments_are_among_them(pairs: Mapping[str, tuple[Any, Any]]) -> None:
    written = {key for _, module in pairs.values() for key in arguments(module) if key.endswith("_wo")}
    assert written == {"password_wo", "secret_string_wo"}
