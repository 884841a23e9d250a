"""What repositories need: what is refused before Docker starts, and what real uv and pip make of the rest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.errors import CommandError
from ops.images.image_context import ImageContext, ImageOptions, context_of
from tests.ops.images.repositories import (
    PACKAGE,
    PROJECT,
    REPOSITORIES,
    lay_out,
    library,
    make_index,
    make_wheel,
)
from tests.support.project import ROOT
from tests.support.serving import serving

AMD = ["linux/amd64"]
MODULES = {"a dotted module": "lab.pipelines"}
EXTRAS = {"extras": ("plus",)}
LOCK = 'version = 1\nrequires-python = ">=3.11"\n'
SCYTHE = '[[package]]\nname = "scythe-engine"\nversion = "1.3.0"\n'
SDK = '[[package]]\nname = "hatchet-sdk"\nversion = "1.33.0"\n'


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(make_index(tmp_path_factory.mktemp("index"))) as address:
        yield address


class Uv:
    """uv with an index and a cache of its own."""

    def __init__(self, folder: Path, index: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
        self.environment = {
            **kept,
            "UV_CACHE_DIR": str(folder / "uv-cache"),
            "UV_DEFAULT_INDEX": index,
            "UV_PROJECT_ENVIRONMENT": str(folder / "scythe"),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def __call__(self, *command: str, at: Path, **variables: str) -> str:
        ran = subprocess.run(
            command, cwd=at, env={**self.environment, **variables}, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def install(uv: Uv, context: ImageContext, folder: Path) -> dict[str, str]:
    """The recipe's dependencies layer: which versions it has."""
    build = shutil.copytree(context.folder / "needs", folder / "build")
    script = context.ours / "scythe_worker"
    # The real list is of PyPI's files.
    (script / "undeclared.txt").write_text("")
    uv("uv", "venv", "--quiet", str(folder / "scythe"), at=build)
    uv("sh", str(script / "install.sh"), at=build, EXTRAS=context.arguments.get("EXTRAS", ""))
    listed = uv("uv", "pip", "list", "--python", str(folder / "scythe"), "--format", "freeze", at=build)
    return dict(line.split("==") for line in listed.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("kind", REPOSITORIES)
def test_a_published_layout_is_installed(tmp_path: Path, index: str, kind: str) -> None:
    repository, uv = lay_out(tmp_path / "repository", REPOSITORIES[kind]), Uv(tmp_path, index)
    if "uv.lock" in REPOSITORIES[kind]:
        (repository / "uv.lock").unlink()
        uv("uv", "lock", "--quiet", at=repository)
    module, extras = MODULES.get(kind, "experiments"), EXTRAS.get(kind, ())
    with context_of(repository, module, AMD, ImageOptions(extras=extras)) as context:
        installed = install(uv, context, tmp_path)
        app = tmp_path / "app"
        shutil.copytree(context.folder / "app", app)
    assert installed["scythe-engine"] == "1.3.0" and installed["hatchet-sdk"] == "1.33.0"
    assert installed["numpy"] == ("2.0.0" if kind == "nested lists" else "2.1.0")
    assert installed.keys() & {"floors", "walls", "energy"} == {
        "a workspace": {"floors"}, "a path source": {"walls"}, "extras": {"energy"},
    }.get(kind, set())  # fmt: skip
    uv(str(tmp_path / "scythe/bin/python"), "-c", f"import {module}", at=app)


@pytest.mark.slow
def test_a_lock_keeps_its_index_and_its_hashes(tmp_path: Path, index: str) -> None:
    """A package of an internal index stays that one, whatever a public index has under its name."""
    repository, uv = lay_out(tmp_path / "repository", REPOSITORIES["a lock"]), Uv(tmp_path, index)
    (repository / "uv.lock").unlink()
    uv("uv", "lock", "--quiet", at=repository)
    page = tmp_path / "public" / "numpy"
    page.mkdir(parents=True)
    wheel = make_wheel(page, "numpy", "2.1.0", text="EVIL = True\n")
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    with serving(tmp_path / "public") as public, context_of(repository, "experiments", AMD) as context:
        uv.environment["UV_DEFAULT_INDEX"] = public
        install(uv, context, tmp_path)
        there = "import numpy; print(hasattr(numpy, 'EVIL'))"
        assert uv(str(tmp_path / "scythe/bin/python"), "-c", there, at=tmp_path) == "False\n"


@pytest.mark.slow
def test_a_file_that_the_lock_has_not_seen_is_refused(tmp_path: Path, index: str) -> None:
    repository, uv = lay_out(tmp_path / "repository", REPOSITORIES["a lock"]), Uv(tmp_path, index)
    (repository / "uv.lock").unlink()
    uv("uv", "lock", "--quiet", at=repository)
    lock = (repository / "uv.lock").read_text()
    (repository / "uv.lock").write_text(
        re.sub("sha256:.", lambda found: f"sha256:{'01'[found[0][-1] == '0']}", lock)
    )
    with (
        context_of(repository, "experiments", AMD) as context,
        pytest.raises(AssertionError, match=r"(?i)hash mismatch"),
    ):
        install(uv, context, tmp_path)


def test_what_is_undeclared_is_added_once_and_hashed(tmp_path: Path) -> None:
    listed = (ROOT / "scythe_worker" / "undeclared.txt").read_text()
    command = [
        sys.executable,
        "-S",
        str(ROOT / "scythe_worker" / "check.py"),
        "--missing",
        str(tmp_path / "list"),
    ]
    (tmp_path / "list").write_text(listed)
    alone = {"PYTHONPATH": str(tmp_path / "site"), "PATH": os.environ["PATH"]}
    missing = subprocess.run(command, env=alone, capture_output=True, text=True, check=True).stdout
    names = [line.split("==")[0] for line in missing.splitlines() if line[0].isalpha()]
    assert names == ["certifi", "charset-normalizer", "idna", "requests", "urllib3"]
    assert missing.count("--hash=") == listed.count("--hash=")
    (tmp_path / "site" / "urllib3-1.26.0.dist-info").mkdir(parents=True)
    metadata = tmp_path / "site" / "urllib3-1.26.0.dist-info" / "METADATA"
    metadata.write_text("Metadata-Version: 2.1\nName: urllib3\nVersion: 1.26.0\n")
    assert "urllib3==" not in subprocess.run(command, env=alone, capture_output=True, text=True).stdout


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "a path source outside": (
        {"pyproject.toml": PROJECT, "uv.lock": f'{LOCK}{SCYTHE}{SDK}[[package]]\nname = "walls"\nsource = {{ editable = "../walls" }}\n'},
        "uv.lock: walls comes from ../walls, which is not in the repository",
    ),
    "a path source that is gone": (
        {"pyproject.toml": PROJECT, "uv.lock": f'{LOCK}{SCYTHE}{SDK}[[package]]\nname = "walls"\nsource = {{ directory = "libs/walls" }}\n'},
        "uv.lock: walls comes from libs/walls, which is not there",
    ),
    "a lock of another engine": (
        {"pyproject.toml": PROJECT, "uv.lock": f"{LOCK}{SCYTHE.replace('1.3.0', '0.0.38')}{SDK}"},
        "uv.lock: scythe-engine 0.0.38 is what the repository requires; must be >=1.3,<1.4",
    ),
    "a lock without the engine": ({"pyproject.toml": PROJECT, "uv.lock": LOCK}, "uv.lock: has no scythe-engine; must have >=1.3,<1.4"),
    "a lock for another Python": (
        {"pyproject.toml": PROJECT, "uv.lock": f"version = 1\nrequires-python = '>=3.13'\n{SCYTHE}{SDK}"},
        "uv.lock: requires Python >=3.13; the image has 3.12",
    ),
    "a lock that is none": ({"pyproject.toml": PROJECT, "uv.lock": "x"}, "uv.lock: is no TOML"),
    "Poetry": ({"pyproject.toml": '[tool.poetry]\nname = "lab"\n'}, "pyproject.toml: is Poetry's: run poetry export"),
    "tools alone": ({"pyproject.toml": "[tool.ruff]\n"}, "pyproject.toml: has no [project], so no dependencies"),
    "dynamic dependencies": (
        {"pyproject.toml": '[project]\nname = "lab"\nversion = "1"\ndynamic = ["dependencies"]\n'},
        "pyproject.toml: its dependencies are dynamic",
    ),
    "a member of a workspace": (
        {"pyproject.toml": f"{PROJECT}[tool.uv.sources]\nfloors = {{workspace = true}}\n"},
        "pyproject.toml: floors is a package of its workspace",
    ),
    "a path source without a lock": (
        {"pyproject.toml": f'{PROJECT}[tool.uv.sources]\nwalls = {{path = "walls"}}\n', **library("walls", "walls")},
        "pyproject.toml: walls comes from a path; run uv lock",
    ),
    "a pinned engine": ({"requirements.txt": "Scythe_Engine[x] == 1.2.0 --hash=sha256:00\n"}, "requirements.txt: scythe-engine 1.2.0 is what the repository requires"),
    "an editable project": ({"requirements.txt": "scythe-engine==1.3.0\n-e .\n"}, "requirements.txt: line 2: -e . is a folder or file of this machine"),
    "a folder": ({"requirements.txt": "./walls\n"}, "requirements.txt: line 1: ./walls is a folder"),
    "a wheel": ({"requirements.txt": "wheels/walls-1.0-py3-none-any.whl\n"}, "line 1: wheels/walls-1.0-py3-none-any.whl is a folder or file"),
    "a list outside": ({"requirements.txt": "\n-r ../base.txt\n"}, "requirements.txt: line 2: ../base.txt is not in the repository"),
    "a list that is not there": ({"requirements.txt": "-r base.txt\n"}, "base.txt: is not a regular file"),
    "a list in Latin-1": ({"requirements.txt": "LATIN"}, "requirements.txt: is no UTF-8 text"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_image_can_have_is_one_line_at_once(tmp_path: Path, what: str) -> None:
    files, said = REFUSED[what]
    lay_out(tmp_path, {**PACKAGE, **files})
    if files.get("requirements.txt") == "LATIN":
        (tmp_path / "requirements.txt").write_bytes(b"# caf\xe9\n")
    began = time.monotonic()
    with pytest.raises(CommandError) as refused, context_of(tmp_path, "experiments", AMD):
        pass
    assert said in str(refused.value) and str(refused.value).isprintable()
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base": "python:3.12"}, "--base: got python:3.12; must be an image with its digest"),
        ({"base": f"x@sha256:{'0' * 64} --privileged"}, "--base: got "),
        ({"apt": ("libgl1; rm -rf /",)}, "--apt: got libgl1; rm -rf /; must be a Debian package"),
        ({"apt": ("-o", "x")}, "--apt: got -o"),
    ],
)
def test_what_is_typed_names_images_and_packages(options: dict[str, object], said: str) -> None:
    with pytest.raises(CommandError) as refused:
        ImageOptions(**options)  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_an_extra_that_is_not_there_is_told(tmp_path: Path) -> None:
    lay_out(tmp_path, REPOSITORIES["a project alone"])
    with (
        pytest.raises(CommandError, match=r"has no extra plus \(--extra\); it has none"),
        context_of(tmp_path, "experiments", AMD, ImageOptions(extras=("plus",))),
    ):
        pass


def test_options_make_another_tag(tmp_path: Path) -> None:
    lay_out(tmp_path, REPOSITORIES["a list"])
    base = f"python:3.12-slim@sha256:{'0' * 64}"
    options = (
        ImageOptions(),
        ImageOptions(base=base),
        ImageOptions(apt=("a1",)),
        ImageOptions(apt=("a1", "b2")),
    )
    tags = set()
    for chosen in options:
        with context_of(tmp_path, "experiments", AMD, chosen) as context:
            tags.add(context.tag)
    assert len(tags) == 4


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("lab.nothing", "has no module nothing"),
        ("lab..pipelines", "--module: got 'lab..pipelines'"),
        ("../lab", "--module: got '../lab'"),
        ("scythe", "a package of the worker's own"),
        ("nothing", "has no package nothing"),
    ],
)
def test_a_module_that_is_not_there_is_told(tmp_path: Path, module: str, said: str) -> None:
    lay_out(tmp_path, REPOSITORIES["a dotted module"])
    with pytest.raises(CommandError) as refused, context_of(tmp_path, module, AMD):
        pass
    assert said in str(refused.value)


def test_what_is_imported_beside_comes_along(tmp_path: Path) -> None:
    files = {
        **PACKAGE, "requirements.txt": "scythe-engine==1.3.0\n",
        "experiments/houses.py": "from src_tables.rows import x\nimport walls.bricks as b\nfrom . import y\n",
        "src/src_tables/__init__.py": "import deeper\n", "deeper.py": "", "walls/__init__.py": "", "scythe/__init__.py": "",
        "experiments/broken.py": "import (", "unused/__init__.py": "", "tests/__init__.py": "import experiments\n",
    }  # fmt: skip
    lay_out(tmp_path, files)
    with context_of(tmp_path, "experiments", AMD) as context:
        held = sorted(path.name for path in (context.folder / "app").iterdir())
    assert held == ["deeper.py", "experiments", "src_tables", "walls"]
