"""What the mirror keeps to itself and what stands in its way: crane only writes down what it is told."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from environments.loading import load
from local_aws import LocalAws
from modules.hatchet.images import images_of
from tests.ops.commands.mirrored import create_repositories, environment_file, script
from tests.support.command import COMMAND, scythe_aws
from tests.support.registries import PASSWORD

SPY = """
cd "$(dirname "$0")"
echo "$@" >> arguments
env >> variables
case "$1" in
auth) cat > given; ls -ld "$DOCKER_CONFIG" | cut -c 1-10 > mode; cp "$DOCKER_CONFIG/config.json" kept.json ;;
digest) echo sha256:0123; {digest} ;;
copy) echo 2026/01/01 Copying >&2; {copy} ;;
esac
"""


@dataclasses.dataclass
class Told:
    """A deployed environment, and a crane that only pretends.

    Attributes:
        folder: where crane writes down what it is told.
        file: the environment's.
        variables: of a command's process.
    """

    folder: Path
    file: Path
    variables: Mapping[str, str]

    def pretend(self, digest: str = "", copy: str = "") -> None:
        script(self.folder / "crane", SPY.format(digest=digest, copy=copy))

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {**self.variables, **variables}
        return scythe_aws("image", "mirror", self.file, cwd=self.folder, environment=given)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def left(self) -> list[Path]:
        """What is left of temporary folders."""
        return list((self.folder / "tmp").iterdir())


@pytest.fixture
def told(aws: LocalAws, tmp_path: Path) -> Told:
    file = environment_file(tmp_path)
    create_repositories(aws, file)
    (tmp_path / "tmp").mkdir()
    variables = aws.environment | {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "TMPDIR": str(tmp_path / "tmp"),
        "DOCKER_CONFIG": str(tmp_path),
    }
    told = Told(tmp_path, file, variables)
    told.pretend()
    return told


def test_the_password_is_on_standard_input_alone_and_its_folder_goes(told: Told) -> None:
    (told.folder / "config.json").write_text(
        '{"auths": {"ghcr.io": {"auth": "bWU6bXk="}}, "credsStore": "desktop"}'
    )
    told.pretend(copy="echo Error: no way >&2; exit 1")
    result = told.run()
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "aws-cli: crane copy failed: no way\n"
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    login, *others = told.read("arguments").splitlines()
    assert login == f"auth login {host} --username AWS --password-stdin"
    assert others[-1] == (
        f"copy public.ecr.aws/aws-cli/aws-cli:2.32.9@sha256:0123 {host}/{told.file.stem}/aws-cli:2.32.9"
    )
    assert told.read("given") == PASSWORD
    assert PASSWORD not in told.read("arguments") + told.read("variables")
    assert told.read("mode") == "drwx------\n"
    assert json.loads(told.read("kept.json")) == {
        "auths": {"ghcr.io": {"auth": "bWU6bXk="}},
        "credsStore": "desktop",
        "credHelpers": {
            host: "",
            **{f"{host}/{told.file.stem}/{image.name}": "" for image in images_of(load(told.file).hatchet)},
        },
    }
    assert told.left == []


def test_the_folder_goes_when_the_command_is_killed(told: Told) -> None:
    told.pretend(digest="touch waiting; exec sleep 60")
    process = subprocess.Popen(
        [COMMAND, "image", "mirror", told.file], env=told.variables, stderr=subprocess.DEVNULL
    )
    while not (told.folder / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.05)
    assert len(told.left) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) != 0
    assert told.left == []


def test_a_copy_that_did_not_arrive_is_told(told: Told) -> None:
    result = told.run()
    assert result.returncode == 1
    assert result.stderr == (
        f"aws-cli: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/{told.file.stem}/aws-cli:2.32.9 is not there "
        "after the copy of sha256:0123\n"
    )


# --- what stands in its way


def test_settings_of_docker_that_cannot_be_read_are_named(told: Told) -> None:
    (told.folder / "config.json").write_text("[]")
    result = told.run()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{told.folder}/config.json is not a JSON object")
    assert result.stderr.count("\n") == 1


def test_without_a_repository_it_says_what_comes_first(told: Told, aws: LocalAws) -> None:
    name = f"{told.file.stem}/rabbitmq"
    aws.client("ecr", "eu-west-1").delete_repository(repositoryName=name)
    result = told.run()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"the repository {name} does not exist yet: run cdktf deploy {told.file.stem}-storage first\n"
    )
    assert not (told.folder / "arguments").exists()


def test_without_crane_it_says_how_to_install_it(told: Told) -> None:
    (told.folder / "crane").unlink()
    result = told.run(PATH=str(told.folder))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    for way in ("go-containerregistry/releases", "brew install crane", "go install "):
        assert way in result.stderr


def test_another_account_is_refused(told: Told) -> None:
    text = told.file.read_text().replace('account_id: "123456789012"', 'account_id: "999999999999"')
    told.file.write_text(text)
    result = told.run()
    assert result.returncode == 2
    assert f"{told.file.stem} belongs to account 999999999999 (account_id)" in result.stderr
    assert not (told.folder / "arguments").exists()


EXISTING = (
    "{existing: {vpc_id: vpc-01234567, private_subnet_ids: [subnet-01234567, subnet-12345678], "
    "public_subnet_ids: [subnet-23456789, subnet-34567890]}}"
)


@pytest.mark.parametrize(
    ("network", "hatchet", "reason"),
    [
        ("{}", "{}", "hatchet.mode is cloud, so no image of Hatchet's runs here"),
        ("{nat: none, worker_subnets: public}", "{}", "hatchet.mode is cloud, so"),
        ("{}", "{mode: self_hosted}", "network.nat is instance, so tasks read Hatchet's images upstream"),
        (EXISTING, "{mode: self_hosted}", "network.existing is given, so tasks read Hatchet's images"),
        ("{}", "{mode: self_hosted, image_registry: upstream}", "hatchet.image_registry is upstream, where"),
    ],
)
def test_where_no_image_is_read_from_ecr_it_says_which_key_decides(
    tmp_path: Path, network: str, hatchet: str, reason: str
) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: lab\nnetwork: {network}\nhatchet: {hatchet}\nworkers: {{sims: {{role: leaf}}}}\n")
    result = scythe_aws("image", "mirror", file, cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"nothing is to be mirrored for lab: {reason}")
