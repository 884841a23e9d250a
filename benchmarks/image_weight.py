"""What the worker image of examples/heating weighs, by layer, with gzip and with zstd, and how long unpacking takes.

``python -m benchmarks.image_weight`` installs the packages of the example's uv.lock for Linux on both architectures,
as Dockerfile.worker does, packs each layer as a tar archive, and compresses it with the default levels of both
programs, which are the builders' too: gzip at 6, zstd at 3. The programs ``gzip`` and ``zstd`` take turns, and the best
of a few times counts. The base image is not measured: its registry may be out of reach, and
https://github.com/docker-library/repo-info says what its layers weigh.
"""

from __future__ import annotations

import argparse
import compileall
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scythe_worker.leave_out import leave_out

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "heating"
PYTHON = "3.12"
"""Of the base image of Dockerfile.worker."""

PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""uv's word for each architecture of Fargate's; Debian bookworm has glibc 2.36."""

PACK: Mapping[str, tuple[str, ...]] = {"gzip": ("gzip", "-6", "-c"), "zstd": ("zstd", "-3", "-q", "-c")}
UNPACK: Mapping[str, tuple[str, ...]] = {"gzip": ("gzip", "-d", "-c"), "zstd": ("zstd", "-d", "-q", "-c")}


@dataclass(frozen=True)
class Weight:
    """A layer's bytes as an archive and compressed, and the seconds that decompressing it takes."""

    layer: str
    plain: int
    packed: Mapping[str, int]
    seconds: Mapping[str, float]

    def __str__(self) -> str:
        packed = "  ".join(
            f"{name} {size / 1e6:7.2f} MB {self.seconds[name]:6.2f} s" for name, size in self.packed.items()
        )
        size, took = (values["zstd"] / values["gzip"] for values in (self.packed, self.seconds))
        return f"{self.layer:24} {self.plain / 1e6:7.2f} MB  {packed}  zstd/gzip: size {size:.2f}, time {took:.2f}"


def main(arguments: list[str] | None = None) -> int:
    """Print what each layer weighs; 2 where a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image_weight", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="the layers that need no download, once")
    parser.add_argument("--times", type=int, default=3, help="times that each layer is decompressed")
    given = parser.parse_args(arguments)
    missing = [name for name in (*PACK, *(() if given.smoke else ("uv",))) if shutil.which(name) is None]
    if missing:
        print(f"{', '.join(missing)}: not on the PATH; must be installed", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="scythe-aws-weight-") as folder:
        for layer, root in layers(Path(folder), downloads=not given.smoke):
            print(weighed(layer, root, 1 if given.smoke else given.times), flush=True)
    return 0


def layers(folder: Path, *, downloads: bool) -> Iterator[tuple[str, Path]]:
    """Lay out what each layer of the image holds."""
    if downloads:
        for architecture, platform in PLATFORMS.items():
            packages = folder / architecture / "opt" / "scythe"
            _install(packages, platform)
            yield f"packages, {architecture}", folder / architecture
    for layer, source in (
        ("worker", ROOT / "scythe_worker"),
        ("experiments", EXAMPLE / "experiments"),
    ):
        shutil.copytree(
            source, folder / layer / "app" / source.name, ignore=shutil.ignore_patterns("__pycache__")
        )
        compileall.compile_dir(folder / layer, quiet=1)
        yield layer, folder / layer


def _install(target: Path, platform: str) -> None:
    locked = target.parent / "own.txt"
    locked.parent.mkdir(parents=True)
    exported = subprocess.run(
        ["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"],
        cwd=EXAMPLE, check=True, capture_output=True, text=True,
    )  # fmt: skip
    locked.write_text(exported.stdout)
    subprocess.run(
        [
            *("uv", "pip", "install", "--quiet", "--target", str(target), "--only-binary", ":all:"),
            *("--python-version", PYTHON, "--python-platform", platform, "--link-mode", "copy"),
            *("--no-deps", "--requirement", str(locked)),
        ],
        check=True,
    )
    locked.unlink()
    leave_out(target)
    # The image has byte code of Python 3.12, of about the size of any other version's.
    compileall.compile_dir(target, quiet=2)


def weighed(layer: str, root: Path, times: int) -> Weight:
    """Pack a layer and unpack it again, by both programs in turn."""
    archive = root.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(root, "")
    packed = {name: archive.with_suffix(f".tar.{name}") for name in PACK}
    for name, command in PACK.items():
        with archive.open("rb") as plain, packed[name].open("wb") as out:
            subprocess.run(command, stdin=plain, stdout=out, check=True)
    seconds = dict.fromkeys(UNPACK, float("inf"))
    for _ in range(times):
        for name, command in UNPACK.items():
            with packed[name].open("rb") as given:
                begin = time.perf_counter()
                subprocess.run(command, stdin=given, stdout=subprocess.DEVNULL, check=True)
                seconds[name] = min(seconds[name], time.perf_counter() - begin)
    sizes = {name: file.stat().st_size for name, file in packed.items()}
    weight = Weight(layer, archive.stat().st_size, sizes, seconds)
    for file in (archive, *packed.values()):
        file.unlink()
    return weight


if __name__ == "__main__":
    sys.exit(main())
