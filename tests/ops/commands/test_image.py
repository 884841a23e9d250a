"""`scythe-aws image build` and `push`: what Docker is told, what is pushed, what is written, what is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from itertools import count
from pathlib import Path

import pytest

from environments.loading import load
from local_aws import LocalAws
from ops.images.compression import ZSTD
from ops.images.image_context import context_of
from tests.ops.commands.pretended_docker import CONTAINER, CONTAINERD, DEFAULT, EXAMPLE, OVERLAY, Place
from tests.support.command import COMMAND, scythe_aws
from tests.support.registries import CRANES_FOLDER, PASSWORD, Ecr, crane, needs_crane, registry

_numbers = count()
needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not on the PATH")
FLEETS = "  simulations: {role: leaf}\n  fanouts: {role: fan}\n"


@pytest.fixture(scope="module")
def ecr(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ecr]:
    """Without crane nothing is behind it: its API answers, and that is all that most faults need."""
    held = registry(tmp_path_factory.mktemp("ecr")) if CRANES_FOLDER else nullcontext("")
    with held as behind, closing(Ecr(aws, behind)) as started:
        yield started


@pytest.fixture
def place(aws: LocalAws, ecr: Ecr, tmp_path: Path) -> Place:
    (tmp_path / "environments").mkdir()
    (tmp_path / "tmp").mkdir()
    file = tmp_path / "environments" / f"lab{next(_numbers)}.yaml"
    file.write_text(f"name: {file.stem}\nregion: eu-west-1\nworkers:\n{FLEETS}")
    aws.client("ecr", "eu-west-1").create_repository(
        repositoryName=f"{file.stem}/worker", imageTagMutability="IMMUTABLE"
    )
    with tarfile.open(tmp_path / "layer.tar", "w") as tar:
        tar.add(file, "layer")
    variables = aws.environment | {
        "PATH": os.pathsep.join([str(tmp_path), *CRANES_FOLDER, "/usr/bin", "/bin"]),
        "TMPDIR": str(tmp_path / "tmp"),
        "DOCKER_CONFIG": str(tmp_path / "docker-settings"),
        "AWS_ENDPOINT_URL_ECR": f"http://{ecr.host}",
    }
    place = Place(tmp_path, file, ecr, variables)
    place.pretend()
    return place


# --- push (a real registry)


@needs_crane
def test_the_image_is_pushed_and_its_digest_written(place: Place) -> None:
    result = place.run()
    assert result.returncode == 0, result.stderr
    with context_of(EXAMPLE, "experiments", ["linux/amd64"]) as context:
        tag = context.tag
        context_files = sorted(str(file.relative_to(context.folder)) for file in context.folder.rglob("*"))
    target = f"{place.ecr.host}/{place.file.stem}/worker"
    uri = f"{target}@{crane('digest', f'{place.ecr.behind}/{place.file.stem}/worker:{tag}')}"
    assert place.image.read_text() == f"{uri}\n"
    assert load(place.file).image == uri
    assert result.stdout == (
        f"Pushed {target}:{tag} (linux/amd64)\n"
        f"{place.image}: {uri}\n"
        f"Next: commit {place.image}, and run cdktf deploy {place.file.stem}-workers\n"
    )
    (build,) = place.builds()
    for word in (
        "--platform linux/amd64 ",
        "--provenance=false ",
        "--build-arg EXPERIMENTS_MODULE=experiments ",
        f"--output {ZSTD} --tag {target}:{tag} ",
    ):
        assert word in build
    copied = place.folder / "context"
    assert sorted(str(file.relative_to(copied)) for file in copied.rglob("*")) == context_files
    assert place.left == []


@pytest.mark.parametrize(
    ("inspect", "status", "is_zstd"),
    [
        (DEFAULT, OVERLAY, False), (DEFAULT, CONTAINERD, True), (CONTAINER, OVERLAY, True), ("exit 1", OVERLAY, False),
        ("printf 'Driver: kubernetes\\n'", OVERLAY, True),
    ],
)  # fmt: skip
def test_layers_are_zstd_where_the_builder_can(
    place: Place, inspect: str, status: str, is_zstd: bool
) -> None:
    place.pretend(inspect=inspect, status=status, push="exit 0")
    result = place.run()
    (build,) = place.builds()
    assert (f"--output {ZSTD} " in build, " --push " in build) == (is_zstd, not is_zstd)
    notes = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
    assert len(notes) == (0 if is_zstd else 1)
    assert all("layers are compressed with gzip, since" in note for note in notes)


@needs_crane
@needs_zstd
@pytest.mark.parametrize(
    ("inspect", "kind"),
    [
        (CONTAINER, "application/vnd.oci.image.layer.v1.tar+zstd"),
        (DEFAULT, "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ],
)
def test_what_arrives_has_the_layers_that_were_promised(place: Place, inspect: str, kind: str) -> None:
    place.pretend(inspect=inspect)
    result = place.run()
    assert result.returncode == 0, result.stderr
    digest = place.image.read_text().strip().rpartition("@")[2]
    manifest = json.loads(crane("manifest", f"{place.ecr.behind}/{place.file.stem}/worker@{digest}"))
    assert {layer["mediaType"] for layer in manifest["layers"]} == {kind}
    assert ("compressed with gzip" in result.stderr) == kind.endswith("gzip")


@needs_crane
def test_what_is_there_already_needs_no_docker(place: Place) -> None:
    place.run()
    before, written = place.image.read_text(), place.image.stat().st_mtime_ns
    (place.folder / "docker").unlink()
    again = place.run(PATH=os.pathsep.join(CRANES_FOLDER))
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("There already: ") and "(as before)" in again.stdout
    assert (place.image.read_text(), place.image.stat().st_mtime_ns) == (before, written)
    place.image.write_text("registry.example/other@sha256:" + "a" * 64)
    document = json.loads(place.run("push", "--json").stdout)
    assert place.image.read_text() == before == f"{document['image']}\n"
    assert (document["pushed"], document["platforms"]) == (False, ["linux/amd64"])


@needs_crane
@pytest.mark.parametrize(
    "label, said", [("", "is absent"), ('--label "scythe-aws.content=\x1b[2J"', r"is \x1b[2J")]
)
def test_a_tag_that_somebody_gave_another_image_is_not_taken(place: Place, label: str, said: str) -> None:
    append = 'crane append --new_layer layer.tar --new_tag "$tag-bare"'
    place.pretend(push=f'{append} && crane mutate {label} --tag "$tag" "$tag-bare" >&2')
    place.run()
    place.image.unlink()
    again = place.run()
    assert (again.returncode, again.stdout) == (2, "")
    assert f"its label scythe-aws.content {said}, must be " in again.stderr
    assert "aws ecr batch-delete-image" in again.stderr
    assert not place.image.exists()


@needs_crane
def test_other_experiments_are_another_image(place: Place, tmp_path: Path) -> None:
    place.run()
    before = place.image.read_text()
    other = shutil.copytree(EXAMPLE, tmp_path / "other", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "uv.lock").unlink()
    with tarfile.open(tmp_path / "layer.tar", "w") as tar:
        tar.add(other / "allocate.py", "layer")
    result = place.run(repository=other)
    assert len(place.builds()) == 2 and place.image.read_text() != before
    assert f"warning: {other} has no uv.lock: its versions are chosen at the build" in result.stderr


@needs_crane
def test_the_password_is_on_standard_input_alone_and_its_folder_goes(place: Place) -> None:
    settings = place.folder / "docker-settings"
    for name in ("contexts", "cli-plugins"):
        (settings / name).mkdir(parents=True)
    (settings / "config.json").write_text('{"credsStore": "desktop", "currentContext": "desktop-linux"}')
    assert place.run().returncode == 0
    assert place.read("given") == PASSWORD
    assert PASSWORD not in place.read("arguments") + place.read("variables")
    assert place.read("mode") == "drwx------\n"
    # Without them docker would find neither Docker Desktop's engine nor a user's own buildx.
    assert place.read("held").split() == ["cli-plugins", "config.json", "contexts"]
    assert f"BUILDX_CONFIG={settings}/buildx" in place.read("variables").splitlines()
    assert (settings / "config.json").read_text() == (
        '{"credsStore": "desktop", "currentContext": "desktop-linux"}'
    )
    assert place.left == []


def test_each_architecture_of_the_fleets_is_built(place: Place) -> None:
    fleets = FLEETS.replace("leaf", "leaf, architecture: arm64") + (
        f"  own: {{role: leaf, architecture: x86_64, experiments: [a], image: x/y@sha256:{'a' * 64}}}\n"
    )
    for text, platforms in (
        (fleets, "linux/amd64,linux/arm64"),
        (fleets.replace("role: fan", "role: fan, architecture: arm64"), "linux/arm64"),
    ):
        place.file.write_text(f"name: {place.file.stem}\nregion: eu-west-1\nworkers:\n{text}")
        assert place.run("build").returncode == 0
        assert f"--platform {platforms} " in place.builds()[-1]
    assert "--output type=cacheonly" in place.builds()[0]
    assert f"--load --tag {place.file.stem}/worker:" in place.builds()[1]
    assert not place.image.exists() and "login" not in place.read("arguments")


# --- what stands in its way


@pytest.mark.parametrize("word", ["build", "push"])
@pytest.mark.parametrize(
    ("pretence", "said"),
    [
        (None, "docker is needed to build the image, and none is on the PATH: install Docker"),
        ({"version": "exit 1"}, "docker has no buildx here: install the package docker-buildx-plugin"),
        (
            {"info": "echo Cannot connect to the Docker daemon. >&2; exit 1"},
            "docker has no running engine here: start Docker (Cannot connect to the Docker daemon.)",
        ),
    ],
)
def test_without_an_engine_it_is_one_line(
    place: Place, word: str, pretence: dict[str, str] | None, said: str
) -> None:
    path = place.variables["PATH"]
    if pretence is None:
        (place.folder / "docker").unlink()
        path = str(place.folder)
    else:
        place.pretend(**pretence)
    result = place.run(word, PATH=path)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(said)
    assert not place.image.exists() and place.left == []


def test_a_build_that_fails_leaves_what_was(place: Place) -> None:
    before = f"registry.example/worker@sha256:{'a' * 64}\n"
    place.image.write_text(before)
    place.pretend(build="echo '#9 ERROR' >&2; echo 'ERROR: failed to solve: no space left' >&2; exit 1")
    result = place.run()
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == "docker buildx build failed: failed to solve: no space left"
    assert (place.image.read_text(), place.left) == (before, [])


def test_versions_that_are_refused_are_the_last_line(place: Place) -> None:
    fault = "scythe-engine 0.0.38 is what the repository requires; must be >=1.3,<1.4"
    place.pretend(
        build=f"echo '#12 0.512 scythe_worker: {fault}' >&2; echo 'ERROR: exit code: 2' >&2; exit 1"
    )
    result = place.run()
    assert (result.returncode, result.stderr.splitlines()[-1]) == (2, fault)
    assert not place.image.exists()


def test_a_push_that_did_not_arrive_is_told(place: Place) -> None:
    place.pretend(push="")
    result = place.run()
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith(" is not there after the push")
    assert not place.image.exists()


def test_the_folders_go_when_the_command_is_killed(place: Place) -> None:
    place.pretend(build="touch waiting; exec sleep 60")
    process = subprocess.Popen(
        [COMMAND, "image", "push", place.file, "--experiments", EXAMPLE],
        env=place.variables,
        stderr=subprocess.DEVNULL,
    )
    while not (place.folder / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.05)
    assert place.left
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) != 0
    assert place.left == [] and not place.image.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image: x/y:1\nworkers:\n  sims: {role: leaf}\n", "names its image itself (image: x/y:1)"),
        ("workers:\n  sims: {role: leaf, image: 'x/y:1'}\n", "each fleet of lab names an image of its own"),
    ],
)
def test_an_image_that_nothing_would_run_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: lab\n{text}")
    result = scythe_aws("image", "push", file, "--experiments", EXAMPLE, cwd=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert said in result.stderr


def test_without_a_repository_it_says_what_comes_first(place: Place, aws: LocalAws) -> None:
    name = f"{place.file.stem}/worker"
    aws.client("ecr", "eu-west-1").delete_repository(repositoryName=name)
    result = place.run()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"the repository {name} does not exist yet: run cdktf deploy {place.file.stem}-storage first\n"
    )
