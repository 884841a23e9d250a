"""What pruning the provider's assembly refuses: anything that it does not know."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from synthesis import assembly


def packed(
    folder: Path,
    schema: str = "jsii/0.10.0",
    location: str = "src/vpc/index:",
    type_of_other: str = "vpc.Vpc",
    javascript: str = 'require("cdktf")',
) -> Path:
    """A tarball as the bindings' package has it, with one submodule."""
    described = {
        "schema": schema,
        "name": assembly.NAME,
        "submodules": {f"{assembly.NAME}.vpc": {"symbolId": location}},
        "types": {f"{assembly.NAME}.vpc.Vpc": {"type": {"fqn": f"{assembly.NAME}.{type_of_other}"}}},
    }
    files = {".jsii": json.dumps(described), "package.json": "{}", "lib/vpc/index.js": javascript}
    packaged = folder / "provider-aws@1.jsii.tgz"
    with tarfile.open(packaged, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return packaged


@pytest.mark.parametrize(
    ("schema", "location", "type_of_other", "javascript", "fault"),
    [
        ("jsii/0.11.0", "src/vpc/index:", "vpc.Vpc", 'require("cdktf")', "not jsii/0.10.0"),
        ("jsii/0.10.0", "lib/vpc:", "vpc.Vpc", 'require("cdktf")', "no submodule vpc where"),
        (
            "jsii/0.10.0",
            "src/vpc/index:",
            "subnet.Subnet",
            'require("cdktf")',
            "subnet.Subnet is referred to",
        ),
        ("jsii/0.10.0", "src/vpc/index:", "vpc.Vpc", 'require("../subnet")', "requires"),
        ("jsii/0.10.0", "src/vpc/index:", "vpc.Vpc", 'require("cdktf")', None),
    ],
)
def test_assembly_made_otherwise_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: str,
    location: str,
    type_of_other: str,
    javascript: str,
    fault: str | None,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packaged = packed(tmp_path, schema, location, type_of_other, javascript)
    if fault is None:
        assert assembly.pruned(packaged, "1", {"vpc"}).exists()
        return
    with pytest.raises(assembly.AssemblyError, match=fault):
        assembly.pruned(packaged, "1", {"vpc"})
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_others_could_write_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packaged = packed(tmp_path)
    tarball = assembly.pruned(packaged, "1", {"vpc"})
    content = tarball.read_bytes()
    tarball.write_bytes(b"planted")
    (tarball.parent / "sha256").write_text(hashlib.sha256(b"planted").hexdigest())
    tarball.parents[level].chmod(0o777)
    assert assembly.pruned(packaged, "1", {"vpc"}).read_bytes() == content


def test_a_cache_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packaged = packed(tmp_path)
    assembly.pruned(packaged, "1", {"vpc"})
    monkeypatch.setattr("os.geteuid", lambda: 4321)
    with pytest.raises(
        assembly.AssemblyError, match="belongs to another user; name another cache with XDG_CACHE_HOME"
    ):
        assembly.pruned(packaged, "1", {"vpc"})
