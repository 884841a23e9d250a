"""What `scythe-aws image mirror` copies, from one real registry to another."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from environments.loading import load
from local_aws import LocalAws
from modules.hatchet.images import ENGINE, Image, images_of
from ops.commands import mirror as mirroring
from ops.commands.mirror import mirror
from ops.errors import CommandError
from tests.ops.commands.mirrored import SELF_HOSTED, create_repositories, environment_file, script
from tests.support.registries import Ecr, crane, needs_crane, push, registry


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
