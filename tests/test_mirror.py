"""`scythe-aws image mirror`: what it copies, what stands in its way, and what it keeps to itself."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from environments.loading import load
from local_aws import LocalAws
from modules.hatchet.images import ENGINE, Image, images_of
from ops import mirror as mirroring
from ops.errors import CommandError
from ops.mirror import mirror
from tests.command import COMMAND, scythe_aws
from tests.registries import PASSWORD, Ecr, crane, needs_crane, push, registry

_numbers = count()
SELF_HOSTED = Path(__file__).parent / "files" / "self-hosted.yaml"


@dataclasses.dataclass
class Place:
    """An environment of its own, with its repositories.

    Attributes:
        aws: where.
        ecr: its ECR.
        images: its images, from an upstream that can be reached.
        file: the environment's.
    """

    aws: LocalAws
    ecr: Ecr
    images: list[Image]
    file: Path

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def client(self) -> Any:
        return self.aws.client("ecr", "eu-west-1")

    def held(self) -> dict[str, str]:
        """The digests in ECR by the images' names."""
        found = {}
        for image in self.images:
            answer = self.client.describe_images(repositoryName=f"{self.name}/{image.name}")
            for detail in answer["imageDetails"]:
                assert detail["imageTags"] == [image.tag]
                found[image.name] = detail["imageDigest"]
        return found


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws.start() as started:
        yield started


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Image]]:
    """All images of an engine, in a registry that is here; the engine's by digest, as an environment can say."""
    folder = tmp_path_factory.mktemp("upstream")
    with registry(folder) as host:
        images = []
        for image in images_of(load(SELF_HOSTED).hatchet):
            source = f"{host}/{image.source.partition('/')[2]}"
            push(source, folder)
            if image.name == ENGINE:
                source = f"{source.rpartition(':')[0]}@{crane('digest', source)}"
            images.append(dataclasses.replace(image, source=source))
        yield images


@pytest.fixture(scope="module")
def ecr(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ecr]:
    with registry(tmp_path_factory.mktemp("ecr")) as behind, closing(Ecr(aws, behind)) as started:
        yield started


def environment_file(folder: Path) -> Path:
    file = folder / f"lab{next(_numbers)}.yaml"
    file.write_text(SELF_HOSTED.read_text().replace("name: prod", f"name: {file.stem}"))
    return file


def create_repositories(aws: LocalAws, file: Path) -> None:
    for image in images_of(load(file).hatchet):
        aws.client("ecr", "eu-west-1").create_repository(
            repositoryName=f"{file.stem}/{image.name}", imageTagMutability="IMMUTABLE"
        )


@pytest.fixture
def place(
    aws: LocalAws, ecr: Ecr, upstream: list[Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """Where this process's `mirror` is led to."""
    file = environment_file(tmp_path)
    create_repositories(aws, file)
    variables = aws.variables | {"AWS_ENDPOINT_URL_ECR": f"http://{ecr.host}", "DOCKER_CONFIG": str(tmp_path)}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    monkeypatch.setattr(mirroring, "images_of", lambda _: upstream)
    ecr.written.clear()
    ecr.refused = ""
    return Place(aws, ecr, upstream, file)


# --- what it copies (real registries)


@needs_crane
def test_all_images_are_copied_with_all_platforms_and_their_digests(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror(str(place.file), as_json=True)
    document = json.loads(capsys.readouterr().out)
    digests = {image.name: crane("digest", image.source) for image in place.images}
    assert document == {
        "images": [
            {
                "name": image.name,
                "source": image.source,
                "target": f"{place.ecr.host}/{place.name}/{image.name}:{image.tag}",
                "digest": digests[image.name],
                "copied": True,
            }
            for image in place.images
        ]
    }
    assert len(set(digests.values())) == len(place.images) == 8
    assert place.held() == digests
    # Two platforms, then the index that names them.
    assert place.ecr.written == [f"{place.name}/{image.name}" for image in place.images for _ in range(3)]


@needs_crane
def test_what_is_there_already_is_not_copied_again(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    mirror(str(place.file))
    first = capsys.readouterr().out.splitlines()
    target = f"{place.ecr.host}/{place.name}/aws-cli:{place.images[0].tag}"
    assert first[0] == f"aws-cli: copied to {target} ({crane('digest', place.images[0].source)})"
    lost = place.images[3]
    place.ecr.lose(f"{place.name}/{lost.name}", lost.tag)
    place.ecr.written.clear()
    mirror(str(place.file))
    second = capsys.readouterr().out.splitlines()
    assert second[0] == first[0].replace("copied to ", "").replace(" (", " is there already (")
    assert [": copied to " in line for line in second] == [image is lost for image in place.images]
    assert set(place.ecr.written) == {f"{place.name}/{lost.name}"}


@needs_crane
def test_a_run_that_ended_halfway_is_repeated(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.ecr.refused = f"{place.name}/hatchet-api"
    with pytest.raises(CommandError, match=r"^hatchet-api: crane copy failed: .*DENIED") as failed:
        mirror(str(place.file))
    assert failed.value.status == 1 and "\n" not in str(failed.value)
    assert len(capsys.readouterr().out.splitlines()) == len(place.held()) == 2
    place.ecr.refused = ""
    mirror(str(place.file))
    copied = [": copied to " in line for line in capsys.readouterr().out.splitlines()]
    assert copied == [False] * 2 + [True] * 6
    assert len(place.held()) == 8


@needs_crane
@pytest.mark.parametrize(("number", "way_out"), [(0, ")"), (2, "), or set another hatchet.version")])
def test_a_tag_with_another_digest_stops_it_before_anything_is_copied(
    place: Place, number: int, way_out: str
) -> None:
    image, held = place.images[number], f"sha256:{'a' * 64}"
    place.client.put_image(
        repositoryName=f"{place.name}/{image.name}",
        imageManifest='{"mediaType": "application/vnd.oci.image.index.v1+json"}',
        imageTag=image.tag,
        imageDigest=held,
    )
    with pytest.raises(CommandError) as refused:
        mirror(str(place.file))
    text = str(refused.value)
    assert refused.value.status == 1
    assert text.startswith(
        f"{place.name}/{image.name}:{image.tag} in ECR is {held}, but {image.source} is {crane('digest', image.source)}, "
    )
    assert text.endswith(
        f"--repository-name {place.name}/{image.name} --image-ids imageTag={image.tag}{way_out}"
    )
    assert place.held() == {image.name: held}
    assert place.ecr.written == []


@needs_crane
def test_an_image_that_upstream_lacks_stops_it_before_anything_is_copied(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    *others, last = place.images
    lacking = dataclasses.replace(last, source=f"{last.source}9")
    monkeypatch.setattr(mirroring, "images_of", lambda _: [*others, lacking])
    with pytest.raises(CommandError, match=r"^rabbitmq: crane digest failed: .*MANIFEST_UNKNOWN") as failed:
        mirror(str(place.file))
    assert failed.value.status == 2 and "\n" not in str(failed.value)
    assert place.ecr.written == []


@needs_crane
def test_the_users_logins_count_and_their_keychain_never_gets_the_password(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keychain.log"
    script(
        tmp_path / "docker-credential-spy",
        f"""(echo $1; cat; echo) >> {log}; echo '{{"Username": "me", "Secret": "mine"}}'""",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(str(shutil.which('crane'))).parent}:/usr/bin:/bin")
    (tmp_path / "config.json").write_text('{"credsStore": "spy"}')
    mirror(str(place.file))
    host = place.images[0].source.partition("/")[0]
    asked = log.read_text()
    assert f"get\n{host}/" in asked
    assert "store" not in asked and place.ecr.host not in asked
    assert (tmp_path / "config.json").read_text() == '{"credsStore": "spy"}'


# --- what it keeps to itself (a crane that writes down what it is told)

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


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


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
