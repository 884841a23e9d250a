"""`scythe-aws stop`, and what Hatchet may put in the way of a command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops.errors import CommandError
from tests.ops.commands.conftest import Place

NOW = datetime.now(UTC)


@pytest.mark.slow
def test_stop_cancels_scythes_tasks_alone(place: Place) -> None:
    place.engine.tasks = {"scythe_experiment_b": (9, 1), "scythe_scatter_gather": (0, 1), "others": (0, 0)}
    assert "cancels 9 queued and 2 running tasks: --yes" in place.refused("stop", place.file)
    assert place.engine.cancelled == 0
    said = place.run("stop", place.file, "--yes").stdout
    assert said == "Cancelled 11 runs.\nNo fleet is deployed (cdktf deploy lab-workers).\n"
    (body,) = [body for what, body in place.engine.asked if what == "cancel"]
    assert body["filter"]["workflowIds"] == ["id-of-scythe_experiment_b", "id-of-scythe_scatter_gather"]
    assert body["filter"]["statuses"] == ["QUEUED", "RUNNING"]
    assert NOW - datetime.fromisoformat(body["filter"]["since"]) > timedelta(days=29)


def test_runs_that_stay_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.commands import stop

    place.engine.tasks, place.engine.stubborn = {"scythe_experiment_b": (2, 1)}, True
    monkeypatch.setattr(stop, "PATIENCE", 0)
    for name, value in place.aws.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match="2 tasks still wait and 1 still run") as left:
        stop.stop(str(place.file), yes=True)
    assert left.value.status == 1


@pytest.mark.slow
def test_hatchets_faults_are_a_line_each(place: Place) -> None:
    at = f"Hatchet at http://127.0.0.1:{place.engine.port}"
    for status, said in (
        (403, "refuses the token of lab (403): scythe-aws token lab stores another"),
        (500, "answers task-stats with 500"),
    ):
        place.engine.status = status
        assert place.refused("status", place.file) == f"{at} {said}"
    place.engine.status = 401
    place.file.write_text(f"{place.file.read_text()}hatchet: {{mode: self_hosted}}\n")
    said = "refuses the token of lab (401): scythe-aws token lab --rotate makes another"
    assert place.refused("status", place.file) == f"{at} {said}"
    place.store(server_url="http://localhost:1")
    assert place.refused("status", place.file).endswith(
        "cannot be reached (Connection refused): it is forwarded to this machine while scythe-aws forward lab runs"
    )
    place.store(exp=1_700_000_000)
    assert place.refused("status", place.file) == "the token has expired; must be a new one"
