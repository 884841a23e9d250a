"""Environment files with faults: one clear line for each fault, exit status 2, nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from environments.loading import report
from tests.environments.malformed import FILES
from tests.environments.malformed.values import TOKEN

COMMAND = [
    sys.executable,
    "-c",
    "import sys; from environments.loading import report; sys.exit(report(sys.argv[1:]))",
]


def write(folder: Path, name: str) -> Path:
    path = folder / f"{name.replace(' ', '-')}.yaml"
    content = FILES[name][0]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def assert_lines(lines: list[str], file: Path, name: str) -> None:
    wanted = [f"{file}: {beginning}" for beginning in FILES[name][1]]
    unexpected = [line for line in lines if not any(line.startswith(beginning) for beginning in wanted)]
    assert not unexpected, f"unexpected for {name}: {unexpected}"
    assert len(lines) == len(wanted), f"for {name}: {lines}"
    for beginning in wanted:
        assert any(line.startswith(beginning) for line in lines), f"missing for {name}: {beginning}\n{lines}"
    for line in lines:
        assert line.isprintable()
        assert "; " in line, f"says not what is allowed: {line}"
        assert TOKEN not in line
        assert "hunter2" not in line


@pytest.mark.parametrize("name", FILES)
def test_each_fault_has_one_line(name: str, tmp_path: Path) -> None:
    file, stderr = write(tmp_path, name), io.StringIO()

    assert report([str(file)], stderr) == 2

    assert_lines(stderr.getvalue().splitlines(), file, name)


def test_the_command_reports_all_files_at_once(tmp_path: Path) -> None:
    files = {name: write(tmp_path, name) for name in FILES}
    before = sorted(tmp_path.iterdir())

    ran = subprocess.run(
        [*COMMAND, *map(str, files.values())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    lines = ran.stderr.splitlines()
    for name, file in files.items():
        assert_lines([line for line in lines if line.startswith(f"{file}: ")], file, name)
    assert len(lines) == sum(len(wanted) for _, wanted in FILES.values())
    assert sorted(tmp_path.iterdir()) == before


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    stderr = io.StringIO()
    looping = tmp_path / "loop.yaml"
    looping.symlink_to(looping)
    given = [
        str(tmp_path),
        str(tmp_path / "none.yaml"),
        "/dev/zero",
        str(looping),
        "a\0b.yaml",
        f"{'x' * 300}.yaml",
    ]

    assert report(given, stderr) == 2

    lines = stderr.getvalue().splitlines()
    assert [line.split(": ", 1)[1] for line in lines[:3]] == [
        "is a directory; must be a YAML file",
        "does not exist; must be a YAML file",
        "is no regular file; must be a YAML file",
    ]
    assert len(lines) == len(given)
    assert all(line.isprintable() and line.endswith("; must be a YAML file") for line in lines)


def test_unknown_names() -> None:
    stderr = io.StringIO()

    assert report(["docs", "nowhere"], stderr) == 2

    assert (
        stderr.getvalue()
        == "nowhere: is no environment; must be one of dev, docs, or the path of a YAML file\n"
    )
