"""What is paid for at rest is what the stacks have: counted in the synthesized and in the planned resources."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from environments.loading import load
from environments.schema import Environment
from ops.cost.at_rest import alarms, at_rest, engine_at_rest
from ops.cost.prices import usd
from scythe_worker.pace import DEMAND
from tests.support.project import ROOT, SELF_HOSTED

DOCS = ROOT / "environments" / "docs.yaml"
LARGE = Environment.model_validate(
    {
        "name": "large",
        "workers": {
            "a": {"role": "leaf", "scaling": {"max": 1000}, "capacity": {"fallback": {"max": 5}}},
            "b": {"role": "fan", "scaling": {"max": 11}},
            "c": {
                "role": "leaf", "experiments": ["x"],
                "scaling": {"max": 0, "schedule": [{"start": "rate(1 day)", "end": "rate(2 days)", "max": 104}]},
            },
            "d": {"role": "leaf", "experiments": ["y"], "scaling": {"max": 0}},
        },
    }
)  # fmt: skip


@pytest.fixture
def resources(stacks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The resources of each stack."""
    return {name: template["resource"] for name, template in stacks.items()}


def test_the_backlogs_alarm_is_the_only_standard_one(resources: dict[str, dict[str, Any]]) -> None:
    of_backlog = {
        name: alarm
        for name, alarm in resources["docs-workers"]["aws_cloudwatch_metric_alarm"].items()
        if name.startswith("backlog_")
    }
    assert [alarm["period"] for alarm in of_backlog.values()] == [60]
    assert alarms(load(DOCS))["alarm"] == 1
    # The fleets' alarms look at the one metric that is published while nothing waits.
    names = {
        metric["metric_name"]
        for alarm in resources["docs-workers"]["aws_cloudwatch_metric_alarm"].values()
        for metric in [alarm, *(query.get("metric", {}) for query in alarm.get("metric_query", []))]
        if metric.get("namespace", "").startswith("Scythe/")
    }
    assert names == {DEMAND}


def test_the_secrets_are_those_of_the_stacks(resources: dict[str, dict[str, Any]]) -> None:
    assert len(resources["docs-storage"]["aws_secretsmanager_secret"]) == 1
    assert at_rest(load(DOCS))["secret"] == usd("secret")
    # One is the broker's, and is made with broker: amazon_mq or rabbitmq alone.
    secrets = resources["prod-hatchet"]["aws_secretsmanager_secret"]
    always = [name for name, secret in secrets.items() if "count" not in secret]
    assert engine_at_rest(load(SELF_HOSTED))["secrets"] == len(always) * usd("secret")


@pytest.mark.slow
@pytest.mark.parametrize("environment", [load(DOCS), LARGE], ids=["docs", "large"])
def test_the_alarms_are_those_of_the_plan(environment: Environment, tmp_path: Path) -> None:
    from benchmarks.autoscaling.synthesized import planned

    counted: Counter[str] = Counter()
    for resource in planned(environment, tmp_path)["planned_values"]["root_module"]["resources"]:
        if resource["type"] == "aws_cloudwatch_metric_alarm":
            alarm = resource["values"]
            queries = [query["metric"][0] for query in alarm["metric_query"] or [] if query["metric"]]
            for metric in queries or [alarm]:
                counted["alarm, high resolution" if metric["period"] < 60 else "alarm"] += 1
    # And the one on the backlog's silence, which is no fleet's.
    assert {**alarms(environment)} == {
        "alarm": counted["alarm"] + 1,
        "alarm, high resolution": counted["alarm, high resolution"],
    }
