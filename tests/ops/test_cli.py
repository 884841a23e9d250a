"""The command `scythe-aws`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from environments.loading import FOLDER, load
from environments.schema import json_schema
from local_aws import LocalAws
from ops.commands.schema import sections, settings_table
from ops.commands.validate import validate
from ops.deployed import quotas
from synthesis.output import SynthesisError, synthesized_into
from tests.support.command import client_token, scythe_aws
from tests.support.project import ROOT, SELF_HOSTED
from tests.support.serving import answering

FLEET = "name: lab\nworkers:\n  simulations: {role: leaf}\n"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    file = tmp_path / "lab.yaml"
    file.write_text(FLEET)
    return file


def test_help_names_the_commands_and_loads_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys, ops.cli\n"
        "try: ops.cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'boto3', 'cdktf', 'jinja2', 'jsii', 'moto', 'pydantic', 'yaml'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    *help_, loaded = result.stdout.strip().splitlines()
    assert loaded == "[]", result.stderr
    for command in ("validate", "synth", "token", "connect", "schema", "settings", "export", "demo"):
        assert any(command in line.split() for line in help_), command


@pytest.mark.parametrize(
    "command",
    ["connect", "download", "image", "logs", "mirror", "schema", "status", "stop", "token", "validate"],
)
def test_commands_that_synthesize_nothing_load_no_cdktf(tmp_path: Path, command: str) -> None:
    program = f"import sys, ops.commands.{command}; print({{'cdktf', 'jsii'}} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert result.stdout == "set()\n", result.stderr


# --- validate


def test_valid_files_pass(tmp_path: Path) -> None:
    result = scythe_aws("validate", "docs", SELF_HOSTED, cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_each_fault_is_a_line_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(FLEET + "region: moon-1\nnetwork: {az_count: 9}\n")
    result = scythe_aws("validate", "bad.yaml", cwd=tmp_path)
    assert result.returncode == 2
    first, second = result.stderr.splitlines()
    assert first.startswith('bad.yaml: region: got "moon-1"; must be a region')
    assert second == "bad.yaml: network.az_count: got 9; must be a whole number from 1 to 6"
    assert result.stdout == ""


def test_a_warning_is_a_line_and_ends_with_0(lab: Path) -> None:
    result = scythe_aws("validate", "lab.yaml", cwd=lab.parent)
    assert result.returncode == 0
    assert result.stderr.startswith("lab.yaml: workers: warning: no fleet has role: fan")


def test_validate_answers_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(FLEET + "region: moon-1\n")
    assert validate([str(bad)], as_json=True) == 2
    fault = json.loads(capsys.readouterr().out)["faults"][0]
    assert (fault["file"], fault["key"], fault["line"]) == (str(bad), "region", 4)
    bad.write_text(FLEET)
    assert validate([str(bad)], as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["warnings"][0]["key"] == "workers"


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    result = scythe_aws("synth", "--unknown", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")


# --- validate --aws

VALUES = {quotas.SPOT: 6.0, quotas.ON_DEMAND: 6.0, quotas.TASKS: 5000.0, quotas.ADDRESSES: 5.0}
"""What a new account has, and moto's Service Quotas lacks."""


@pytest.fixture(scope="module")
def account(aws: LocalAws) -> Iterator[dict[str, str]]:
    """The local AWS with a Service Quotas that knows more than moto's, of which it asks the rest."""

    class ServiceQuotas(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [value for name, value in VALUES.items() if name.code == asked["QuotaCode"]]
            try:
                quota = aws.client("service-quotas").get_service_quota(**asked)["Quota"]
                found.append(quota["Value"])
            except aws.client("service-quotas").exceptions.NoSuchResourceException:
                pass
            body = {"Quota": {"Value": found[0]}} if found else {"__type": "NoSuchResourceException"}
            data = json.dumps(body).encode()
            self.send_response(200 if found else 400)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with answering(ServiceQuotas) as port:
        yield aws.environment | {"AWS_ENDPOINT_URL_SERVICE_QUOTAS": f"http://127.0.0.1:{port}"}


def test_quotas_that_are_too_low_are_named_with_what_to_raise_them_to(
    account: dict[str, str], tmp_path: Path
) -> None:
    result = scythe_aws("validate", "docs", "--aws", cwd=tmp_path, environment=account)
    assert result.returncode == 1
    # 100 tasks of 2 vCPU and 10 of 4, all on Spot.
    assert result.stderr == (
        "Fargate Spot vCPU resource count (Service Quotas: fargate L-36FBB829) in us-east-1 is 6, but 240 are needed "
        "with all fleets at their max; raise it to 240 or lower max\n"
    )


def test_quotas_that_are_enough_pass(account: dict[str, str], lab: Path) -> None:
    lab.write_text(FLEET.replace("leaf}", "leaf, scaling: {max: 3}}"))
    result = scythe_aws("validate", "lab.yaml", "--aws", "--json", cwd=lab.parent, environment=account)
    assert result.returncode == 0, result.stderr
    found = {
        quota["name"]: (quota["needed"], quota["value"]) for quota in json.loads(result.stdout)["quotas"]
    }
    assert found == {
        "Fargate Spot vCPU resource count": (6, 6.0),
        "Tasks per service": (3, 5000.0),
        "Network interfaces per Region": (4, 5000.0),
        "VPCs per Region": (2, 5.0),  # beside the default one
        "EC2-VPC Elastic IPs": (1, 5.0),
    }


def test_on_demand_and_spot_share_the_tasks_by_base_and_weight(lab: Path) -> None:
    lab.write_text(
        "name: lab\nworkers:\n  simulations:\n    role: leaf\n    cpu: 4\n"
        "    capacity: {spot: 3, on_demand: 1, on_demand_base: 10}\n"
        "    scaling:\n      max: 20\n"
        "      schedule: [{start: 'cron(0 20 * * ? *)', end: 'cron(0 6 * * ? *)', max: 50}]\n"
    )
    need = quotas.fleets_need([load(lab)])
    assert need == {quotas.ON_DEMAND: 4 * (10 + 10), quotas.SPOT: 4 * 30, quotas.TASKS: 50}


def test_another_account_is_refused(account: dict[str, str], lab: Path) -> None:
    lab.write_text(FLEET + "account_id: '999999999999'\n")
    for command in (
        ["validate", "lab.yaml", "--aws"],
        ["token", "lab.yaml"],
        ["connect", "lab.yaml", "true"],
    ):
        result = scythe_aws(*command, cwd=lab.parent, environment=account, given=client_token())
        assert result.returncode == 2
        assert "lab belongs to account 999999999999 (account_id)" in result.stderr.splitlines()[-1]


def test_missing_credentials_are_one_line(tmp_path: Path) -> None:
    result = scythe_aws("validate", "docs", "--aws", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == (
        "AWS credentials are missing: log in (aws sso login, or AWS_PROFILE for another profile)\n"
    )


def test_an_aws_out_of_reach_is_one_line(aws: LocalAws, tmp_path: Path) -> None:
    away = aws.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    result = scythe_aws("connect", "docs", "true", cwd=tmp_path, environment=away)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("AWS cannot be reached: ")


# --- synth


def test_synth_writes_the_stacks_and_says_what_fleets_wait_for(lab: Path) -> None:
    result = scythe_aws("synth", "lab.yaml", "--out", "made/out", cwd=lab.parent)
    assert result.returncode == 0, result.stderr
    *files, waiting = result.stdout.splitlines()
    assert files == [f"made/out/stacks/lab-{part}/cdk.tf.json" for part in ("network", "storage", "workers")]
    assert all((lab.parent / file).is_file() for file in files)
    assert waiting.startswith(
        "lab: simulations wait for an image: until lab.image or the key image names one"
    )
    stacks = json.loads((lab.parent / "made/out/manifest.json").read_text())["stacks"]
    assert sorted(stacks) == ["lab-network", "lab-storage", "lab-workers"]
    assert sorted(os.listdir(lab.parent / "made")) == ["out"]
    templates = "".join((lab.parent / file).read_text() for file in files)
    assert str(lab.parent) not in templates


def test_synth_keeps_what_terraform_keeps_beside_a_stack(lab: Path) -> None:
    lab.with_suffix(".image").write_text(f"registry.example/worker@sha256:{'a' * 64}\n")
    stack = lab.parent / "cdktf.out" / "stacks" / "lab-network"
    (stack / ".terraform").mkdir(parents=True)
    (stack / ".terraform.lock.hcl").write_text("lock")
    (stack / "cdk.tf.json").write_text("old")
    other = stack.with_name("other-network") / "cdk.tf.json"
    other.parent.mkdir()
    other.write_text("other")
    result = scythe_aws("synth", "lab.yaml", "--json", cwd=lab.parent)
    assert json.loads(result.stdout) == {
        "stacks": ["lab-network", "lab-storage", "lab-workers"],
        "fleets_without_image": {"lab": []},
    }
    assert (stack / ".terraform").is_dir()
    assert (stack / ".terraform.lock.hcl").read_text() == "lock"
    assert "aws_vpc" in (stack / "cdk.tf.json").read_text()
    assert other.read_text() == "other"


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Path]:
    """An output folder that must not change."""
    out = tmp_path / "cdktf.out"
    out.mkdir()
    (out / "manifest.json").write_text("as it was")
    yield tmp_path
    assert [path.name for path in out.iterdir()] == ["manifest.json"]
    assert (out / "manifest.json").read_text() == "as it was"
    assert not list(tmp_path.glob(".cdktf.out-*"))


@pytest.mark.slow
@pytest.mark.parametrize("command", ["scythe-aws synth", "python main.py"])
def test_a_self_hosted_environment_has_a_stack_for_each_part(tmp_path: Path, command: str) -> None:
    if command == "python main.py":
        result = subprocess.run(
            [sys.executable, ROOT / "main.py"],
            cwd=tmp_path,
            env=os.environ | {"SCYTHE_AWS_ENVIRONMENTS": str(SELF_HOSTED)},
            capture_output=True,
            text=True,
        )
    else:
        result = scythe_aws("synth", SELF_HOSTED, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    manifest = json.loads((tmp_path / "cdktf.out" / "manifest.json").read_text())
    parts = ["network", "storage", "hatchet", "workers", "observability"]
    assert sorted(manifest["stacks"]) == sorted(f"prod-{part}" for part in parts)
    needs = {name: stack["dependencies"] for name, stack in manifest["stacks"].items()}
    assert sorted(needs["prod-hatchet"]) == ["prod-network", "prod-storage"]
    assert sorted(needs["prod-workers"]) == ["prod-hatchet", "prod-network", "prod-storage"]


def test_nothing_is_written_where_one_of_several_files_is_faulty(untouched: Path) -> None:
    (untouched / "bad.yaml").write_text("name: bad\n")
    assert scythe_aws("synth", "docs", "bad.yaml", cwd=untouched).returncode == 2


def test_nothing_is_written_where_a_construct_refuses(untouched: Path) -> None:
    with (
        pytest.raises(SynthesisError, match=r"^nothing is synthesized: two names are one$"),
        synthesized_into(untouched / "cdktf.out"),
    ):
        raise ValueError("two names are one\nand more")


# --- schema and settings


def test_committed_tables_are_current(tmp_path: Path) -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_table()
    result = scythe_aws("schema", "--out", "schema.json", cwd=tmp_path)
    assert result.stdout == "schema.json\n"
    assert (tmp_path / "schema.json").read_text() == (FOLDER / "schema.json").read_text()


def test_the_table_has_the_keys_of_the_schema() -> None:
    rows = {f"{section.name}.{key.path}".strip(".") for section in sections() for key in section.keys}
    schema = json_schema()
    keys = set(_keys(schema, schema["$defs"]))
    parents = {key.rpartition(".")[0] for key in keys} | {"workers"}
    assert {row.replace("[]", "") for row in rows} - parents == keys - parents


def _keys(node: Any, definitions: Any, path: str = "") -> Iterator[str]:
    node = definitions[node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    for part in node.get("anyOf", []) + [node[key] for key in ("items",) if key in node]:
        yield from _keys(part, definitions, path)
    named = [("<name>", inner) for inner in node.get("patternProperties", {}).values() if "$ref" in inner]
    for name, inner in [*node.get("properties", {}).items(), *named]:
        key = f"{path}.{name}".strip(".")
        yield key
        yield from _keys(inner, definitions, key)


def test_synth_into_another_folder_goes_on_with_the_same_states(lab: Path) -> None:
    for out in ("cdktf.out", "made/out"):
        assert scythe_aws("synth", "lab.yaml", "--out", out, cwd=lab.parent).returncode == 0
        stack = lab.parent / out / "stacks" / "lab-network"
        backend = json.loads((stack / "cdk.tf.json").read_text())["terraform"]["backend"]["local"]
        assert (stack / backend["path"]).resolve() == lab.parent.resolve() / "state" / "lab-network.tfstate"
