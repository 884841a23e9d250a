"""Who may publish to the topic of alarms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.review.aws_rules.planned import Planned
from ops.review.aws_rules.watching import unconditional_publishing


def test_the_statement_for_eventbridge_has_no_condition(templates: dict[str, dict[str, Any]]) -> None:
    policy = templates["observability"]["resource"]["aws_sns_topic_policy"]["alarms_policy"]["policy"]
    events, alarms = policy.split('Service = ["events.amazonaws.com"]')
    assert "Condition" not in events + alarms.partition("Effect")[0]
    assert "aws:SourceArn" in alarms


@pytest.mark.parametrize(
    ("service", "condition", "breaches"),
    [
        ("events.amazonaws.com", {}, 0),
        ("events.amazonaws.com", {"StringEquals": {"aws:SourceAccount": ["123456789012"]}}, 1),
        ("cloudwatch.amazonaws.com", {"StringEquals": {"aws:SourceAccount": ["123456789012"]}}, 0),
    ],
)
def test_the_rule_on_topic_policies(service: str, condition: dict[str, Any], breaches: int) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Condition": condition}
    policy = {"mode": "managed", "type": "aws_sns_topic_policy", "address": "aws_sns_topic_policy.alarms",
              "values": {"policy": json.dumps({"Statement": [statement]})}}  # fmt: skip
    planned = Planned([{"planned_values": {"root_module": {"resources": [policy]}}}])
    assert len(list(unconditional_publishing(planned))) == breaches
