"""Repositories as people publish them, in a folder, and a package index of small wheels for them."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

VERSIONS = {
    "scythe-engine": ["1.2.0", "1.3.0"],
    "hatchet-sdk": ["1.33.0"],
    "numpy": ["2.0.0", "2.1.0"],
    "energy": ["1.0.0"],
}
"""What the index has; scythe-engine needs hatchet-sdk."""

ENGINE = '"scythe-engine==1.3.0"'
PACKAGE = {"experiments/__init__.py": "import numpy\n"}

PROJECT = f"""[project]
name = "lab"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = [{ENGINE}, "numpy"]
"""
LIBRARY = '[project]\nname = "{}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = [{}]\n'
BUILT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

BACKEND = '''
"""A build backend that needs nothing from an index."""
import zipfile
from pathlib import Path


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, version = Path("name.txt").read_text().split()
    wheel = f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(Path(folder, wheel), "w") as archive:
        archive.writestr(f"{name}/__init__.py", Path(name, "__init__.py").read_text())
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel
'''


def library(folder: str, name: str, needs: str = "") -> dict[str, str]:
    """A package of a repository's own, which can be built."""
    return {
        f"{folder}/pyproject.toml": LIBRARY.format(name, needs) + BUILT,
        f"{folder}/backend.py": BACKEND,
        f"{folder}/name.txt": f"{name} 0.1.0",
        f"{folder}/{name}/__init__.py": f"NAME = {name!r}\n",
    }


REPOSITORIES: dict[str, Mapping[str, str]] = {
    "a lock": {**PACKAGE, "pyproject.toml": PROJECT, "uv.lock": ""},
    "a project alone": {**PACKAGE, "pyproject.toml": PROJECT},
    "a list": {**PACKAGE, "requirements.txt": "scythe-engine==1.3.0\nnumpy>=2  # arrays\n"},
    "nested lists": {
        **PACKAGE,
        "requirements.txt": "-r needs/base.txt\n-c needs/limits.txt\n",
        "needs/base.txt": "-r deeper/engine.txt\nnumpy\n",
        "needs/deeper/engine.txt": "scythe-engine==1.3.0\n",
        "needs/limits.txt": "numpy==2.0.0\n",
    },
    "a workspace": {
        **PACKAGE,
        "pyproject.toml": PROJECT.replace('"numpy"', '"numpy", "floors"')
        + '[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.uv.sources]\nfloors = {workspace = true}\n',
        "uv.lock": "",
        **library("packages/floors", "floors"),
    },
    "a path source": {
        **PACKAGE,
        "pyproject.toml": PROJECT.replace('"numpy"', '"numpy", "walls"')
        + '[tool.uv.sources]\nwalls = {path = "libs/walls"}\n',
        "uv.lock": "",
        **library("libs/walls", "walls"),
    },
    "an src layout": {
        "src/experiments/__init__.py": "import numpy, tables\n",
        "src/tables/__init__.py": "",
        "pyproject.toml": PROJECT,
        "uv.lock": "",
    },
    "a dotted module": {
        "lab/__init__.py": "",
        "lab/pipelines.py": "import numpy\n",
        "requirements.txt": "scythe-engine==1.3.0\nnumpy\n",
    },
    "a single file": {
        "experiments.py": "import numpy\n",
        "requirements.txt": "scythe-engine==1.3.0\nnumpy\n",
    },
    "extras": {
        **PACKAGE,
        "pyproject.toml": PROJECT + '[project.optional-dependencies]\nplus = ["energy"]\n',
        "uv.lock": "",
    },
    "Poetry with a list": {
        **PACKAGE,
        "pyproject.toml": '[tool.poetry]\nname = "lab"\n',
        "requirements.txt": "scythe-engine==1.3.0\nnumpy\n",
    },
}


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository of these files."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def make_wheel(folder: Path, name: str, version: str, needs: str = "", text: str = "") -> Path:
    """A wheel with one file."""
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}/__init__.py": text or f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip('=')},{len(content)}\n"
        for path, content in files.items()
    )
    wheel = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), content)
    return wheel


def make_index(folder: Path) -> Path:
    """A simple index (PEP 503) of small wheels, in a folder."""
    for name, versions in VERSIONS.items():
        page = folder / name
        page.mkdir(parents=True)
        wheels = [
            make_wheel(page, name, version, "Requires-Dist: hatchet-sdk\n" if name == "scythe-engine" else "")
            for version in versions
        ]
        links = "".join(
            f'<a href="{wheel.name}#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}">{wheel.name}</a>\n'
            for wheel in wheels
        )
        (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    return folder
