"""What goes into a worker image: its files, its tag, and the versions that it is refused for."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.errors import CommandError
from ops.images import image_context
from ops.images.dockerignore import Ignored
from ops.images.image_context import context_of
from scythe_worker.check import SUPPORTED
from tests.support.project import ROOT

EXAMPLE = ROOT / "examples" / "heating"
AMD = ["linux/amd64"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A researcher's repository of one's own."""
    return shutil.copytree(
        EXAMPLE, tmp_path / "heating", ignore=shutil.ignore_patterns("__pycache__", ".venv")
    )


def tag(repository: Path, module: str = "experiments", platforms: list[str] = AMD) -> str:
    with context_of(repository, module, platforms) as context:
        return context.tag


def test_a_context_holds_what_the_image_needs_and_no_more(repository: Path) -> None:
    (repository / "experiments" / ".env").write_text("canary")
    (repository / "notes.txt").write_text("canary")
    with context_of(repository, "experiments", AMD) as context:
        held = {str(file.relative_to(context.folder.parent)) for file in context.folder.parent.rglob("*.*")}
        folder = context.folder
        assert context.is_locked and context.recipe.read_bytes() == (ROOT / "Dockerfile.worker").read_bytes()
    theirs = {"__init__.py", "houses.py", "insulation.py"}
    workers = {f"scythe-aws/scythe_worker/{file.name}" for file in (ROOT / "scythe_worker").glob("*.*")}
    assert held == {
        "experiments/needs/uv.lock",
        "experiments/needs/pyproject.toml",
        *(f"experiments/app/experiments/{name}" for name in theirs),
        "scythe-aws/Dockerfile.worker",
        *workers,
    }
    assert not folder.exists()


Change = Callable[[Path], object]
CHANGES: dict[str, Change] = {
    "code": lambda at: (at / "experiments" / "houses.py").write_text("x"),
    "a new file": lambda at: (at / "experiments" / "table.csv").write_text("1"),
    "a name": lambda at: (at / "experiments" / "houses.py").rename(at / "experiments" / "homes.py"),
    "the lock": lambda at: (at / "uv.lock").write_text((at / "uv.lock").read_text() + "# x\n"),
    "a program": lambda at: (at / "experiments" / "houses.py").chmod(0o755),
}
NO_CHANGES: dict[str, Change] = {
    "a secret": lambda at: (at / "experiments" / ".env").write_text("x"),
    "bytecode": lambda at: (at / "experiments" / "__pycache__").mkdir(),
    "another time": lambda at: os.utime(at / "experiments" / "houses.py", (0, 0)),
    "another umask": lambda at: (at / "experiments" / "houses.py").chmod(0o600),
    "what is not copied": lambda at: (at / "allocate.py").write_text("x"),
    "what it ignores": lambda at: (
        (at / ".dockerignore").write_text("experiments/data"),
        (at / "experiments" / "data").mkdir(),
        (at / "experiments" / "data" / "large.csv").write_text("1"),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_content_is_another_tag(repository: Path, what: str) -> None:
    before = tag(repository)
    CHANGES[what](repository)
    assert tag(repository) != before


@pytest.mark.parametrize("what", NO_CHANGES)
def test_the_same_content_is_the_same_tag(repository: Path, what: str) -> None:
    before = tag(repository)
    NO_CHANGES[what](repository)
    assert tag(repository) == before


def test_the_platforms_the_module_and_the_worker_make_the_tag_too(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(repository / "experiments", repository / "src" / "others")
    both = ["linux/arm64", "linux/amd64"]
    tags = {tag(repository), tag(repository, platforms=both), tag(repository, module="others")}
    assert tag(repository, platforms=both[::-1]) in tags
    ours = tmp_path / "scythe-aws"
    shutil.copytree(ROOT / "scythe_worker", ours / "scythe_worker")
    for name in ("Dockerfile.worker", "Dockerfile.worker.dockerignore"):
        shutil.copy(ROOT / name, ours)
    monkeypatch.setattr(image_context, "ROOT", ours)
    assert tag(repository) in tags
    for name in ("Dockerfile.worker", "scythe_worker/worker.py"):
        (ours / name).write_text("x")
        tags.add(tag(repository))
    assert len(tags) == 5


def _link_away(at: Path) -> None:
    (at / "experiments" / "key").symlink_to("/etc/hostname")


def _replace(name: str, make: Change, at: Path) -> None:
    if name == "requirements.txt":
        (at / "uv.lock").unlink()  # else that alone is read
    (at / name).unlink(missing_ok=True)
    make(at / name)


WRONG: dict[str, tuple[Change, str]] = {
    "no folder": (shutil.rmtree, "must be the folder of a repository with experiments (--experiments)"),
    "no requirements": (
        lambda at: [(at / name).unlink() for name in ("uv.lock", "pyproject.toml")],
        "has no pyproject.toml or requirements.txt; must say what the experiments need",
    ),
    "a lock alone": (
        lambda at: (at / "pyproject.toml").unlink(),
        "has no pyproject.toml or requirements.txt",
    ),
    "no package": (
        lambda at: (at / "experiments").rename(at / "simulations"),
        "has no package experiments (a folder experiments or src/experiments with an __init__.py)",
    ),
    "a link away": (_link_away, "leads out of"),
    "a folder that is a link away": (
        lambda at: (
            shutil.rmtree(at / "experiments"),
            (at / "experiments").symlink_to(EXAMPLE / "experiments"),
        ),
        "leads out of",
    ),
    **{
        f"{name} is {what}": (partial(_replace, name, make), said)
        for name in ("uv.lock", "requirements.txt", "pyproject.toml", ".dockerignore", "experiments/x.csv")
        for what, make, said in (
            ("a link to the keys", lambda file: file.symlink_to("/proc/self/environ"), "leads out of"),
            ("a link in a circle", lambda file: file.symlink_to(file.name), "circle"),
            ("a link to nothing", lambda file: file.symlink_to("none"), "is not a regular file"),
            ("a pipe", os.mkfifo, "is not a regular file"),
        )
    },
    "the lock is a link to an env file": (
        lambda at: (
            (at / ".env").write_text("canary"),
            (at / "uv.lock").unlink(),
            (at / "uv.lock").symlink_to(".env"),
        ),
        "may hold secrets",
    ),
    "no pattern": (lambda at: (at / ".dockerignore").write_text("# a\n[z-a]\n"), "line 2 is no pattern"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_missing_is_told(repository: Path, what: str) -> None:
    change, said = WRONG[what]
    change(repository)
    with pytest.raises(CommandError) as refused, context_of(repository, "experiments", AMD):
        pass
    assert refused.value.status == 2
    assert said in str(refused.value) and str(repository) in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "left_out", "kept"),
    [
        (["**/.env"], [".env", "a/.env", "a/b/.env"], ["a/b.env", "x.env/y"]),
        (
            ["**/.env.*", "# a", "", "**/*.pem"],
            ["a/.env.local", "a/key.pem"],
            [".env", "a/key.pem.txt", "# a"],
        ),
        (["/build", "docs/"], ["build/a", "docs/x/y"], ["a/build", "builds"]),
        (["*", "!experiments"], ["a", "b/c"], ["experiments/a.py"]),
        (["a/*/c", "a/?x"], ["a/b/c", "a/bx", "a/b/c/d"], ["a/b/b/c", "a/b/d"]),
        (["a/**", "!a/keep", "a/keep/not"], ["a/b", "a/b/c", "a/keep/not/x"], ["b", "a/keep/x"]),
        (["**/__pycache__"], ["__pycache__/a", "a/__pycache__/b"], ["a/pycache"]),
        (["[ab].txt", "a.b"], ["a.txt", "a.b"], ["c.txt", "axb"]),
    ],
)
def test_dockerignore(lines: list[str], left_out: list[str], kept: list[str]) -> None:
    ignored = Ignored(lines)
    assert [path for path in [*left_out, *kept] if ignored(PurePosixPath(path))] == left_out


@given(
    pattern=st.lists(
        st.sampled_from(["a", "b", ".", "/", "*", "**", "**/", "?", "[ab]", "[^a]", "\\\\*"]),
        min_size=1,
        max_size=7,
    ),
    path=st.lists(st.sampled_from(["a", "b", "ab", ".a", "a*"]), min_size=1, max_size=4),
)
def test_a_pattern_fits_as_its_regular_expression_does(pattern: list[str], path: list[str]) -> None:
    text = posixpath.normpath("".join(pattern)).lstrip("/")
    if text in ("", ".") or text.startswith(("!", "#", "..")):
        return
    expressions = {
        "**/": "(.*/)?",
        "**": ".*",
        "*": "[^/]*",
        "?": "[^/]",
        "[ab]": "[ab]",
        "[^a]": "[^a]",
        "\\*": "[*]",
    }
    parts = re.findall(r"\*\*/?|\*|\?|\[\^?[^\]]*\]|\\.|.", text)
    expression = re.compile("".join(expressions.get(part, re.escape(part)) for part in parts))
    whole = PurePosixPath(*path)
    expected = any(
        expression.fullmatch(str(part)) for part in (whole, *whole.parents) if part != PurePosixPath()
    )
    assert Ignored([text])(whole) == expected


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    ignored = Ignored(["**/" * 20 + "*a" * 60 + "b", "a*" * 100 + "b", "**a" * 40 + "b"])
    assert not ignored(PurePosixPath("a" * 200 + "/" + "a" * 200 + "c"))
    assert time.process_time() - began < 1


def test_a_link_to_what_is_left_out_is_left_out(repository: Path) -> None:
    (repository / ".env").write_text("canary")
    (repository / "experiments" / "settings.txt").symlink_to("../.env")
    with context_of(repository, "experiments", AMD) as context:
        assert not list(context.folder.rglob("settings.txt"))


@pytest.mark.parametrize(
    "name",
    [
        *(
            ".ssh/id",
            ".netrc",
            ".pypirc",
            ".envrc",
            "prod.env",
            "tls.key",
            "a.p12",
            "kubeconfig",
            "credentials",
        ),
        *("credentials.json", ".aws/credentials", "id_ed25519", ".git-credentials", "x.pfx", "prod.tfvars"),
    ],
)
def test_what_holds_secrets_is_left_out(repository: Path, name: str) -> None:
    for file in (repository / "experiments" / name, repository / "experiments" / "data" / name):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("canary")
    with context_of(repository, "experiments", AMD) as context:
        held = [file for file in context.folder.rglob("*") if file.is_file()]
        assert len(held) == 5 and not any("canary" in file.read_text() for file in held)


def test_a_name_that_is_no_text_has_a_tag(repository: Path) -> None:
    before = tag(repository)
    Path(os.fsdecode(os.fsencode(repository / "experiments") + b"/caf\xe9.csv")).write_text("1")
    assert tag(repository) != before


# --- versions


def installed(folder: Path, **versions: str) -> Path:
    """A folder with packages of these versions, as far as their names go."""
    for name, version in versions.items():
        metadata = folder / f"{name}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"scythe_engine": "1.3.0", "hatchet_sdk": "1.33.0"}, ""),
        ({"scythe_engine": "1.3.7rc1", "hatchet_sdk": "1.99.0.post1"}, ""),
        (
            {"scythe_engine": "0.0.38", "hatchet_sdk": "1.40.0"},
            "scythe_worker: scythe-engine 0.0.38 is what the repository requires; must be >=1.3,<1.4\n",
        ),
        (
            {"scythe_engine": "1.4.0", "hatchet_sdk": "2.0.0"},
            "scythe_worker: scythe-engine 1.4.0 is what the repository requires; must be >=1.3,<1.4; "
            "hatchet-sdk 2.0.0 is what the repository requires; must be >=1.33,<2\n",
        ),
        (
            {"hatchet_sdk": "1.40.0"},
            "scythe_worker: scythe-engine is not among the repository's requirements; must be there, >=1.3,<1.4\n",
        ),
    ],
)
def test_versions_that_the_worker_cannot_run_with_are_one_line(
    tmp_path: Path, versions: dict[str, str], said: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "scythe_worker.check"],  # without this project's own packages
        cwd=ROOT,
        env={"PYTHONPATH": str(installed(tmp_path / "site", **versions)), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (2 if said else 0, said)


def test_the_versions_of_these_tests_are_supported() -> None:
    assert set(SUPPORTED) == {"scythe-engine", "hatchet-sdk"}
    assert subprocess.run([sys.executable, "-m", "scythe_worker.check"], cwd=ROOT).returncode == 0
