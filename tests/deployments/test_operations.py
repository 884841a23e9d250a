"""What the deployments send to AWS: the list that the local AWS's rules cover."""

from __future__ import annotations

import pytest

from tests.deployments.conftest import Runs
from tests.local_aws.strictness.recorded import RECORDED, changes, recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_each_change_that_a_deployment_sends_is_in_the_list(runs: Runs) -> None:
    """`tests/local_aws/strictness/test_operations.py` asks for a rule, or a sentence, for each line of the list."""
    sent = changes(name for run in runs.runs.values() for name in run.operations)
    assert sorted(set(sent) - set(recorded())) == [], f"add to {RECORDED.name}"
    assert sorted(set(recorded()) - set(sent)) == [], f"remove from {RECORDED.name}"
