"""A base image's root from this machine: its own Python, and the few programs that an image's recipe runs.

For machines that reach no registry of images. It is Linux's alone, with glibc.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PROGRAMS = (
    "cat",
    "chmod",
    "chown",
    "cp",
    "env",
    "grep",
    "groupadd",
    "install",
    "ln",
    "mkdir",
    "rm",
    "sh",
    "useradd",
)
LIBRARIES = re.compile(
    r"^\s*lib(?:dl|gcc_s|nss_dns|nss_files|pthread|resolv|rt|stdc\+\+|util|z)\.so\.\d+ .* => (\S+)$",
    re.MULTILINE,
)
"""What programs and wheels for glibc take for granted."""

FILES = ("group", "gshadow", "login.defs", "nsswitch.conf", "passwd", "shadow")
LEFT_OUT = ("__pycache__", "idlelib", "include", "share", "site-packages", "test", "turtledemo", "*.a")


def lay_out(root: Path) -> Path:
    """Fill a folder, without pip; where Python's programs are within the image."""
    for folder in ("etc", "root", "run", "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "var/tmp"):
        (root / folder).mkdir(parents=True)
    for folder in ("bin", "lib", "lib64", "sbin"):
        (root / folder).symlink_to(f"usr/{folder}")
    programs = [Path(found) for name in PROGRAMS if (found := shutil.which(name))]
    prefix = Path(sys.base_prefix)
    python = prefix / "bin" / f"python3.{sys.version_info.minor}"
    ours = root / prefix.relative_to("/")
    shutil.copytree(prefix / "lib", ours / "lib", symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    _copy(root, [*programs, python, *_libraries([*programs, python, *prefix.rglob("lib-dynload/*.so")])])
    _copy(root, (path for name in FILES if (path := Path("/etc") / name).exists()))
    _copy(root, [Path("/etc/ssl/certs/ca-certificates.crt")])
    for name in ("python", "python3"):
        (ours / "bin" / name).unlink(missing_ok=True)
        (ours / "bin" / name).symlink_to(python.name)
    return prefix / "bin"


def _libraries(programs: Iterable[Path]) -> Iterator[Path]:
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    yield from (Path(path) for path in LIBRARIES.findall(known))
    for program in programs:
        linked = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        yield from (Path(path) for path in re.findall(r"(/\S+) \(0x", linked))


def _copy(root: Path, files: Iterable[Path]) -> None:
    for file in files:
        target = root / str(file).lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(os.path.realpath(file), target)
