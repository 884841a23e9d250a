"""A fault in a module's variables is told in the words that the environment file has for it."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from environments.checking import Refused, check
from environments.errors import key_path
from ops.export.parameters import Parameters
from tests.ops.export.export_faults import FAULTS, LEAF, OF_NO_SECTION, VALID, Case

FLEET = "simulations"
SECTIONS = {
    "client-token": ("hatchet",),
    "repositories": ("hatchet",),
    "backlog": ("workers",),
    "worker-fleet": ("workers", FLEET),
    "": (),
}
"""Where in an environment file a module's settings stand, if not below its own name."""

CLUSTER = {"workers_cluster": "docs-workers"}
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "researcher": CLUSTER,
    "hatchet": CLUSTER,
    "worker-fleet": {"fleet": FLEET, **LEAF},
    "backlog": {"fleets": {FLEET: LEAF}},
    "": {"workers": {FLEET: LEAF}},
}
"""What a module can not do without, beside its name."""

BLOCK = re.compile(r'^variable "(\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
PLACE = re.compile(
    r"(.*)\n\nThis was checked by the validation rule at case_(\d+)/variables\.tf:(\d+),.*", re.DOTALL
)

EVERYWHERE: list[Case] = [("", {"name": "Docs"}), ("", {"permissions_boundary": "boundary"})]
"""Faults of variables that every module has, or most of them."""


@pytest.fixture(scope="module")
def variables(exported: Path) -> dict[str, str]:
    """The variables of each module that have a validation or a default, and so need no other module."""
    paths = {path.name: path for path in (exported / "modules").iterdir()} | {"": exported}
    return {
        name: "\n".join(
            block for block in blocks_of(path) if re.search('validation {|default +=|"name" {', block)
        )
        for name, path in paths.items()
    }


def blocks_of(path: Path) -> Iterator[str]:
    yield from (found[0] for found in BLOCK.finditer((path / "variables.tf").read_text()))


class Told:
    """What Terraform says of cases.

    Attributes:
        messages: the faults of each.
        rules: the validations that found any, by module and line.
    """

    def __init__(
        self, variables: dict[str, str], folder: Path, cases: list[tuple[str, dict[str, Any]]]
    ) -> None:
        """Plan.

        Each case has a copy of its module's variables, by which Terraform tells where a fault is, without the
        resources, so that it needs no provider.

        Args:
            variables: of each module.
            folder: an empty one.
            cases: the modules and their arguments.
        """
        self.messages: list[set[str]] = [set() for _ in cases]
        self.rules: set[tuple[str, int]] = set()
        calls = {}
        for number, (module, arguments) in enumerate(cases):
            (folder / f"case_{number}").mkdir()
            (folder / f"case_{number}/variables.tf").write_text(variables[module])
            given = {"name": "docs", **NEEDED.get(module, {}), **arguments}
            calls[f"case_{number}"] = {"source": f"./case_{number}", **given}
        (folder / "main.tf.json").write_text(json.dumps({"module": calls}))
        subprocess.run(["terraform", "init", "-input=false"], cwd=folder, check=True, capture_output=True)
        # Terraform compares variables with one another only where none has a fault of its own.
        while found := list(planned(folder)):
            for number, message, line in found:
                self.messages[number] |= set(message.split("\n"))
                self.rules.add((cases[number][0], line))
                calls.pop(f"case_{number}", None)
            (folder / "main.tf.json").write_text(json.dumps({"module": calls} if calls else {}))


def planned(folder: Path) -> Iterator[tuple[int, str, int]]:
    """The faults that a plan finds: the number of the case, the message, the line of the validation."""
    ran = subprocess.run(
        ["terraform", "plan", "-json", "-input=false"], cwd=folder, capture_output=True, text=True
    )
    told = [line["diagnostic"] for line in map(json.loads, ran.stdout.splitlines()) if "diagnostic" in line]
    assert ran.returncode == bool(told), ran.stdout
    for fault in told:
        found = PLACE.fullmatch(fault["detail"])
        assert found, fault
        yield int(found[2]), found[1], int(found[3])


def call(case: Case) -> tuple[str, dict[str, Any]]:
    """A module, and what a call of it says for what stands in the environment file."""
    module, given = case
    if module == "backlog":
        return module, {"fleets": given}
    names = {"lifecycle": f"{module}_lifecycle", "version": f"{module}_version"}
    arguments = {names.get(key, key): value for key, value in given.items()}
    if module == "hatchet":
        # The module is for one mode.
        del arguments["mode"]
    return module, arguments


def words_of_the_environment_file(module: str, given: dict[str, Any]) -> set[str]:
    section = SECTIONS.get(module, (module,))
    data: dict[str, Any] = copy.deepcopy(given)
    for key in reversed(section):
        data = {key: data}
    with pytest.raises(Refused) as error:
        check({"name": "docs", "workers": {FLEET: dict(LEAF)}, **data})
    return {
        f"{path_of(module, path)} {words}" for path, found in error.value.faults.items() for words in found
    }


def path_of(module: str, path: tuple[str | int, ...]) -> str:
    """The path of a fault as a module tells it: below its section, or from the fleet's name on."""
    if module == "backlog":
        return key_path(("fleets", *path[1:]))
    return key_path(path[1:] if module else path)


def words_of_parameters(module: str, given: dict[str, Any]) -> set[str]:
    with pytest.raises(ValidationError) as error:
        Parameters.model_validate(given)
    prefix = f"{FLEET}." if module == "worker-fleet" and "fleet" not in given else ""
    return {
        f"{prefix}{fault['loc'][0]} {fault['msg']}"
        for fault in error.value.errors()
        if fault["loc"][0] in given
    }


def in_full(message: str, expected: set[str]) -> str:
    """What is expected for a module's message, which leaves out what was given: Terraform shows that beside it."""
    return next(
        (full for full in expected if message in {full, re.sub(r" .*?; ", " ", full, count=1)}), message
    )


def without_sizes(messages: set[str]) -> set[str]:
    """Without what Fargate has for a cpu, where the memory has a fault of its own: only Terraform tells both."""
    if not any(message.endswith("memory must be a number from 0.5 to 120") for message in messages):
        return messages
    return {
        message for message in messages if not message.endswith("must be a size that Fargate has for the cpu")
    }


def of_every_module(variables: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (module, given)
        for module, text in variables.items()
        for _, given in EVERYWHERE
        if re.search(f'^variable "{next(iter(given))}" .*?validation', text, re.MULTILINE | re.DOTALL)
    ]


@pytest.mark.slow
def test_faults_are_told_in_the_same_words_and_every_rule_finds_one(
    variables: dict[str, str], tmp_path: Path
) -> None:
    everywhere = of_every_module(variables)
    told = Told(variables, tmp_path, [*map(call, FAULTS), *OF_NO_SECTION, *everywhere])

    expected = [
        *(words_of_the_environment_file(*case) for case in FAULTS),
        *(words_of_parameters(*case) for case in OF_NO_SECTION),
        *(words_of_the_environment_file("", given) for _, given in everywhere),
    ]
    cases = [*FAULTS, *OF_NO_SECTION, *everywhere]
    said = [
        {in_full(message, wanted) for message in without_sizes(messages)}
        for messages, wanted in zip(told.messages, expected, strict=True)
    ]
    assert list(zip(cases, said, strict=True)) == list(zip(cases, expected, strict=True))
    rules = {
        (module, place): line
        for module, text in variables.items()
        for place, line in enumerate(text.splitlines(), start=1)
        if line.strip() == "validation {"
    }
    assert {rule: text for rule, text in rules.items() if rule not in told.rules} == {}


@pytest.mark.slow
def test_what_is_valid_passes(variables: dict[str, str], tmp_path: Path) -> None:
    assert Told(variables, tmp_path, [call(case) for case in VALID]).messages == [set() for _ in VALID]
