"""What pruning the provider's assembly refuses: anything that it does not know."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from synthesis import assembly


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
    described = {
        "schema": schema,
        "name": assembly.NAME,
        "submodules": {f"{assembly.NAME}.vpc": {"symbolId": location}},
        "types": {f"{assembly.NAME}.vpc.Vpc": {"type": {"fqn": f"{assembly.NAME}.{type_of_other}"}}},
    }
    files = {".jsii": json.dumps(described), "package.json": "{}", "lib/vpc/index.js": javascript}
    packaged = tmp_path / "provider-aws@1.jsii.tgz"
    with tarfile.open(packaged, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    if fault is None:
        assert assembly.pruned(packaged, "1", {"vpc"}).exists()
        return
    with pytest.raises(assembly.AssemblyError, match=fault):
        assembly.pruned(packaged, "1", {"vpc"})
    assert not (tmp_path / "cache").exists()
