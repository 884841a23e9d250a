"""How a run of the tests goes: what waits longest begins first, and the last lines say what it took and what it left out."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from local_aws.forked import template
from tests.support.fargate import binaries

LONGEST = (
    "deployments/test_one.py",
    "project/test_lint.py",
    "deployments/test_spanning.py",
    "deployments/test_hatchet_changes.py",
    "ops/export/test_root.py",
    "project/test_readme.py",
    "deployments/test_again.py",
    "deployments/test_changes.py",
    "local_aws/test_terraform.py",
    "ops/export/test_modules.py",
)
"""The files that wait for minutes, for a provider that polls, in the order in which they begin."""

TESTS = Path(__file__).parents[1]
SLOW = r"\b(?:pytest\.mark\.(?:slow|engine)|ENGINE)\b"
"""What a file says that is slow as a whole."""

BEGAN = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    """Note when the run begins; where it has several processes, start what forks local AWSs for all of them."""
    config.stash[BEGAN] = time.monotonic()
    if config.getoption("numprocesses", None):
        folder = tempfile.mkdtemp(prefix="local-aws-")
        running = template(Path(folder))
        running.__enter__()
        config.add_cleanup(lambda: shutil.rmtree(folder))
        config.add_cleanup(lambda: running.__exit__(None, None, None))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the run's budget."""
    parser.addoption(
        "--budget", type=float, metavar="MINUTES", help="What the run may take; the last line compares."
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files that are slow as a whole unread where none of theirs is wanted: each process would import them."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(re.search(rf"^pytestmark = .*{SLOW}", collection_path.read_text(), re.MULTILINE)) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs an engine, and put first what takes longest.

    What else asks for the deployed environments comes last, rather than wait for it.
    """
    lacking = binaries.missing()
    for item in items:
        if item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.skipif(bool(lacking), reason=lacking))
    asking = {item.path for item in items if "runs" in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> int:
        name = str(item.path.relative_to(TESTS))
        return LONGEST.index(name) if name in LONGEST else len(LONGEST) + (item.path in asking)

    items.sort(key=place)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say why tests were skipped, a line for each reason, and what the run took of its budget."""
    reasons = Counter(reason(report) for report in terminalreporter.stats.get("skipped", []))
    for why, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {why}")
    budget = config.getoption("--budget")
    if budget is not None:
        took = time.monotonic() - config.stash[BEGAN]
        verdict = "within" if took <= budget * 60 else "OVER"
        terminalreporter.write_line(f"{clock(took)}, {verdict} the budget of {clock(budget * 60)}")


def reason(report: pytest.TestReport) -> str:
    """Why a test was skipped."""
    assert isinstance(report.longrepr, tuple)
    return report.longrepr[2].removeprefix("Skipped: ")


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 4:05 min."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min"
