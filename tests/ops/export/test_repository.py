"""What lies beside the modules' HCL: it is whole, and it tells of the HCL as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from modules.network.network import Network
from ops.commands.export import how_to_publish, released
from ops.errors import CommandError
from ops.export.changelog import releases
from ops.export.examples import EXAMPLES
from ops.export.moved import Move, counted, moved_file
from ops.export.prose import parts, prose
from ops.export.rendering import render
from ops.export.repository import CHECKOV, MOTO
from ops.export.tables import types_of
from ops.terraform import Terraform
from tests.support.project import ROOT

TABLES = re.compile(r"<!-- BEGIN_TF_DOCS -->\n(.*)<!-- END_TF_DOCS -->", re.DOTALL)


def folders(exported: Path) -> list[Path]:
    return [exported, *sorted((exported / "modules").iterdir())]


def declared(folder: Path, kind: str) -> set[str]:
    found = re.compile(rf'^{kind} "(\w+)"', re.MULTILINE)
    return {name for path in folder.glob("*.tf") for name in found.findall(path.read_text())}


def test_every_readme_has_every_variable_and_output(exported: Path) -> None:
    for folder in folders(exported):
        text = (folder / "README.md").read_text()
        for kind, anchor in (("variable", "input"), ("output", "output"), ("module", "module")):
            named = set(re.findall(rf'<a name="{anchor}_(\w+)"></a>', text))
            assert named == declared(folder, kind), f"{folder.name}: {kind}"


def test_every_module_says_what_it_costs(exported: Path) -> None:
    silent = [
        folder.name
        for folder in folders(exported)[1:]
        if "Costs" not in (folder / "README.md").read_text().partition("BEGIN_TF_DOCS")[0]
    ]
    assert silent == []


def test_no_readme_speaks_of_python(exported: Path) -> None:
    for folder in folders(exported)[1:]:
        told = (folder / "README.md").read_text().partition("BEGIN_TF_DOCS")[0]
        assert (
            re.findall(
                r"(?<!`)``(?!`)|settings\.|modules\.\w+\.|`[A-Z]\w+`|Attributes:|Args:|docs/\w+\.md reckons",
                told,
            )
            == []
        )


def test_prose_is_a_docstring_without_its_attributes() -> None:
    assert prose(Network).startswith("A VPC with a public and a private subnet")
    assert "With `existing` it makes none of these" in prose(Network)
    assert "Attributes" not in prose(Network)
    assert parts({Network: ["a", "flow_logs"]})[0][0] == "a, flow logs"


def test_types_are_shown_as_they_stand() -> None:
    text = 'variable "a" {\n  description = "x"\n  type = object({\n    b = string\n  })\n  default = {}\n}\n'
    assert types_of(text) == {"a": "object({\n    b = string\n  })"}


def test_links_lead_somewhere(exported: Path) -> None:
    for path in exported.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path}: {target}"


@pytest.mark.slow
def test_tables_are_those_of_terraform_docs(exported: Path, tmp_path: Path) -> None:
    tool = shutil.which("terraform-docs")
    if tool is None:
        pytest.skip(
            "terraform-docs is not on the PATH (github.com/terraform-docs/terraform-docs v0.20.0 in Go)"
        )
    shutil.copytree(exported, tmp_path / "copy")
    for path in (tmp_path / "copy").glob("modules/*/README.md"):
        path.write_text("<!-- BEGIN_TF_DOCS -->\n<!-- END_TF_DOCS -->\n")
    subprocess.run([tool, "."], cwd=tmp_path / "copy", capture_output=True, check=True)
    for folder in folders(exported):
        ours, theirs = (
            TABLES.search((at / folder.relative_to(exported) / "README.md").read_text())
            for at in (exported, tmp_path / "copy")
        )
        assert ours is not None
        assert theirs is not None
        assert ours[1] == theirs[1], folder.name


@pytest.mark.slow
def test_tflint_finds_nothing(exported: Path) -> None:
    tool = shutil.which("tflint")
    if tool is None:
        pytest.skip("tflint is not on the PATH (github.com/terraform-linters/tflint in Go)")
    ran = subprocess.run(
        [tool, "--recursive", f"--config={exported}/.tflint.hcl", "--format=compact"],
        cwd=exported, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, "")


def test_workflow_tests_every_folder(exported: Path) -> None:
    workflow = yaml.safe_load((exported / ".github/workflows/test.yml").read_text())
    tests = workflow["jobs"]["test"]
    examples = [path for path in sorted((exported / "examples").iterdir()) if path.is_dir()]
    expected = [*folders(exported), *examples]
    assert sorted(tests["strategy"]["matrix"]["directory"]) == sorted(
        str(path.relative_to(exported)) for path in expected
    )
    assert tests["strategy"]["matrix"]["terraform"] == ["1.11.0", "latest"]
    assert tests["strategy"]["matrix"]["provider"] == ["5.100.0", "~> 6.0"]
    assert all(job["timeout-minutes"] <= 30 for job in workflow["jobs"].values())
    # A tag can be moved, a commit cannot; the tag stands beside it, for those who update it.
    used = re.findall(r"uses: (.*)", (exported / ".github/workflows/test.yml").read_text())
    assert len(used) == sum("uses" in step for job in workflow["jobs"].values() for step in job["steps"])
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [each for each in used if not pinned.fullmatch(each)] == []
    assert f"checkov=={CHECKOV}" in (ROOT / "requirements-checkov.in").read_text()
    packages = (ROOT / "pyproject.toml").read_text()
    assert f"moto[server]=={MOTO}" in packages


def test_a_release_is_the_newest_of_the_changelog() -> None:
    assert released(None) == releases()[0] == released(releases()[0])
    with pytest.raises(
        CommandError, match=r"got 99\.0\.0; must be the newest .*, which has .*1\.0\.0"
    ) as refused:
        released("99.0.0")
    assert refused.value.status == 2
    assert f"git tag v{releases()[0]} " in how_to_publish(releases()[0])
    assert "<namespace>/scythe/aws" in how_to_publish(releases()[0])


def test_a_plan_of_an_old_state_moves_and_replaces_nothing(tmp_path: Path) -> None:
    """With an address made up as the old one, of a resource that needs no provider."""
    name = 'resource "terraform_data" "%s" {\n  input = "kept"\n}\n'
    environment = {**os.environ, "TF_PLUGIN_CACHE_DIR": str(tmp_path)}
    terraform = Terraform(tmp_path, environment)
    (tmp_path / "main.tf").write_text(name % "vpc")
    terraform.init()
    terraform.apply()
    (tmp_path / "main.tf").write_text(name % "this")
    assert sorted(terraform.plan().actions.values()) == ["create", "delete"]
    moves = (Move("2.0.0", "terraform_data.vpc", "terraform_data.this"),)
    (tmp_path / "moved.tf").write_text(moved_file(moves))
    assert terraform.plan().actions == {"terraform_data.this": "move"}
    assert "- 2.0.0 (1 moved)" in render("docs/UPGRADE.md", moves=counted({"network": moves}))


def test_every_example_is_a_whole_configuration(exported: Path) -> None:
    folders = sorted(path for path in (exported / "examples").iterdir() if path.is_dir())
    assert [folder.name for folder in folders] == sorted(EXAMPLES)
    for folder in folders:
        assert {path.name for path in folder.iterdir()} >= {
            *("main.tf", "variables.tf", "outputs.tf", "versions.tf"),
            "README.md",
        }
        assert "region = var.region" in (folder / "main.tf").read_text()


def test_examples_use_variables_and_outputs_that_exist(exported: Path) -> None:
    seen = 0
    for path in sorted((exported / "examples").glob("*/*.tf")):
        text = path.read_text()
        own = declared(path.parent, "variable")
        assert set(re.findall(r"var\.(\w+)", text)) <= own, path
        for name, body in re.findall(r'^module "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL):
            source = re.search(r'source += "(.+)"', body)
            assert source is not None, path
            module = (path.parent / source[1]).resolve()
            given = set(re.findall(r"^  (\w+) += ", body, re.MULTILINE)) - {"source", "for_each", "count"}
            assert given <= declared(module, "variable"), f"{path}: {name}"
            for other in path.parent.glob("*.tf"):
                read = set(re.findall(rf"module\.{name}\.(\w+)", other.read_text()))
                assert read <= declared(module, "output"), f"{other}: {name}"
                seen += len(read)
    assert seen > 10
