"""The command `scythe-aws demo`, as a process of its own: what it shows, and what it leaves."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws import LocalAws
from tests.support.project import ROOT

SCYTHE_AWS = Path(sys.executable).with_name("scythe-aws")

QUICK = 'init) ;; apply) {apply} ;; plan) exit {plan} ;; output) echo "{{}}" ;;'


def start(folder: Path, *arguments: str, terraform: str = "", file: str = "") -> subprocess.Popen[str]:
    """Run the demo in an empty folder, with temporary files of its own and, if given, another terraform.

    Args:
        folder: where the folder and the files are.
        arguments: the demo's.
        terraform: cases of a shell script.
        file: the text of an environment `lab.yaml` in the folder.
    """
    path = os.environ["PATH"]
    (folder / "tmp").mkdir(parents=True)
    (folder / "here").mkdir()
    if file:
        (folder / "here" / "lab.yaml").write_text(file)
    if terraform:
        binary = folder / "bin" / "terraform"
        binary.parent.mkdir()
        binary.write_text(
            f'#!/bin/sh\ncase "$1" in version) exec {shutil.which("terraform")} "$@" ;; {terraform} esac\n'
        )
        binary.chmod(0o755)
        path = f"{binary.parent}{os.pathsep}{path}"
    return subprocess.Popen(
        [SCYTHE_AWS, "demo", *arguments],
        cwd=folder / "here",
        env={**os.environ, "PATH": path, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(folder: Path) -> list[str]:
    """What is in the folder where the demo ran, and of its temporary files; jsii leaves folders of its own."""
    here = [path.name for path in (folder / "here").iterdir()]
    return here + [path.name for path in (folder / "tmp").glob("scythe-aws-*")]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_docs_is_deployed_planned_again_and_destroyed(tmp_path: Path) -> None:
    demo = start(tmp_path, "docs", "--destroy")
    output, errors = demo.communicate()
    assert (demo.returncode, errors) == (0, ""), output
    for stack in ("docs-network", "docs-storage", "docs-workers"):
        assert re.search(rf"{stack} +deployed: \d+ resources +\$ cdktf deploy {stack}\n", output)
        assert re.search(rf"{stack} +second plan: no changes +\$ cdktf diff {stack}\n", output)
        assert re.search(rf"{stack} +destroyed: \d+ resources +\$ cdktf destroy {stack}\n", output)
    assert "  bucket_name = docs-scythe-123456789012-us-east-1\n" in output
    assert output.endswith("Nothing is left.\n")
    assert left(tmp_path) == []


CLOUD = """\
  aws sso login
  cdktf deploy docs-network
  cdktf deploy docs-storage
  cdktf deploy docs-workers
  scythe-aws token docs      Hatchet's client token, from standard input
  scythe-aws connect docs    a researcher's shell
"""

SELF_HOSTED = """\
  aws sso login
  export SCYTHE_AWS_ENVIRONMENTS=lab.yaml  else cdktf sees environments/ alone
  cdktf deploy lab-network
  cdktf deploy lab-storage
  cdktf deploy lab-hatchet                 the engine, whose set-up makes its client token
  cdktf deploy lab-workers
  scythe-aws forward lab.yaml              the engine at localhost, in a terminal of its own
  scythe-aws connect lab.yaml              a researcher's shell
"""

PRODUCTION = """\
  aws sso login
  export SCYTHE_AWS_ENVIRONMENTS=lab.yaml  else cdktf sees environments/ alone
  cdktf deploy lab-network
  cdktf deploy lab-storage
  scythe-aws image mirror lab.yaml         the images of the engine, for its ECR
  cdktf deploy lab-hatchet                 the engine, whose set-up makes its client token
  cdktf deploy lab-workers
  cdktf deploy lab-observability
  scythe-aws connect lab.yaml              a researcher's shell
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hatchet", "more", "commands"),
    [
        (None, "", CLOUD),
        ("", "", SELF_HOSTED),
        (
            ", domain: hatchet.example.org, certificate_arn: "
            "'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555'",
            "network: {nat: none, interface_endpoints: true}\nobservability: {alarm_email: ops@example.org}\n",
            PRODUCTION,
        ),
    ],
)
def test_its_last_words_are_what_to_type_against_an_account(
    tmp_path: Path, hatchet: str | None, more: str, commands: str
) -> None:
    demo = start(
        tmp_path, "docs" if hatchet is None else "lab.yaml", "--destroy",
        terraform=QUICK.format(apply="exit 0", plan=0),
        file=f"name: lab\nhatchet: {{mode: self_hosted{hatchet}}}\nworkers: {{sims: {{role: leaf}}}}\n{more}",
    )  # fmt: skip
    output, errors = demo.communicate()
    assert (demo.returncode, errors) == (0, ""), output
    said = output.split("Against an AWS account, in this order:\n")[1]
    assert said.startswith(commands)
    assert said.endswith("Nothing is left.\n")
    destroyed = re.findall(r"(\S+) +destroyed", said)
    parts = [name for name in re.findall(r"deploy \w+-(\w+)", commands) if name != "observability"]
    order = [name.split("-")[1] for name in destroyed if "observability" not in name]
    assert set(order) == set(parts)
    assert order[:-2] == parts[:1:-1]  # the network and the storage in any order


@pytest.mark.slow
def test_keep_leaves_what_it_says_how_to_reach_and_end(tmp_path: Path) -> None:
    demo = start(tmp_path, "dev", "--keep", terraform=QUICK.format(apply="exit 0", plan=0))
    output, errors = demo.communicate()
    assert (demo.returncode, errors) == (0, ""), output
    url = re.search(r"AWS_ENDPOINT_URL=(\S+)", output)
    end = re.search(r"kill (\d+); rm -r (\S+)", output)
    assert url
    assert end
    try:
        aws = LocalAws(url[1], "us-east-1", tmp_path)
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
        assert (Path(end[2]) / "cdktf.out" / "stacks" / "dev-workers" / "cdk.tf.json").is_file()
    finally:
        os.kill(int(end[1]), signal.SIGTERM)


@pytest.mark.slow
def test_changes_in_a_second_plan_are_the_answer_no(tmp_path: Path) -> None:
    demo = start(tmp_path, "dev", terraform=QUICK.format(apply="exit 0", plan=2))
    output, _ = demo.communicate()
    assert demo.returncode == 1
    assert "The second plan has changes:\n  dev-" in output
    assert left(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_all_that_it_started(tmp_path: Path, number: int) -> None:
    pids = tmp_path / "pids"
    apply = f"echo $$ >> {pids}; exec sleep 600"
    demo = start(tmp_path, "dev", terraform=QUICK.format(apply=apply, plan=0))
    assert demo.stdout
    assert demo.stderr
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if "deploying" in line:
            break
    while not (pids.is_file() and pids.read_text().endswith("\n")):
        assert demo.poll() is None
    url = re.search(r"http://\S+", "".join(lines))
    assert url
    demo.send_signal(number)
    demo.stdout.read()
    assert demo.stderr.read() == "Interrupted: all that the demo started has ended.\n"
    assert demo.wait() == 130
    assert left(tmp_path) == []
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    with pytest.raises(OSError):
        LocalAws(url[0], "us-east-1", tmp_path).reset()


@pytest.mark.slow
def test_a_failure_of_terraform_is_told_and_nothing_goes_on(tmp_path: Path) -> None:
    fails = 'echo \'{"@message": "no such zone"}\'; exit 1'
    demo = start(tmp_path, "dev", terraform=QUICK.format(apply=fails, plan=0))
    output, errors = demo.communicate()
    assert demo.returncode == 2
    assert "no such zone" in errors
    assert "Traceback" not in output + errors
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "nowhere: is no environment; must be one of dev, docs, or the path of a YAML file"),
        (["dev", "--keep", "--destroy"], "--destroy and --keep exclude each other: give one of them"),
    ],
)
def test_what_cannot_be_run_is_one_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    demo = start(tmp_path, *arguments)
    output, errors = demo.communicate()
    assert (demo.returncode, output, errors) == (2, "", f"{line}\n")
    assert left(tmp_path) == []


def test_without_terraform_one_line_says_what_to_install(tmp_path: Path) -> None:
    demo = subprocess.run([SCYTHE_AWS, "demo"], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert demo.returncode == 2
    assert demo.stderr.startswith("terraform 1.11 or newer is needed: install it from https://")
    assert demo.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("there", "line"),
    [
        ([], "Python 3.11 or newer is needed: install it from https://www.python.org/downloads"),
        (["python3"], "terraform 1.11 or newer is needed: install it from https://developer.hashicorp.com/"),
    ],
)
def test_make_says_first_what_to_install(tmp_path: Path, there: list[str], line: str) -> None:
    for name in there:
        (tmp_path / name).symlink_to(sys.executable)
    make = shutil.which("make")
    assert make
    made = subprocess.run(
        [make, "demo"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    said, by_make, *_ = made.stderr.splitlines()
    assert (made.returncode, made.stdout) == (2, "")
    assert said.startswith(line)
    assert by_make.startswith("make")
