"""The modules' repository: the root, the submodules, and what a registry and its readers expect beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.export.changelog import changelog, releases
from ops.export.choices import FLEETS
from ops.export.constructs import Module, modules_of, unwritten_app
from ops.export.documents import formatted, readme_of, readme_of_root
from ops.export.examples import EXAMPLES, examples
from ops.export.lint import answered
from ops.export.module_tests import mocks, tests_of
from ops.export.modules import files_of
from ops.export.moved import MOVES, counted, moved_file
from ops.export.releases import shipped
from ops.export.rendering import render
from ops.export.root import RootModule

MOTO = "5.2.5"
"""The release of moto with which the exported repository's workflow tests."""

CHECKOV = "3.3.30"
"""The release of checkov with which it checks."""

STANDS = ("CKV_AWS_226", "CKV_AWS_260", "CKV_AWS_394")
"""What checkov finds for no reason: tests/ops/export/test_checkov.py says why."""

_VARIABLES = "variables.tf"


def repository(version: str | None) -> dict[str, str]:
    """The files by their paths, as text that ``terraform fmt`` has yet to align.

    Args:
        version: what the documentation pins; None for the newest of the changelog.

    Raises:
        TerraformError: terraform, by which the documentation shows types, is missing or too old.
    """
    with unwritten_app() as app:
        by_construct = modules_of(app)
        modules = list(by_construct.values())
        root = RootModule(app, by_construct)
        folders = {"": root.files(), **{_folder(module.name): files_of(module) for module in modules}}
        terraform = root.synthesis["terraform"]
        tests = _tests(root, modules)
        others = _beside(terraform, [folder.rstrip("/") or "." for folder in folders])
        documents = _readmes(root, modules, folders, version or releases()[0])
    return _placed(folders) | documents | examples(terraform) | others | tests


def submodules(modules: Iterable[Module]) -> dict[str, str]:
    """The submodules alone, without what is only for their readers: the files by their paths."""
    return _placed({_folder(module.name): files_of(module) for module in modules})


def _folder(name: str) -> str:
    return f"modules/{name}/" if name else ""


def _placed(folders: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Files by their paths, with the answers to tflint's findings, and the moves."""
    moved = {_folder(name): {"moved.tf": moved_file(moves)} for name, moves in MOVES.items()}
    return {
        f"{folder}{name}": text
        for folder, files in folders.items()
        for name, text in {**answered(folder, files), **moved.get(folder, {})}.items()
    }


def _tests(root: RootModule, modules: list[Module]) -> dict[str, str]:
    """The tests of the root and of each submodule."""
    found, below = mocks(), []
    by_name = {module.name: module for module in modules}
    for module in modules:
        variables = module.synthesis["variable"]
        data = [f"data.{'.'.join(each.labels)}" for each in module.of_kind("data")]
        written = tests_of(module.name, variables, data, has_ephemerals=bool(module.of_kind("ephemeral")))
        found |= {f"modules/{module.name}/{path}": text for path, text in written.items()}
    for name, arguments in root.calls.items():
        module = by_name[str(arguments["source"]).rpartition("/")[2]]
        if not module.of_kind("ephemeral"):
            # Terraform wants an override for each instance of a module.
            keys = ["[0]"] if "count" in arguments else [""]
            keys = [f'["{fleet}"]' for fleet in FLEETS] if "for_each" in arguments else keys
            below += [
                f"module.{name}{key}.data.{'.'.join(each.labels)}"
                for key in keys
                for each in module.of_kind("data")
            ]
    return found | tests_of("", root.synthesis["variable"], below, has_ephemerals=True)


def _beside(terraform: Mapping[str, Any], folders: list[str]) -> dict[str, str]:
    """What tells nothing of a module."""
    workflow = render(
        "test.yml",
        oldest=f"{terraform['required_version'].removeprefix('>= ')}.0",
        directories=[*folders, *(f"examples/{name}" for name in EXAMPLES)],
        ephemeral="modules/hatchet",
        moto=MOTO,
        checkov=CHECKOV,
        skipped=",".join(STANDS),
    )
    return {
        ".editorconfig": render("editorconfig"),
        ".github/workflows/test.yml": workflow,
        ".gitignore": render("gitignore"),
        ".terraform-docs.yml": render("terraform-docs.yml"),
        ".tflint.hcl": render("tflint.hcl"),
        "CHANGELOG.md": changelog(),
        "LICENSE": render("LICENSE"),
        "docs/UPGRADE.md": render("docs/UPGRADE.md", moves=counted(MOVES)),
        **shipped(),
    }


def _readmes(
    root: RootModule, modules: list[Module], folders: Mapping[str, Mapping[str, str]], version: str
) -> dict[str, str]:
    variables = formatted({folder: files[_VARIABLES] for folder, files in folders.items()})
    found = {"README.md": readme_of_root(root, modules, variables[""], version, EXAMPLES)}
    for module in modules:
        folder = _folder(module.name)
        found[f"{folder}README.md"] = readme_of(module, variables[folder], version)
    return found
