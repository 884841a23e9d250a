"""The provider's jsii assembly, pruned to some of its submodules and cached.

The packaged assembly holds 23,000 types and the JavaScript of 2,135 submodules, all of which Node loads
(2 s, 600 MB). No submodule refers to another, which `_prune` checks, so any selection of them works alone.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from untrusted.paths import UnsafePathError, private_folder

NAME = "@cdktf/provider-aws"
FULL_NAME = "@cdktf/provider-aws-full"
"""The package name under which the packaged assembly is loaded beside a pruned one."""

_SCHEMA = "jsii/0.10.0"
_FORMAT = 1
"""Part of the cache's key: count it up when what `_prune` writes changes."""
_SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*$", re.MULTILINE)
_REQUIRE = re.compile(rb"\brequire\(([^)]*)\)")
_UNUSED = {"docs", "locationInModule"}
"""Keys of an assembly that only generators of bindings and documentation read; jsii's own index drops them too."""

_INDEX = """"use strict";
const used = {};
for (const [name, folder] of Object.entries(%s)) {
  Object.defineProperty(used, name, { enumerable: true, get: () => require(`./${folder}`) });
}
module.exports = new Proxy(used, {
  get: (target, name) => name in target || typeof name === "symbol"
    ? target[name] : require("%s/lib/lazy-index.js")[name],
});
"""


class AssemblyError(Exception):
    """The packaged assembly is not made as this module knows it."""


def pruned(packaged: Path, binding: str, submodules: set[str]) -> Path:
    """Give the packaged assembly's tarball pruned to some submodules, from the cache or made now (3 s).

    Args:
        packaged: the tarball in the bindings' package.
        binding: the bindings' version.
        submodules: Python names of submodules, such as `ecs_service`.

    Raises:
        AssemblyError: The assembly is not made as this module knows it, or the cache is another user's.
        OSError: The cache cannot be written.
    """
    wanted = sorted(submodules)
    key = json.dumps([_FORMAT, binding, packaged.stat().st_size, version("jsii"), wanted])
    folder = _cache(hashlib.sha256(key.encode()).hexdigest()[:32])
    tarball, digest = folder / packaged.name, folder / "sha256"
    if _is_intact(tarball, digest):
        return tarball
    content = _prune(packaged, wanted)
    _write(tarball, content)
    _write(digest, hashlib.sha256(content).hexdigest().encode())
    return tarball


def _cache(name: str) -> Path:
    """A folder of the pruned assemblies, below the XDG base directory for caches.

    Node runs what is in it, so nobody else may have written there.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return private_folder(
            Path(base) if os.path.isabs(base) else Path.home() / ".cache", "scythe-aws", "assemblies", name
        )
    except UnsafePathError as error:
        raise AssemblyError(f"{error}; name another cache with XDG_CACHE_HOME") from None


def _is_intact(tarball: Path, digest: Path) -> bool:
    try:
        return hashlib.sha256(tarball.read_bytes()).hexdigest() == digest.read_text(
            encoding="ascii", errors="replace"
        )
    except FileNotFoundError:
        return False


def _write(file: Path, content: bytes) -> None:
    """Replace a file at once, so that another process sees the old or the new one and nothing between."""
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _prune(packaged: Path, wanted: list[str]) -> bytes:
    assembly, files = _read(packaged)
    if assembly.get("schema") != _SCHEMA or assembly.get("name") != NAME:
        raise AssemblyError(
            f"{packaged.name} holds {assembly.get('name')} in {assembly.get('schema')}, not {_SCHEMA}"
        )
    names = {_snake(fqn.removeprefix(f"{NAME}.")): fqn for fqn in assembly["submodules"]}
    folders: dict[str, str] = {}
    kept: dict[str, Any] = {}
    for name in wanted:
        fqn = names.get(name, "")
        location = re.fullmatch(
            r"src/([a-z0-9-]+)/index:",
            assembly["submodules"].get(fqn, {}).get("symbolId", ""),
        )
        if not location or f"package/lib/{location[1]}/index.js" not in files:
            raise AssemblyError(f"{packaged.name} has no submodule {name} where it is looked for")
        folders[fqn.removeprefix(f"{NAME}.")] = location[1]
        kept |= {key: value for key, value in assembly["types"].items() if key.startswith(f"{fqn}.")}
    _check_closed(packaged, kept)
    assembly["types"] = kept
    assembly["submodules"] = {f"{NAME}.{name}": assembly["submodules"][f"{NAME}.{name}"] for name in folders}
    assembly.pop("readme", None)
    members = {
        "package/package.json": files["package/package.json"],
        "package/.jsii": json.dumps(_slim(assembly)).encode(),
        "package/lib/index.js": (_INDEX % (json.dumps(folders), FULL_NAME)).encode(),
    }
    roots = tuple(f"package/lib/{folder}/" for folder in folders.values())
    for name, content in files.items():
        if name.startswith(roots):
            _check_requires(name, content)
            members[name] = _SOURCE_MAP.sub(b"", content)
    return _tar(members)


def _read(packaged: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    assembly: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    with tarfile.open(packaged, "r|gz") as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream and member.name == "package/.jsii":
                assembly = json.load(stream)
            elif stream and member.name.endswith((".js", "package.json")):
                files[member.name] = stream.read()
    return assembly, files


def _snake(name: str) -> str:
    """Give a submodule's Python name as jsii-pacmak makes it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _check_closed(packaged: Path, types: dict[str, Any]) -> None:
    """Refuse types that refer to types that were left out: the kernel would fail in the middle of a synth."""
    for fqn in set(re.findall(rf'"({re.escape(NAME)}\.[^"/]+)"', json.dumps(list(types.values())))):
        if fqn not in types:
            raise AssemblyError(f"{packaged.name}: {fqn} is referred to from another submodule")


def _check_requires(name: str, content: bytes) -> None:
    for required in _REQUIRE.findall(content):
        if required != b'"cdktf"' and not re.fullmatch(rb'"\./[\w./-]+"', required):
            raise AssemblyError(f"{name} requires {required.decode(errors='replace')}")


def _slim(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _slim(item) for key, item in value.items() if key not in _UNUSED}
    return [_slim(item) for item in value] if isinstance(value, list) else value


def _tar(members: dict[str, bytes]) -> bytes:
    """Pack files into a gzipped tarball that is the same, byte for byte, for the same files."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for name in sorted(members):
            entry = tarfile.TarInfo(name)
            entry.size = len(members[name])
            archive.addfile(entry, io.BytesIO(members[name]))
    return packed.getvalue()
