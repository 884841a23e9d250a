"""`scythe-aws download`: a run's results."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.commands import download as downloading
from tests.ops.commands.conftest import Place


@pytest.fixture
def stored(place: Place) -> Place:
    """Runs in the bucket, laid out as scythe-engine does."""
    s3 = place.aws.client("s3")
    for run in (
        "a/v2.0.0/2026-01-02_00-00-00",
        "a/v10.0.0/2026-01-01_00-00-00",
        "a/v10.0.0/2026-01-03_00-00-00",
        "ab/v1.0.0/2026-01-01_00-00-00",
    ):
        for path in (
            "manifest.yml",
            "specs.pq",
            "final/scalars.pq",
            "results/report/1.csv",
            "results/task-dataframes/scalars/1.pq",
            "artifacts/weather/1.epw",
            "scatter-gather/input/recurse/1/1.pq",
        ):
            s3.put_object(Bucket="results", Key=f"scythe/{run}/{path}", Body=f"{run} {path}".encode())
    return place


NEWEST = "a/v10.0.0/2026-01-03_00-00-00"
RESULTS = ["final/scalars.pq", "manifest.yml", "results/report/1.csv", "specs.pq"]


def held(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ("a", NEWEST),
        ("a/v10.0.0", NEWEST),
        ("a/v2.0.0/", "a/v2.0.0/2026-01-02_00-00-00"),
        ("a/v10.0.0/2026-01-01_00-00-00", "a/v10.0.0/2026-01-01_00-00-00"),
    ],
)
def test_a_run_is_downloaded(stored: Place, given: str, run: str) -> None:
    said = stored.run("download", stored.file, given).stdout
    assert said == f"{run}: 4 files to {run}, 0 were there.\n"
    folder = stored.file.parent / run
    assert held(folder) == RESULTS
    assert (folder / "final/scalars.pq").read_text() == f"{run} final/scalars.pq"


def test_what_is_here_is_not_downloaded_again(stored: Place, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stored.run("download", stored.file, "a", "--out", out)
    (out / "specs.pq").unlink()
    (out / "manifest.yml").write_text("x")
    again = (out / "final/scalars.pq").read_text()
    (out / "final/scalars.pq").write_text(again.upper())  # as long, and of another time
    said = stored.run("download", stored.file, "a", "--out", out).stdout
    assert said == f"{NEWEST}: 3 files to {out}, 1 were there.\n"
    assert (out / "final/scalars.pq").read_text() == again and held(out) == RESULTS
    everything = stored.run("download", stored.file, "a", "--out", out, "--all").stdout
    assert everything == f"{NEWEST}: 3 files to {out}, 4 were there.\n"


def test_nothing_half_written_stays(stored: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stored.aws.variables.items():
        monkeypatch.setenv(name, value)
    replace = Path.replace

    def breaking(self: Path, target: Path) -> Path:
        if target.name == "scalars.pq":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", breaking)
    with pytest.raises(OSError, match="No space left"):
        downloading.download(str(stored.file), "a", tmp_path / "out")
    assert not [name for name in held(tmp_path / "out") if name not in RESULTS or "scalars" in name]
    monkeypatch.undo()
    assert stored.run("download", stored.file, "a", "--out", tmp_path / "out").returncode == 0
    assert held(tmp_path / "out") == RESULTS


def test_a_run_without_results_yet_is_told(stored: Place) -> None:
    s3 = stored.aws.client("s3")
    s3.put_object(Bucket="results", Key="scythe/c/v1.0.0/2026-01-01_00-00-00/specs.pq", Body=b"x")
    result = stored.run("download", stored.file, "c")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "c/v1.0.0/2026-01-01_00-00-00 has no gathered results yet (final/)" in result.stderr
    s3.delete_object(Bucket="results", Key="scythe/c/v1.0.0/2026-01-01_00-00-00/specs.pq")


def test_a_run_that_is_not_there_is_told(stored: Place) -> None:
    for run in ("b", "a/v3.0.0", "a/v2.0.0/2026-01-03_00-00-00"):
        assert stored.refused("download", stored.file, run) == (
            f"results/scythe/ has no run {run}; it has runs of a, ab"
        )


def kept(place: Place, key: str) -> None:
    place.aws.client("s3").put_object(Bucket="results", Key=key, Body=b"planted")


@pytest.mark.parametrize(
    "path",
    [
        "final/../../../../x",
        "../x",
        "final//x",
        "./x",
        "final/\x1b[2J/x",
        "final\\..\\x",
        f"final/{'x' * 256}",
        "final",  # beside final/scalars.pq
        "link/x",
    ],
)
def test_a_key_that_is_no_file_below_the_folder_is_refused(stored: Place, tmp_path: Path, path: str) -> None:
    run = "d/v1.0.0/2026-01-01_00-00-00"
    kept(stored, f"scythe/{run}/final/scalars.pq")
    kept(stored, f"scythe/{run}/{path}")
    out, canary = tmp_path / "out", tmp_path / "elsewhere/x"
    canary.parent.mkdir()
    canary.write_text("as it was")
    out.mkdir()
    (out / "link").symlink_to(canary.parent)
    said = stored.refused("download", stored.file, "d", "--out", out, status=1)
    stored.aws.client("s3").delete_object(Bucket="results", Key=f"scythe/{run}/{path}")
    assert said.endswith("; nothing was downloaded") and said.isprintable()
    assert canary.read_text() == "as it was" and held(out) == []


@pytest.mark.parametrize(
    "form", ["{name}/v99999.0.0/../v1.0.0/x", "{name}/../../x", "{name}/v1.0.0/../x/y", "{name}/v1.0.0/now/x"]
)
def test_what_no_run_of_scythes_is_named_is_passed_over(stored: Place, form: str) -> None:
    planted = f"scythe/{form.format(name='e')}"
    kept(stored, planted)
    kept(stored, "scythe/e/v1.0.0/2026-01-01_00-00-00/final/scalars.pq")
    said = stored.run("download", stored.file, "e").stdout
    stored.aws.client("s3").delete_object(Bucket="results", Key=planted)
    assert (
        said == "e/v1.0.0/2026-01-01_00-00-00: 1 files to e/v1.0.0/2026-01-01_00-00-00, 0 were there.\n"
        or said.endswith("0 files to e/v1.0.0/2026-01-01_00-00-00, 1 were there.\n")
    )


@pytest.mark.parametrize("given", ["..", "../../x", "a/../a", "a/./v2.0.0", "a//v2.0.0", "a\n"])
def test_a_run_with_parts_that_name_nothing_is_told(stored: Place, given: str) -> None:
    assert " has no run " in stored.refused("download", stored.file, given)
