"""Topics, events and budgets."""

from __future__ import annotations

import json
import re
from collections import Counter

from ops.review.aws_rules.planned import Found, Planned, Rule, document


def events(planned: Planned) -> Found:
    """A rule of EventBridge has a pattern of 4,096 characters and 5 targets at most, and its messages are whole.

    Amazon EventBridge API Reference, ``PutRule``; Amazon EventBridge User Guide, "Amazon EventBridge quotas" and
    "Amazon EventBridge input transformation" (at most 100 paths; each placeholder is one of them).
    """
    for rule in planned.of("aws_cloudwatch_event_rule"):
        pattern = rule.get("event_pattern")
        if pattern is not None and (len(pattern) > 4096 or not isinstance(json.loads(pattern), dict)):
            yield rule, f"event_pattern has {len(pattern)} characters; must be an object of at most 4096"
    targets = planned.of("aws_cloudwatch_event_target")
    for name, count in Counter(target.get("rule") for target in targets).items():
        if name is not None and count > 5:
            yield targets[0], f"rule {name} has {count} targets; must have at most 5"
    for target in targets:
        for transformer in target.blocks("input_transformer"):
            paths, template = transformer.get("input_paths") or {}, transformer.get("input_template") or ""
            unknown = set(re.findall(r"<([A-Za-z0-9_-]+)>", template)) - set(paths)
            if unknown or len(paths) > 100 or len(template) > 8192:
                yield target, f"its template has {sorted(unknown)} without a path; each must have one"
            if any(key.startswith("AWS") for key in paths):
                yield target, "has a path whose name begins with AWS; must not"


def topics(planned: Planned) -> Found:
    """A topic that events go to lets EventBridge publish; else they are lost without a word.

    Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge" (Amazon SNS permissions).
    """
    policies = {
        policy.get("arn"): document(policy.get("policy")) for policy in planned.of("aws_sns_topic_policy")
    }
    for target in planned.of("aws_cloudwatch_event_target"):
        arn = target.get("arn")
        if str(arn).split(":")[2:3] != ["sns"]:
            continue
        allowed = [
            statement
            for statement in policies.get(arn, {}).get("Statement", [])
            if statement["Effect"] == "Allow"
            and "events.amazonaws.com" in (statement.get("Principal") or {}).get("Service", [])
            and "sns:Publish" in statement["Action"]
            and arn in statement["Resource"]
        ]
        if not allowed:
            yield target, f"goes to {arn}, which does not let events.amazonaws.com publish; must"


def unconditional_publishing(planned: Planned) -> Found:
    """A topic's statement for EventBridge has no condition; with one, EventBridge's events are lost.

    Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge" (Amazon SNS permissions):
    no ``Condition`` blocks in topic policies for EventBridge.
    """
    for resource in planned.of("aws_sns_topic_policy"):
        for statement in document(resource.get("policy")).get("Statement", []):
            services = (statement.get("Principal") or {}).get("Service", [])
            if "events.amazonaws.com" in services and statement.get("Condition"):
                yield resource, "its statement for events.amazonaws.com has a Condition; must have none"


def budgets(planned: Planned) -> Found:
    """A budget has an amount, and at most 10 notifications with 1 to 10 mailboxes and a topic each.

    AWS Billing and Cost Management API Reference, ``CreateBudget`` (NotificationWithSubscribers), and User Guide,
    "Quotas and restrictions" (Budgets).
    """
    for budget in planned.of("aws_budgets_budget"):
        if budget.get("limit_amount") is not None and float(budget.get("limit_amount")) <= 0:
            yield budget, f"limit_amount is {budget.get('limit_amount')}; must be over 0"
        notifications = budget.blocks("notification")
        if len(notifications) > 10:
            yield budget, f"has {len(notifications)} notifications; must have at most 10"
        for notification in notifications:
            mailboxes = notification.get("subscriber_email_addresses") or []
            has_any = mailboxes or notification.get("subscriber_sns_topic_arns")
            if not has_any or len(mailboxes) > 10:
                yield budget, f"a notification has {len(mailboxes)} mailboxes; must have 1 to 10, or a topic"


RULES: tuple[Rule, ...] = (events, topics, unconditional_publishing, budgets)
