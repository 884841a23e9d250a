"""Paths from elsewhere: what is allowed lies below its folder, whatever is drawn."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from untrusted.paths import (
    UnsafePathError,
    all_below,
    below,
    is_file_name,
    others_may_write,
    private_folder,
    regular_file,
)

PARTS = st.one_of(
    st.sampled_from(
        ["..", ".", "", "a", "link", "inside", "circle", "~", "C:", "a\\b", "\x00", "\x1b[2J", "ü", "x" * 255]
    ),
    st.text(max_size=6),
)
NAMES = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "outside").mkdir()
    (folder / "root").mkdir()
    (folder / "root/link").symlink_to(folder / "outside")
    (folder / "root/a").mkdir()
    (folder / "root/inside").symlink_to("a")
    (folder / "root/circle").symlink_to("circle")
    return folder / "root"


@given(name=NAMES)
def test_what_is_allowed_lies_below_and_is_its_own_name(root: Path, name: str) -> None:
    try:
        path = below(root, name)
    except UnsafePathError:
        return
    assert path.resolve().is_relative_to(root)
    assert path.relative_to(root).as_posix() == name == PurePosixPath(name).as_posix()
    assert all(map(is_file_name, name.split("/")))


@given(parts=st.lists(st.text("abcäß -_.1", min_size=1, max_size=8), min_size=1, max_size=4))
def test_usual_names_are_allowed(root: Path, parts: list[str]) -> None:
    if {".", ".."} & set(parts):
        return
    assert below(root, "/".join(parts)) == root.joinpath(*parts)


@pytest.mark.parametrize("name", ["link/x", "link", "circle/x", "/etc/passwd", "a/../x", "a//x", "a/", ""])
def test_ways_out_are_refused(root: Path, name: str) -> None:
    with pytest.raises(UnsafePathError):
        below(root, name)


def test_a_link_inside_is_no_way_out(root: Path) -> None:
    assert below(root, "inside/x") == root / "inside/x"


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b/c", "a/b"], ["x", "../x"]])
def test_files_that_exclude_each_other_are_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(UnsafePathError, match=r"^(a|a/b|\.\./x): "):
        all_below(tmp_path, names)


def test_what_is_read_is_a_regular_file_inside(root: Path, tmp_path: Path) -> None:
    (root / "a/file").write_text("x")
    assert regular_file(root, root / "inside/file") == root / "a/file"
    (tmp_path / "secret").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    for target in (
        tmp_path / "secret",
        Path("/proc/self/environ"),
        root / "circle",
        root / "none",
        root / "a",
    ):
        link = tmp_path / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        with pytest.raises(UnsafePathError):
            regular_file(root, link)
    with pytest.raises(UnsafePathError, match="regular"):
        regular_file(tmp_path, tmp_path / "fifo")


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "cache/inner")
    assert folder.stat().st_mode & 0o777 == 0o700
    for mode in (0o720, 0o702, 0o777):
        folder.chmod(mode)
        with pytest.raises(UnsafePathError, match="chmod go-w"):
            private_folder(folder)
    folder.chmod(0o755)
    assert others_may_write(folder) is None
    (tmp_path / "link").symlink_to(folder)
    assert others_may_write(tmp_path / "link") == "is a symbolic link"


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = private_folder(tmp_path / "cache")
    if os.geteuid() == 0:
        os.chown(folder, 4321, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(UnsafePathError, match="another user"):
        private_folder(folder)
