"""checkov finds nothing in the plans but what a resource answers for."""

from __future__ import annotations

import pytest

from tests.deployments.conftest import Runs
from tests.support.tools import checkov

IN_SOURCES = {"CKV_AWS_18", "CKV_AWS_354"}
"""Checks that fail on the exported modules' files alone: plans have what they look for."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_every_finding_is_answered_for_and_every_answer_needed(runs: Runs) -> None:
    good = [run for run in runs.runs.values() if not run.error]
    scan = checkov.scan({run.plan_file(part): run.template(part) for run in good for part in run.parts})
    assert {(found.check, found.address, found.name) for found in scan.failed} == set()
    # A construct answers for what some settings make of it: an answer that no environment needs is one too many.
    needed = {(found.check, found.reason) for found in scan.suppressed}
    assert {
        (each.address, each.check)
        for each in scan.unused
        if (each.check, each.reason) not in needed and each.check not in IN_SOURCES
    } == set()
    assert scan.evaluated > 1000
