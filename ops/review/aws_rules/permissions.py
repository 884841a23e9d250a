"""How large policies may be, and other limits of IAM, S3 and EC2."""

from __future__ import annotations

import json
from collections import defaultdict

from ops.review.aws_rules.planned import Found, Planned, Resource, Rule, document

INLINE, MANAGED, TRUST, BUCKET = 10_240, 6_144, 2_048, 20 * 1024


def policy_sizes(planned: Planned) -> Found:
    """Policies fit: 10,240 characters of inline policies to a role, 6,144 of a managed one, 2,048 of trust.

    IAM User Guide, "IAM and AWS STS quotas": white space is not counted; Amazon S3 User Guide, "Bucket policies"
    (20 KB).
    """
    inline: dict[str, list[Resource]] = defaultdict(list)
    for resource in planned.of("aws_iam_role_policy"):
        if (role := resource.get("role")) is not None:
            inline[role].append(resource)
    for role, policies in inline.items():
        size = sum(_size(policy.get("policy")) for policy in policies)
        if size > INLINE:
            yield (
                policies[0],
                f"role {role} has {size} characters of inline policies; must be at most {INLINE}",
            )
    for kind, argument, most in (
        ("aws_iam_policy", "policy", MANAGED),
        ("aws_iam_role", "assume_role_policy", TRUST),
        ("aws_s3_bucket_policy", "policy", BUCKET),
    ):
        for resource in planned.of(kind):
            if (size := _size(resource.get(argument))) > most:
                yield resource, f"{argument} has {size} characters; must be at most {most}"


def _size(policy: object) -> int:
    return len(json.dumps(document(policy), separators=(",", ":")))


def lifecycle_days(planned: Planned) -> Found:
    """What is archived is so before it is deleted, and a rule that is on does something.

    Amazon S3 User Guide, "Lifecycle configuration elements": a Days value over 0, expiration later than
    transition.
    """
    for resource in planned.of("aws_s3_bucket_lifecycle_configuration"):
        on = [rule for rule in resource.blocks("rule") if rule.get("status") == "Enabled"]
        moved = [item["days"] for rule in on for item in rule.get("transition") or [] if item.get("days")]
        gone = [item["days"] for rule in on for item in rule.get("expiration") or [] if item.get("days")]
        if moved and gone and max(moved) >= min(gone):
            yield resource, f"archives after {max(moved)} days, deletes after {min(gone)}; must archive first"
        if len(on) > 1000:
            yield resource, f"has {len(on)} rules; must have at most 1000"


def user_data(planned: Planned) -> Found:
    """User data is at most 16 KB before it is encoded.

    Amazon EC2 User Guide, "Run commands when you launch an EC2 instance with user data input".
    """
    for resource in planned.of("aws_launch_template"):
        size = len(resource.get("user_data") or "") * 3 // 4
        if size > 16 * 1024:
            yield resource, f"user_data has {size} bytes; must have at most 16384"


RULES: tuple[Rule, ...] = (policy_sizes, lifecycle_days, user_data)
