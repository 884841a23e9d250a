"""What the image leaves out of its packages, and what it keeps."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ops.images.image_context import context_of
from scythe_worker.leave_out import HEADERS, SUITES, leave_out
from tests.support.project import ROOT


def test_test_suites_and_headers_go_and_all_else_stays(tmp_path: Path) -> None:
    gone = [*(f"{name}/a/tests/test_a.py" for name in SUITES), *(f"{name}/a.h" for name in HEADERS)]
    gone.append("pandas/tests/frame/tests/deep.py")
    kept = [
        "numpy/testing/__init__.py",
        "pandas/_testing/a.py",
        "theirs/tests/needed.py",
        "numpy/_core/tests/needed.py",
        "pyarrow/lib.so",
        "tests/a.py",
    ]
    for name in (*gone, *kept):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("12")
    assert leave_out(tmp_path) == 2 * len(gone)
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == set(kept)


def test_the_recipe_runs_it_before_the_packages_layer() -> None:
    recipe = (ROOT / "Dockerfile.worker").read_text()
    assert (
        recipe.index("install.sh\n")
        < recipe.index("/install/leave_out.py\n")
        < recipe.index("COPY --from=build")
    )


def test_a_worker_imports_none_of_it() -> None:
    """All that the worker's modules import, and what scythe-engine keeps tables with, is elsewhere."""
    code = (
        "import sys, scythe_worker.worker, scythe_worker.backlog, pandas, pyarrow.dataset, pyarrow.parquet, tables\n"
        "print('\\n'.join(getattr(m, '__file__', None) or '' for m in list(sys.modules.values())))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(line) for line in ran.stdout.splitlines() if "site-packages" in line]
    assert {"pandas", "pyarrow"} <= {part for file in files for part in file.parts}
    for file in files:
        package = file.parts[file.parts.index("site-packages") + 1]
        assert not (package in SUITES and "tests" in file.parts), file


def test_the_context_has_nothing_of_what_deploys() -> None:
    with context_of(ROOT / "examples" / "heating", "experiments", ["linux/amd64"]) as context:
        ours = {str(file.relative_to(context.ours)) for file in context.ours.rglob("*") if file.is_file()}
    assert all(name == "Dockerfile.worker" or name.startswith("scythe_worker/") for name in ours)
    deploys = re.compile(
        r"^\s*(from|import) (cdktf|constructs|jsii|modules|ops|synthesis|local_aws|tests)\b", re.MULTILINE
    )
    assert not [name for name in ours if name.endswith(".py") and deploys.search((ROOT / name).read_text())]
