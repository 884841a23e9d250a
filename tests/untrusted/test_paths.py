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


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_folder_that_others_may_write_is_emptied(tmp_path: Path, mode: int, depth: int) -> None:
    folder = private_folder(tmp_path, "cache", "inner")
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "planted").write_text("x")
    (folder / "more").mkdir()
    (folder / "more/planted").write_text("x")
    (folder / "link").symlink_to(tmp_path)
    (folder.parent if depth == 1 else folder).chmod(mode)
    assert private_folder(tmp_path, "cache", "inner") == folder
    assert list(folder.iterdir()) == [] and folder.stat().st_mode & 0o077 == 0
    assert folder.parent.stat().st_mode & 0o077 == 0 and tmp_path.is_dir()


def test_a_closed_folder_stays_as_it_is(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "cache", "a")
    (folder / "kept").write_text("x")
    folder.chmod(0o755)
    private_folder(tmp_path / "cache", "a")
    assert (folder / "kept").read_text() == "x"


@pytest.mark.parametrize("is_link", [True, False])
def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_link: bool
) -> None:
    folder = private_folder(tmp_path, "cache", "inner").parent
    if is_link:
        folder.rename(tmp_path / "target")
        folder.symlink_to(tmp_path / "target")
    if os.geteuid() == 0:
        os.chown(folder, 4321, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(UnsafePathError, match=rf"^{folder}: belongs to another user"):
        private_folder(tmp_path, "cache", "inner")
