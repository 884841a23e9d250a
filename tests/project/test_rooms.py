"""The rooms of docs/architecture.md: imports run down its table, and in no circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.project import ROOT

Graph = Mapping[str, set[str]]


@cache
def floors() -> list[list[str]]:
    """The rooms from the top floor down, as the table of the page names them."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("## The rooms")[2].partition("\n## ")[0]
    return [
        re.findall(r"`([\w/.]+)`", row.split("|")[1]) for row in table.splitlines() if row.startswith("| `")
    ]


@cache
def sources() -> dict[str, Path]:
    """The project's Python files by the names of their modules, without tests and examples."""
    rooms = {room.partition("/")[0] for rooms in floors() for room in rooms}
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")] + [ROOT / "main.py"]
    named = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    return {name.removesuffix(".__init__"): file for name, file in named.items()}


def imports(name: str) -> Iterator[str]:
    """The project's modules that a module imports, wherever in its file, without the packages that it is in."""
    names = sources()
    for node in ast.walk(ast.parse(names[name].read_text())):
        if isinstance(node, ast.Import):
            asked = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            asked = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in asked:
            found = module if module in names else module.rpartition(".")[0]
            if found in names and not f"{name}.".startswith(f"{found}."):
                yield found


@cache
def graph() -> Graph:
    """Which module imports which."""
    return {name: set(imports(name)) for name in sources()}


def room_of(name: str) -> tuple[int, str]:
    """The floor of a module, counted from the top, and its room: the one with the longest name that holds it."""
    path = name.replace(".", "/")
    held = [
        (len(room), floor, room)
        for floor, rooms in enumerate(floors())
        for room in rooms
        if room in (f"{path}.py", f"{path}/") or path.startswith(room)
    ]
    assert held, f"{name} is in no room of docs/architecture.md"
    _, floor, room = max(held)
    return floor, room


def upwards(modules: Graph) -> list[str]:
    """The imports that run upwards, or to another room of the same floor."""
    found = []
    for name, other in ((name, other) for name, imported in modules.items() for other in imported):
        floor, room = room_of(name)
        floor_of_other, room_of_other = room_of(other)
        if room_of_other != room and floor_of_other <= floor:
            found.append(f"{name} imports {other}")
    return sorted(found)


def circle(modules: Graph) -> list[str]:
    """A circle of imports, if there is one."""
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_run_down_the_floors() -> None:
    assert upwards(graph()) == []


def test_no_imports_run_in_a_circle() -> None:
    assert circle(graph()) == []


def test_files_stand_in_rooms() -> None:
    """A file beside the rooms is one that nobody finds."""
    kept = {"cli.py", "environment.py", "errors.py", "picture.py", "prerequisites.py", "terraform.py"}
    assert {file.name for file in (ROOT / "ops").glob("*.py")} == {"__init__.py", *kept}
    assert {file.name for file in (ROOT / "modules").glob("*.py")} == {"__init__.py"}
    assert {file.name for file in (ROOT / "tests").glob("*.py")} == {"__init__.py", "conftest.py"}


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("environments.loading", "ops.errors"),
        ("synthesis.rules", "modules.network.settings"),
        ("modules.common.port", "modules.network.network"),
        ("ops.deployed.aws", "ops.images.docker"),
        ("scythe_worker.worker", "synthesis.rules"),
        ("ops.errors", "ops.commands.status"),
    ],
)
def test_an_import_upwards_is_seen(importer: str, imported: str) -> None:
    assert upwards({importer: {imported}}) == [f"{importer} imports {imported}"]


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_a_circle_is_seen(names: tuple[str, ...]) -> None:
    modules = {one: {other} for one, other in pairwise((*names, names[0]))}
    assert set(circle(modules)) == set(names)
