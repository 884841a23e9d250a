"""What lies beside the modules' HCL: it is whole, and it tells of the HCL as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from modules.network.network import Network
from ops.export.examples import EXAMPLES
from ops.export.prose import parts, prose
from ops.export.tables import types_of

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
def test_tables_are_those_of_terraform_docs(exported: Path) -> None:
    tool = shutil.which("terraform-docs")
    if tool is None:
        pytest.skip(
            "terraform-docs is not on the PATH (go build github.com/terraform-docs/terraform-docs, v0.20.0)"
        )
    for folder in folders(exported):
        ran = subprocess.run(
            [tool, "markdown", "table", "--lockfile=false", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        shown = TABLES.search((folder / "README.md").read_text())
        assert shown is not None
        assert shown[1] == ran.stdout, folder.name


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
