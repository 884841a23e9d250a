"""The import seam of the AWS provider's bindings, each time in a Python of its own.

A program's constructs lie below a copy of `modules/`, because that is where the seam looks for imports.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synthesis.bindings import imported_submodules
from tests.support.project import ROOT

BINDINGS = "cdktf_cdktf_provider_aws"

CONSTRUCTS = """
from cdktf import App, Fn, TerraformIterator, Token, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws import sns_topic
from cdktf_cdktf_provider_aws.data_aws_availability_zones import (
    DataAwsAvailabilityZones,
    DataAwsAvailabilityZonesFilter,
)
from cdktf_cdktf_provider_aws.ecs_service import EcsService, EcsServiceCapacityProviderStrategy
from cdktf_cdktf_provider_aws.lexv2_models_bot_locale import Lexv2ModelsBotLocale as _
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.security_group import SecurityGroup, SecurityGroupIngress
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc


def compose(app):
    stack = TerraformStack(app, "a")
    AwsProvider(stack, "aws", region="eu-west-1", default_tags=[AwsProviderDefaultTags(tags={"project": "x"})])
    zones = DataAwsAvailabilityZones(
        stack, "zones", filter=[DataAwsAvailabilityZonesFilter(name="zone-type", values=["availability-zone"])]
    )
    vpc = Vpc(stack, "vpc", cidr_block="10.0.0.0/16", tags={"Name": "a"})
    each = TerraformIterator.from_list(zones.names)
    subnet = Subnet(stack, "subnet", vpc_id=vpc.id, availability_zone=Token.as_string(each.value), for_each=each,
                    cidr_block=Fn.cidrsubnet(vpc.cidr_block, 8, 1))
    subnet.add_override("lifecycle.create_before_destroy", True)
    group = SecurityGroup(stack, "group", vpc_id=vpc.id, ingress=[
        SecurityGroupIngress(from_port=443, to_port=443, protocol="tcp", cidr_blocks=[vpc.cidr_block])])
    service = EcsService(stack, "service", name="s", desired_count=0, capacity_provider_strategy=[
        EcsServiceCapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=3)])
    service.put_deployment_circuit_breaker(enable=True, rollback=True)
    service.put_network_configuration(subnets=[vpc.id], security_groups=[group.id])
    sns_topic.SnsTopic(stack, "topic", depends_on=[service])
    TerraformOutput(stack, "main", value=vpc.main_route_table_id)
    return stack
"""
SYNTH = """
import modules
from cdktf import App
from modules.composed import compose
app = App(outdir="out")
stack = compose(app)
"""
LATE = """
import cdktf_cdktf_provider_aws as aws
from cdktf_cdktf_provider_aws.vpc import Vpc
queue = aws.sqs_queue.SqsQueue(stack, "queue", name="q")
Vpc(stack, "second", cidr_block=queue.arn)
"""
LOADED = """
app.synth()
import json, sys
names = [name.split(".") for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")]
print(json.dumps(sorted({name[1] for name in names})))
"""


class Program:
    """A folder with a copy of the seam, constructs below it and a cache of its own."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        (folder / "modules").mkdir(parents=True)
        (folder / "synthesis").mkdir()
        for name in ("__init__.py", "assembly.py", "bindings.py"):
            shutil.copy(ROOT / "synthesis" / name, folder / "synthesis")
        shutil.copy(ROOT / "modules" / "__init__.py", folder / "modules")
        (folder / "modules" / "composed.py").write_text(CONSTRUCTS)

    def start(self, code: str, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Start Python on some code, in the program's folder."""
        unset = {"PYTHONWARNINGS", "SCYTHE_AWS_FULL_ASSEMBLY"}
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        added = {"PYTHONPATH": str(self.folder), "XDG_CACHE_HOME": str(self.cache)}
        added["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(
            Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
        )
        return subprocess.Popen(
            [sys.executable, *options, "-c", code],
            cwd=self.folder,
            env=kept | added | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, *options: str, **environment: str) -> tuple[str, str]:
        """Run Python on some code; its output and its errors."""
        process = self.start(code, *options, **environment)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        return output, errors

    def template(self) -> bytes:
        """Read what the last run synthesized."""
        return (self.folder / "out" / "stacks" / "a" / "cdk.tf.json").read_bytes()

    def cached(self) -> list[Path]:
        """List the files of the cache."""
        return sorted(file for file in self.cache.rglob("*") if file.is_file())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the tests of this module share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def program(tmp_path: Path, cache: Path) -> Program:
    """The program, with the shared cache."""
    return Program(tmp_path / "program", cache)


def test_importing_modules_loads_neither_cdktf_nor_jsii(program: Program) -> None:
    code = "import modules, sys, os; print({'cdktf', 'jsii', 'constructs'} & set(sys.modules), os.environ['JSII_NODE'])"
    loaded, node = program.run(code, JSII_NODE="mine")[0].split(maxsplit=1)
    assert (loaded, node.strip()) == ("set()", "mine")
    code = "import os; os.environ.pop('JSII_NODE', 0); import modules; print(os.environ['JSII_NODE'])"
    node = program.run(code)[0].strip()
    assert subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "v2"
    )


@pytest.mark.slow
def test_only_what_is_imported_is_loaded_and_nothing_is_warned_of(program: Program) -> None:
    """Fails when another version of the bindings, of cdktf or of jsii no longer fits the seam."""
    output, errors = program.run(SYNTH + LOADED, "-W", "error")
    assert set(json.loads(output)) == imported_submodules(program.folder / "modules") | {"_jsii"}
    assert errors == ""
    assert sum(file.stat().st_size for file in program.cached()) < 1_000_000


@pytest.mark.slow
def test_pruned_and_packaged_assembly_synthesize_the_same_bytes(program: Program) -> None:
    program.run(SYNTH + LOADED, "-W", "error")
    pruned = program.template()
    program.run(SYNTH + LOADED, "-W", "error", SCYTHE_AWS_FULL_ASSEMBLY="1")
    assert program.template() == pruned
    assert b"FARGATE_SPOT" in pruned


@pytest.mark.slow
def test_seam_and_stock_import_synthesize_the_same_bytes(program: Program) -> None:
    program.run(SYNTH + LATE + LOADED, "-W", "error")
    seam = program.template()
    output, _ = program.run(f"import {BINDINGS}\n" + SYNTH + LATE + LOADED)
    assert len(json.loads(output)) > 2000
    assert program.template() == seam


@pytest.mark.slow
def test_submodule_imported_elsewhere_and_late_works(program: Program) -> None:
    program.run(SYNTH + LATE + LOADED, "-W", "error")
    late = program.template()
    program.run(SYNTH + LATE + LOADED, "-W", "error", SCYTHE_AWS_FULL_ASSEMBLY="1")
    assert program.template() == late
    assert b"aws_sqs_queue.queue.arn" in late


def test_arguments_of_a_wrong_type_are_refused_each_time(program: Program) -> None:
    code = (
        SYNTH
        + "import typing\n"
        + "from modules.composed import Vpc\n"
        + "for name in 'xy':\n"
        + " try: Vpc(stack, name, cidr_block=1)\n"
        + " except TypeError as error: print(error)\n"
        + "def changing(a: int) -> None: ...\n"
        + "typing.get_type_hints(changing); changing.__annotations__['a'] = str\n"
        + "print(typing.get_type_hints(changing)['a'].__name__)"
    )
    *refused, hint = program.run(code, "-W", "error")[0].splitlines()
    assert refused == ["type of argument cidr_block must be one of (str, NoneType); got int instead"] * 2
    assert hint == "str"


def test_cdktf_imported_too_early_is_warned_of(program: Program) -> None:
    _, errors = program.run("import os; os.environ.pop('JSII_NODE', 0)\nimport jsii, modules")
    assert "cdktf was imported before synthesis" in errors


def test_main_needs_no_node_on_the_path(tmp_path: Path) -> None:
    """Fails when something imports cdktf before `modules`: then jsii looks for `node` on the path."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("JSII_NODE", "PYTHONWARNINGS")
    }
    command = [sys.executable, "-W", "error::UserWarning", str(ROOT / "main.py")]
    files = {
        "SCYTHE_AWS_ENVIRONMENTS": str(ROOT / "environments" / "docs.yaml"),
        "PATH": str(tmp_path),
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=environment | files, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "cdktf.out" / "manifest.json").exists()


def test_unknown_submodule_is_pythons_own_error(program: Program) -> None:
    code = SYNTH + "import cdktf_cdktf_provider_aws as aws\n"
    output, _ = program.run(
        code
        + "for name in ('nothing', '_jsii.nothing'):\n"
        + f" try: __import__('{BINDINGS}.' + name)\n"
        + " except ModuleNotFoundError as error: print(error)\n"
        + "print(hasattr(aws, 'nothing'))"
    )
    assert output.splitlines()[0] == f"No module named '{BINDINGS}.nothing'"
    assert output.splitlines()[2] == "False"


@pytest.mark.slow
def test_two_processes_make_the_cache_at_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    programs = [Program(tmp_path / name, cache) for name in "ab"]
    started = [program.start(SYNTH + LOADED, "-W", "error") for program in programs]
    for process in started:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    templates = [json.loads(program.template()) for program in programs]
    for template in templates:
        del template["terraform"]["backend"]
    assert templates[0] == templates[1]
    assert [file.name for file in programs[0].cached()] == ["provider-aws@20.1.0.jsii.tgz", "sha256"]


@pytest.mark.slow
def test_cache_is_reused_recovered_and_made_anew_for_another_set(tmp_path: Path) -> None:
    program = Program(tmp_path / "program", tmp_path / "cache")
    program.run(SYNTH + LOADED)
    template, (tarball, digest) = program.template(), program.cached()
    made, content = tarball.stat().st_mtime_ns, tarball.read_bytes()
    program.run(SYNTH + LOADED)
    assert tarball.stat().st_mtime_ns == made
    tarball.write_bytes(content[: len(content) // 2])
    digest.write_bytes(b"\xff")
    program.run(SYNTH + LOADED, "-W", "error")
    assert tarball.read_bytes() == content
    assert program.template() == template
    with (program.folder / "modules" / "composed.py").open("a") as constructs:
        constructs.write(f"from {BINDINGS}.eip import Eip\n")
    program.run(SYNTH + LOADED, "-W", "error")
    assert len(program.cached()) == 4
    assert program.template() == template


@pytest.mark.slow
def test_switched_off_caches_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path / "program", tmp_path / "cache")
    program.run(SYNTH + LOADED, SCYTHE_AWS_FULL_ASSEMBLY="1")
    assert program.cached() == []


@pytest.mark.slow
def test_without_a_cache_the_packaged_assembly_is_loaded_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = Program(tmp_path / "program", tmp_path / "file")
    _, errors = program.run(SYNTH + LOADED)
    assert "BindingsWarning: loading all of the provider's assembly:" in errors
    assert program.template()


@pytest.mark.parametrize("change", ["two assemblies", "another name", "types of its own", "no _jsii"])
def test_other_layout_of_the_bindings_is_imported_as_it_is_with_a_warning(
    program: Program, change: str
) -> None:
    package = program.folder / BINDINGS
    names = {"two assemblies": ["provider-aws@1.jsii.tgz", "b.tgz"], "another name": ["aws.tgz"]}
    (package / "_jsii").mkdir(parents=True)
    (package / "_jsii" / "__init__.py").touch()
    for name in names.get(change, ["provider-aws@1.jsii.tgz"]):
        (package / "_jsii" / name).touch()
    if change == "no _jsii":
        shutil.rmtree(package / "_jsii")
    (package / "__init__.py").write_text(
        "ran = 1" + (" # jsii_type=" if change == "types of its own" else "")
    )
    output, errors = program.run(f"import modules, {BINDINGS} as aws; print(aws.ran)")
    assert output == "1\n"
    assert "not laid out as synthesis/bindings.py knows" in errors


def test_every_form_of_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.py").write_text(
        f"import os\nfrom {BINDINGS}.vpc import Vpc\nimport {BINDINGS}.subnet as s\n"
        f"def f():\n    from {BINDINGS} import eip as e, lb  # both\n"
        f"from {BINDINGS} import (\n    sqs_queue,\n    sns_topic as topic,\n)\nfrom other.{BINDINGS} import no\n"
    )
    assert imported_submodules(tmp_path) == {"vpc", "subnet", "eip", "lb", "sqs_queue", "sns_topic"}
