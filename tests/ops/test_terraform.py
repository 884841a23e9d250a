"""The real terraform binary, run by `ops.terraform`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ops.terraform import Terraform, TerraformError

BUILT_IN = """
variable "words" {
  type    = list(string)
  default = ["a"]
}
resource "terraform_data" "this" {
  for_each = toset(var.words)
  input    = each.key
}
output "words" {
  value = var.words
}
"""


def terraform(directory: Path, text: str = BUILT_IN, **variables: str) -> Terraform:
    (directory / "main.tf").write_text(text)
    return Terraform(directory, {**os.environ, **variables})


def fake_terraform(folder: Path, answer: str) -> dict[str, str]:
    binary = folder / "terraform"
    binary.write_text(f"#!/bin/sh\n{answer}\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_require_accepts_the_installed_terraform() -> None:
    major, minor = Terraform.require(os.environ).split(".")[:2]
    assert (int(major), int(minor)) >= (1, 11)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("""echo '{"terraform_version": "1.9.8"}'""", "is 1.9.8"),
        ("echo broken; exit 3", "does not say its version"),
    ],
)
def test_require_refuses_in_one_line(tmp_path: Path, answer: str, reason: str) -> None:
    with pytest.raises(TerraformError) as refused:
        Terraform.require(fake_terraform(tmp_path, answer))
    assert str(refused.value).startswith("terraform 1.11 or newer is needed: install it from https://")
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_require_says_that_none_is_on_the_path(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match=r"none is on the PATH"):
        Terraform.require({"PATH": str(tmp_path)})


def test_plan_apply_outputs_destroy(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "main.tf").write_text(BUILT_IN)
    runner = Terraform(tmp_path, os.environ, said.append)
    runner.init()
    runner.validate()
    plan = tmp_path / "kept.plan"

    first = runner.plan(plan)
    assert first.has_changes
    assert first.actions == {'terraform_data.this["a"]': "create"}
    assert runner.show_json(plan)["planned_values"]["outputs"]["words"]["value"] == ["a"]
    runner.apply(plan)
    assert not runner.plan()
    assert runner.outputs() == {"words": ["a"]}
    assert any("Creation complete" in line for line in said)

    changed = Terraform(tmp_path, {**os.environ, "TF_VAR_words": '["a", "b"]'})
    assert changed.plan().actions == {'terraform_data.this["b"]': "create"}

    runner.destroy()
    assert runner.plan().actions == {'terraform_data.this["a"]': "create"}
    assert [command for command, _ in runner.timings][:3] == ["init", "validate", "plan"]


def test_options_in_the_callers_environment_do_not_leak_in(tmp_path: Path) -> None:
    runner = terraform(tmp_path, TF_CLI_ARGS="-no-such-option", TF_CLI_ARGS_plan="-no-such-option")
    runner.init()
    assert runner.plan()


@pytest.mark.parametrize(
    ("text", "command", "expected"),
    [
        ('output "x" {\n  value = local.missing\n}', "validate", "main.tf:2"),
        ("this is not HCL", "init", "main.tf:1"),
        ('resource "terraform_data" "x" {\n  input = file("none")\n}', "plan", "main.tf:2"),
        (
            'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = "exit 7"\n  }\n}',
            "apply",
            "exit status 7",
        ),
    ],
)
def test_a_failure_is_told_in_terraforms_own_words(
    tmp_path: Path, text: str, command: str, expected: str
) -> None:
    runner = terraform(tmp_path, text)
    if command != "init":
        runner.init()
    with pytest.raises(TerraformError) as failed:
        getattr(runner, command)()
    assert f"terraform {command} failed in {tmp_path}" in str(failed.value)
    assert expected in str(failed.value)
    assert '"@message"' not in str(failed.value)
    assert "\x1b" not in str(failed.value)


def test_a_missing_provider_is_told_by_init(tmp_path: Path) -> None:
    text = 'terraform {\n  required_providers {\n    x = { source = "localhost/no/such" }\n  }\n}'
    with pytest.raises(TerraformError, match=r"localhost/no/such"):
        terraform(tmp_path, text).init()


def test_a_plugin_cache_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    variables.pop("TF_PLUGIN_CACHE_DIR", None)
    Terraform(tmp_path, variables)
    monkeypatch.setattr("os.geteuid", lambda: 4321)
    with pytest.raises(
        TerraformError, match="belongs to another user; name another cache with TF_PLUGIN_CACHE_DIR"
    ):
        Terraform(tmp_path, variables)
