"""What `scythe-aws image digests` prints pins every image of an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments.errors import EnvironmentFileError
from environments.loading import load
from modules.hatchet.images import UPSTREAM, images_of
from modules.hatchet.settings import IMAGES
from ops.commands.digests import digests
from ops.errors import CommandError
from tests.ops.commands.mirrored import environment_file, script

CRANE = 'printf "sha256:%s\\n" "$(printf %s "$2" | sha256sum | cut -d " " -f 1)"'


@pytest.fixture
def crane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "crane", CRANE)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "crane"


def test_every_image_has_a_digest_to_be_pinned_by() -> None:
    assert set(IMAGES) == set(UPSTREAM)


@pytest.mark.usefixtures("crane")
def test_what_is_printed_pins_every_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = environment_file(tmp_path)
    before = images_of(load(file).hatchet)
    digests(str(file))
    printed = yaml.safe_load(capsys.readouterr().out)
    data: dict[str, Any] = yaml.safe_load(file.read_text())
    data["hatchet"] |= printed["hatchet"]
    file.write_text(yaml.safe_dump(data))
    after = images_of(load(file).hatchet)
    assert [image.name for image in after] == [image.name for image in before] == sorted(UPSTREAM)
    assert all(re.search("@sha256:[0-9a-f]{64}$", image.source) for image in after)
    assert [image.tag for image in after] == [image.tag for image in before]


@pytest.mark.parametrize("answer", ["echo latest", "true", "echo sha256:1; echo sha256:2"])
def test_what_is_no_digest_is_refused(tmp_path: Path, crane: Path, answer: str) -> None:
    script(crane, answer)
    with pytest.raises(CommandError, match=r"aws-cli: .* has no digest"):
        digests(str(environment_file(tmp_path)))


def test_two_digests_of_the_engine_are_refused(tmp_path: Path) -> None:
    file = environment_file(tmp_path)
    data = yaml.safe_load(file.read_text())
    data["hatchet"]["version"] = "v0.104.7@sha256:" + "a" * 64
    for other, refused in (("a" * 64, False), ("b" * 64, True)):
        data["hatchet"]["image_digests"] = {"hatchet-engine": f"sha256:{other}"}
        file.write_text(yaml.safe_dump(data))
        if refused:
            with pytest.raises(EnvironmentFileError, match="hatchet-engine, and version another one"):
                load(file)
        else:
            load(file)
