"""What `scythe-aws export` writes: files, their form, and what it refuses to replace."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field

from ops.export import MARK, ExportError, differences, write
from ops.export.layout import WIDTH, laid_out
from ops.export.repository import repository
from ops.export.syntax import expression
from ops.terraform import TerraformError
from synthesis.rules import Settings
from synthesis.variables import variable_type


def texts(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


MODULES = (
    *("network", "storage", "client-token", "repositories", "researcher"),
    *("cluster", "hatchet", "worker-fleet", "backlog", "observability"),
)


def test_each_module_has_the_files_that_a_registry_expects(exported: Path) -> None:
    files = {name for name in texts(exported) if name.startswith("modules/") and name.endswith(".tf")}
    assert files >= {
        f"modules/{module}/{name}.tf"
        for module in MODULES
        for name in ("main", "outputs", "variables", "versions")
    }
    assert {Path(name).parts[1] for name in files} == set(MODULES)
    assert {name for name in files if name.startswith("modules/network/")} == {
        f"modules/network/{name}.tf"
        for name in (
            *("main", "outputs", "variables", "versions"),
            *("data", "endpoints", "flow_logs", "nat", "subnets"),
        )
    }


def test_it_names_the_files_that_it_wrote(tmp_path: Path, modules_repository: dict[str, str]) -> None:
    written = write(tmp_path, modules_repository)
    assert written == [tmp_path / name for name in sorted(texts(tmp_path).keys() - {MARK})]


def test_terraform_would_format_nothing_otherwise(exported: Path) -> None:
    ran = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-diff", str(exported)], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_nothing_in_it_tells_of_cdktf_a_provider_or_a_backend(exported: Path) -> None:
    for name, text in texts(exported).items():
        assert "cdktf" not in text.lower(), name
        if not name.endswith(".tf") or name.startswith("examples/"):
            continue
        assert '"//"' not in text, name
        assert "TfToken" not in text, name
        assert "${null}" not in text, name
        assert 'provider "' not in text, name
        assert "backend" not in text, name


@pytest.mark.slow
def test_it_is_the_same_wherever_and_however_often_it_is_written(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = repository(None)
    write(Path("here"), files)
    write(Path("here"), files)
    assert texts(tmp_path / "here") == texts(exported)


def test_what_an_older_export_had_more_does_not_stay_and_a_neighbour_does(
    tmp_path: Path, modules_repository: dict[str, str]
) -> None:
    write(tmp_path, modules_repository)
    written = texts(tmp_path)
    write(tmp_path, {**modules_repository, "modules/rds/main.tf": "locals {}\n"})
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    write(tmp_path, modules_repository)
    assert texts(tmp_path) == written | {".git/HEAD": "ref: refs/heads/main\n"}
    assert not (tmp_path / "modules/rds").exists()
    made = {path.split("/")[0] for path in modules_repository}
    assert {path.name for path in tmp_path.iterdir()} == {*made, ".git", MARK}


def test_a_folder_with_other_files_is_left_as_it_is(
    tmp_path: Path, modules_repository: dict[str, str]
) -> None:
    ours = tmp_path / "modules/storage/main.tf"
    ours.parent.mkdir(parents=True)
    ours.write_text("")
    with pytest.raises(ExportError) as refused:
        write(tmp_path, modules_repository)
    assert str(refused.value) == f"{ours}: no export wrote it; name another folder with --out"
    assert texts(tmp_path) == {"modules/storage/main.tf": ""}


@pytest.mark.parametrize("taken", ["dist", "dist/modules", "dist/modules/network"])
def test_a_file_where_a_folder_must_be(
    tmp_path: Path, modules_repository: dict[str, str], taken: str
) -> None:
    path = tmp_path / taken
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("kept")
    with pytest.raises(ExportError) as refused:
        write(tmp_path / "dist", modules_repository)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)
    assert texts(tmp_path) == {taken: "kept"}


def test_without_terraform_nothing_is_written(
    tmp_path: Path, modules_repository: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(TerraformError, match="install it from"):
        write(tmp_path / "dist", modules_repository)
    assert not (tmp_path / "dist").exists()


def test_every_variable_and_output_says_what_it_is_for(exported: Path) -> None:
    for module in MODULES:
        variables = blocks(exported / "modules" / module / "variables.tf", "variable")
        outputs = blocks(exported / "modules" / module / "outputs.tf", "output")
        assert [
            name for name, arguments in variables.items() if not {"description", "type"} <= arguments
        ] == []
        assert [name for name, arguments in outputs.items() if "description" not in arguments] == []
    assert {"vpc_id", "public_subnet_ids", "private_subnet_ids"} <= set(
        blocks(exported / "modules/network/outputs.tf", "output")
    )
    assert {"bucket_name", "bucket_arn"} <= set(blocks(exported / "modules/storage/outputs.tf", "output"))


def blocks(path: Path, kind: str) -> dict[str, set[str]]:
    """The arguments of each block of a kind, by its name, in a file that Terraform has formatted."""
    found = re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', path.read_text(), re.MULTILINE | re.DOTALL)
    # An empty text is no description.
    return {name: set(re.findall(r'^  (\w+) += (?!"")', body, re.MULTILINE)) for name, body in found}


def test_a_suppression_of_checkov_stands_in_its_resource_with_the_reason(exported: Path) -> None:
    lines = (exported / "modules/storage/main.tf").read_text().splitlines()
    place = lines.index('resource "aws_ecr_repository" "worker" {')
    assert lines[place + 1].startswith(
        "  #checkov:skip=CKV_AWS_136:without kms.repositories ECR's own keys encrypt it"
    )


def test_constructs_keep_to_what_settings_can_be_in_both_stacks_and_modules() -> None:
    class Kept(Settings):
        days: int | None = Field(default=90)

    with pytest.raises(TypeError, match=r"Kept\.days may be null and has another default"):
        variable_type(Kept)
    with pytest.raises(TypeError, match="no Terraform variable has the type"):
        variable_type(bytes)


SUBNET = 'var.subnets["eu-west-1a"].identifier'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("${var.a}", "var.a"),
        ("${var.a}${var.b}", '"${var.a}${var.b}"'),
        ("a ${f(\"}\")} b", '"a ${f("}")} b"'),
        ('say "hi"\\', r'"say \"hi\"\\"'),
        ("$${no", '"$${no"'),
        ("${[for k, v in var.a : \"${k}-{\" if v]}", '[for k, v in var.a : "${k}-{" if v]'),
        ({"a-b": 1, "c d": [True, None]}, '{ a-b = 1, "c d" = [true, null] }'),
        ({}, "{}"),
    ],
)  # fmt: skip
def test_json_syntax_becomes_an_expression(value: object, text: str) -> None:
    assert expression(value) == text


LONG = [
    f'{{ for zone, name in merge({{ one = {SUBNET} }}, var.more_of_them) : zone => "${{name}}:{{" if name != "" }}',
    f'var.a ? {{ a = coalesce({SUBNET}, "${{var.b}}") }} : var.c && length([{SUBNET}, {SUBNET}]) > 1 || var.d ? {{ a = 1 }} : {{ a = {SUBNET} }}',
    'jsonencode({ Version = "2012-10-17", Statement = [{ Action = ["s3:Get*", "s3:Put*"], '
    'Resource = "${var.arn}/*" }, { Action = "*" }] })',
    r'base64encode("#!/bin/bash\nif true; then\n  echo \"$HOME\" $${x} ${var.a}\n\nfi\n")',
    '[for a in ["'
    + '", "'.join(f"service-number-{i}" for i in range(20))
    + '"] : upper(a) if length(a) > 3]',
]


@pytest.mark.parametrize("text", LONG)
def test_a_long_expression_is_broken_into_lines_that_mean_the_same(text: str, tmp_path: Path) -> None:
    lines = laid_out(text, indent="  ", before=10).splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= WIDTH + 10
    (tmp_path / "main.tf").write_text(VALUES + f"  one = {text}\n  two = {laid_out(text, indent='  ')}\n}}\n")
    ran = subprocess.run(
        ["terraform", "console"],
        cwd=tmp_path,
        input="local.one == local.two && jsonencode(local.one) == jsonencode(local.two)\n",
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == "true", ran.stderr


VALUES = """
variable "a" { default = true }
variable "b" { default = "b" }
variable "c" { default = true }
variable "d" { default = false }
variable "subnets" { default = { "eu-west-1a" = { identifier = "subnet-1" } } }
variable "arn" { default = "arn" }
variable "more_of_them" { default = { x = "y", z = "" } }
locals {
"""


def test_brackets_that_do_not_match() -> None:
    for text in ("f(a", "[a)", "a)", "(a, b]"):
        with pytest.raises(ValueError, match="brackets do not match"):
            laid_out(text)


@pytest.mark.parametrize(
    "name",
    [
        "../elsewhere/canary",
        "{elsewhere}/canary",
        "link/canary",
        "a/../../elsewhere/canary",
        ".git/config",
        ".GIT/config",
    ],
)
@pytest.mark.parametrize("does", [write, lambda out, files: list(differences(out, files))])
def test_a_mark_that_no_export_left_is_refused(
    tmp_path: Path, name: str, does: Callable[..., object]
) -> None:
    out, canary = tmp_path / "out", tmp_path / "elsewhere/canary"
    for file in (canary, out / ".git/config"):
        file.parent.mkdir(parents=True)
        file.write_text("canary")
    (out / "link").symlink_to(canary.parent)
    (out / MARK).write_text(name.format(elsewhere=canary.parent) + "\n")
    before = texts(out)
    with pytest.raises(ExportError) as refused:
        does(out, {"main.tf": ""})
    assert canary.read_text() == "canary" and texts(out) == before
    assert MARK in str(refused.value) and "canary\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_mark_that_is_no_text_or_a_link_out_is_refused(tmp_path: Path, content: bytes | None) -> None:
    out = tmp_path / "out"
    out.mkdir()
    if content is None:
        (out / MARK).symlink_to("/proc/self/environ")
    else:
        (out / MARK).write_bytes(content)
    with pytest.raises(ExportError, match="name another folder with --out"):
        write(out, {"main.tf": ""})
    assert [path.name for path in out.iterdir()] == [MARK]
