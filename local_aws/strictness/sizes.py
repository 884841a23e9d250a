"""Sizes of policies, of parameters and of what they are attached to."""

from __future__ import annotations

import json
import re
from typing import Any

from local_aws.strictness.held import backend
from local_aws.strictness.rule import Request, Rule

_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"

MOST_MANAGED = 6_144
MOST_INLINE = 10_240
MOST_TRUST = 2_048
MOST_ATTACHED = 10
MOST_BUCKET = 20 * 1024
MOST_TOPIC = 30 * 1024
MOST_TARGETS = 5


def _characters(document: object) -> int:
    """IAM does not count white space."""
    text = document if isinstance(document, str) else json.dumps(document or "")
    return len(re.sub(r"\s", "", text))


def _managed(request: Request) -> str | None:
    if _characters(request.parameters.get("PolicyDocument")) > MOST_MANAGED:
        return f"Cannot exceed quota for PolicySize: {MOST_MANAGED}"
    return None


def _role(request: Request) -> Any | None:
    roles = list(backend(request, "iam").roles.values())
    return next((role for role in roles if role.name == request.parameters.get("RoleName")), None)


def _inline(request: Request) -> str | None:
    role = _role(request)
    held = dict(role.policies) if role else {}
    held[str(request.parameters.get("PolicyName"))] = request.parameters.get("PolicyDocument")
    if sum(map(_characters, held.values())) > MOST_INLINE:
        return f"Maximum policy size of {MOST_INLINE} bytes exceeded for role {request.parameters.get('RoleName')}"
    return None


def _trust(request: Request) -> str | None:
    document = request.parameters.get("AssumeRolePolicyDocument", request.parameters.get("PolicyDocument"))
    if _characters(document) > MOST_TRUST:
        return f"Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}"
    return None


def _attached(request: Request) -> str | None:
    role = _role(request)
    attached = set(role.managed_policies) | {request.parameters.get("PolicyArn")} if role else set()
    if len(attached) > MOST_ATTACHED:
        return f"Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}"
    return None


def _bucket_policy(request: Request) -> str | None:
    policy = request.parameters.get("Policy") or ""
    size = len(policy.encode() if isinstance(policy, str) else policy)
    return "Policy exceeds the maximum allowed document size." if size > MOST_BUCKET else None


def _topic_policy(request: Request) -> str | None:
    asked = request.parameters
    policy = asked.get("AttributeValue") if asked.get("AttributeName") == "Policy" else None
    policy = policy or (asked.get("Attributes") or {}).get("Policy") or ""
    return "Invalid parameter: Policy is too large" if len(policy.encode()) > MOST_TOPIC else None


def _targets(request: Request) -> str | None:
    buses = backend(request, "events").event_buses
    bus = buses.get(str(request.parameters.get("EventBusName", "default")).rpartition("/")[2])
    rule = bus.rules.get(request.parameters.get("Rule")) if bus else None
    held = {target["Id"] for target in rule.targets} if rule else set()
    held |= {target.get("Id") for target in request.parameters.get("Targets") or []}
    if len(held) > MOST_TARGETS:
        return "The requested resource exceeds the maximum number allowed."
    return None


RULES = (
    Rule(
        "managed_policy_size",
        ("iam.CreatePolicy", "iam.CreatePolicyVersion"),
        f"A managed policy of more than {MOST_MANAGED} characters, white space not counted",
        "LimitExceeded",
        _IAM,
        _managed,
        409,
    ),
    Rule(
        "inline_policies_size",
        ("iam.PutRolePolicy",),
        f"A role's inline policies of more than {MOST_INLINE} characters together",
        "LimitExceeded",
        _IAM,
        _inline,
        409,
    ),
    Rule(
        "trust_policy_size",
        ("iam.CreateRole", "iam.UpdateAssumeRolePolicy"),
        f"A trust policy of more than {MOST_TRUST} characters",
        "LimitExceeded",
        _IAM,
        _trust,
        409,
    ),
    Rule(
        "policies_of_a_role",
        ("iam.AttachRolePolicy",),
        f"More than {MOST_ATTACHED} managed policies of a role",
        "LimitExceeded",
        _IAM,
        _attached,
        409,
    ),
    Rule(
        "bucket_policy_size",
        ("s3.PutBucketPolicy",),
        "A bucket's policy over 20 KiB",
        "PolicyTooLarge",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html",
        _bucket_policy,
    ),
    Rule(
        "topic_policy_size",
        ("sns.CreateTopic", "sns.SetTopicAttributes"),
        "A topic's policy over 30 KiB",
        "InvalidParameter",
        "https://docs.aws.amazon.com/general/latest/gr/sns.html",
        _topic_policy,
    ),
    Rule(
        "targets_of_an_event_rule",
        ("events.PutTargets",),
        f"More than {MOST_TARGETS} targets of a rule",
        "LimitExceededException",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
        _targets,
    ),
)
