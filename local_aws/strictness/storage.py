"""S3 and log groups: what their models do not say."""

from __future__ import annotations

import json
from typing import Any

from local_aws.strictness.rule import Request, Rule

_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/API"
_LIFECYCLE = f"{_S3}/API_PutBucketLifecycleConfiguration.html"

LONGEST_RULE_ID = 255
AFTER_DAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
"""Days before S3 moves an object to a storage class."""

RETENTION_DAYS = (
    *(
        1,
        3,
        5,
        7,
        14,
        30,
        60,
        90,
        120,
        150,
        180,
        365,
        400,
        545,
        731,
        1096,
        1827,
        2192,
        2557,
        2922,
        3288,
        3653,
    ),
)


def _rules(request: Request) -> list[Any]:
    return list((request.parameters.get("LifecycleConfiguration") or {}).get("Rules") or [])


def _rule_id(request: Request) -> str | None:
    ids = [rule["ID"] for rule in _rules(request) if rule.get("ID")]
    if len(set(ids)) < len(ids):
        return "Rule ID must be unique. Found same ID for more than one rule"
    if any(len(name) > LONGEST_RULE_ID for name in ids):
        return f"ID length should not exceed allowed limit of {LONGEST_RULE_ID}"
    return None


_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)


def _idle_rule(request: Request) -> str | None:
    if all(any(rule.get(action) for action in _ACTIONS) for rule in _rules(request)):
        return None
    return "At least one action needs to be specified in a rule"


def _days(request: Request) -> str | None:
    """Days that S3 does not take, of expirations and transitions."""
    for rule in _rules(request):
        expires = (rule.get("Expiration") or {}).get("Days")
        if expires is not None and expires <= 0:
            return "'Days' for Expiration action must be a positive integer"
        for transition in rule.get("Transitions") or []:
            days, kind = transition.get("Days", 0), transition.get("StorageClass")
            if days < AFTER_DAYS.get(kind, 0):
                return (
                    "'Days' in Transition action must be greater than or equal to "
                    f"{AFTER_DAYS[kind]} for storageClass '{kind}'"
                )
            if expires is not None and expires <= days:
                return "'Days' in the Expiration action must be greater than 'Days' in the Transition action"
        for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
            item = rule.get(name) or {}
            value = item.get("NoncurrentDays", item.get("DaysAfterInitiation", 1))
            if value <= 0:
                return f"'Days' for {name} action must be a positive integer"
    return None


def _versioning(request: Request) -> str | None:
    status = (request.parameters.get("VersioningConfiguration") or {}).get("Status")
    if status in ("Enabled", "Suspended"):
        return None
    return "The Versioning element must be specified"


def _policy(request: Request) -> str | None:
    text = request.parameters.get("Policy") or ""
    try:
        document = json.loads(text)
    except ValueError:
        return "Policies must be valid JSON and the first byte must be '{'"
    bucket = request.parameters.get("Bucket")
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    for statement in statements if isinstance(statements, list) else [statements]:
        if not statement.get("Principal") and not statement.get("NotPrincipal"):
            return "Missing required field Principal"
        resources = statement.get("Resource", [])
        for resource in resources if isinstance(resources, list) else [resources]:
            if resource != "*" and resource.rpartition(":")[2].partition("/")[0] not in (bucket, "*"):
                return "Policy has invalid resource"
    return None


def _retention(request: Request) -> str | None:
    days = request.parameters.get("retentionInDays")
    if days is None or days in RETENTION_DAYS:
        return None
    allowed = ", ".join(str(day) for day in RETENTION_DAYS)
    return (
        f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must "
        f"satisfy enum value set: [{allowed}]"
    )


RULES = (
    Rule(
        "lifecycle_rule_id",
        ("s3.PutBucketLifecycleConfiguration",),
        f"An ID of two lifecycle rules, or over {LONGEST_RULE_ID} characters",
        "InvalidArgument",
        _LIFECYCLE,
        _rule_id,
    ),
    Rule(
        "lifecycle_rule_without_action",
        ("s3.PutBucketLifecycleConfiguration",),
        "A lifecycle rule without an action",
        "InvalidRequest",
        _LIFECYCLE,
        _idle_rule,
    ),
    Rule(
        "days_of_a_lifecycle_rule",
        ("s3.PutBucketLifecycleConfiguration",),
        "No day, fewer than 30 before a class for infrequent access, or an expiration that does not come after the "
        "transition",
        "InvalidArgument",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html",
        _days,
    ),
    Rule(
        "versioning_status",
        ("s3.PutBucketVersioning",),
        "A versioning status other than Enabled and Suspended",
        "IllegalVersioningConfigurationException",
        f"{_S3}/API_PutBucketVersioning.html",
        _versioning,
    ),
    Rule(
        "bucket_policy",
        ("s3.PutBucketPolicy",),
        "A bucket's policy that is no JSON, has a statement without a principal, or is about another bucket",
        "MalformedPolicy",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html",
        _policy,
    ),
    Rule(
        "log_retention",
        ("logs.PutRetentionPolicy",),
        "A number of days that CloudWatch Logs does not have",
        "InvalidParameterException",
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
        _retention,
    ),
)
