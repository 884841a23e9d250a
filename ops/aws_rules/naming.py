"""What things may be called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ops.aws_rules.planned import Found, Planned, Rule

SECURITY_GROUP_TEXT = r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}"

NAMES: Mapping[tuple[str, str], str] = {
    ("aws_appautoscaling_policy", "name"): r"[^\x00-\x1f]{1,256}",
    (
        "aws_appautoscaling_scheduled_action",
        "name",
    ): r"(?! )[^\x00-\x1f\x7f-\x9f:/|]{0,255}[^\x00-\x1f\x7f-\x9f:/| ]",
    ("aws_autoscaling_group", "name"): r"[^:\x00-\x1f]{1,255}",
    ("aws_cloudwatch_metric_alarm", "alarm_description"): r"[^\x00]{0,1024}",
    ("aws_cloudwatch_metric_alarm", "alarm_name"): r"[^\x00-\x1f]{1,255}",
    ("aws_cloudwatch_log_group", "name"): r"[.\-_/#A-Za-z0-9]{1,512}",
    (
        "aws_ecr_repository",
        "name",
    ): r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
    ("aws_ecs_cluster", "name"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_ecs_service", "name"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_ecs_task_definition", "family"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_iam_policy", "description"): r"[^\x00]{0,1000}",
    ("aws_iam_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_iam_role", "name"): r"[\w+=,.@-]{1,64}",
    ("aws_iam_role_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_launch_template", "name"): r"[a-zA-Z0-9().\-/_]{3,128}",
    ("aws_network_interface", "description"): r"[\x20-\x7e]{0,255}",
    ("aws_s3_bucket", "bucket"): r"(?!.*\.\.)(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    ("aws_secretsmanager_secret", "name"): r"[A-Za-z0-9/_+=.@-]{1,512}",
    ("aws_secretsmanager_secret", "description"): r".{0,2048}",
    ("aws_security_group", "description"): SECURITY_GROUP_TEXT,
    ("aws_security_group", "name"): rf"(?!sg-){SECURITY_GROUP_TEXT}",
    ("aws_vpc_security_group_egress_rule", "description"): SECURITY_GROUP_TEXT,
    ("aws_vpc_security_group_ingress_rule", "description"): SECURITY_GROUP_TEXT,
}
"""By type and argument, what AWS takes."""


def names(planned: Planned) -> Found:
    """Names and descriptions have only the characters, and as many, as AWS takes.

    Application Auto Scaling API ``PutScheduledAction`` (ScheduledActionName), ``PutScalingPolicy``; Amazon CloudWatch
    API ``PutMetricAlarm``; Amazon EC2 Auto Scaling API
    ``CreateAutoScalingGroup``; CloudWatch Logs API ``CreateLogGroup``; Amazon ECR API ``CreateRepository``; Amazon
    ECS API ``CreateCluster``, ``CreateService``, ``RegisterTaskDefinition``; IAM API ``CreateRole`` (64),
    ``CreatePolicy``, ``PutRolePolicy`` (128); Amazon EC2 API ``CreateLaunchTemplate``, ``CreateSecurityGroup``,
    ``IpPermission``; Secrets Manager API ``CreateSecret``; Amazon S3 User Guide, "General purpose bucket naming
    rules".
    """
    for (kind, argument), pattern in NAMES.items():
        for resource in planned.of(kind):
            name = resource.get(argument)
            if isinstance(name, str) and not re.fullmatch(pattern, name):
                yield resource, f"{argument} is {name!r}; must match {pattern}"


def tags(planned: Planned) -> Found:
    """At most 50 tags, keys of 128 and values of 256 characters, no key that begins with ``aws:``.

    Tagging AWS Resources User Guide, "Tag naming limits and requirements"; the characters are those of IAM User
    Guide, "Tags for AWS Identity and Access Management resources", which all other services take.
    """
    for resource in planned.having("tags_all"):
        tags = resource.get("tags_all")
        if len(tags) > 50:
            yield resource, f"has {len(tags)} tags; must have at most 50"
        for key, value in tags.items():
            if not re.fullmatch(r"(?!(?i:aws:))[\w\s.:/=+@-]{1,128}", key):
                yield (
                    resource,
                    f"has the tag {key!r}; must be 1 to 128 letters, digits and _.:/=+-@, not aws:",
                )
            if value is not None and not re.fullmatch(r"[\w\s.:/=+@-]{0,256}", value):
                yield resource, f"tag {key} is {value!r}; must be at most 256 letters, digits and _.:/=+-@"


def tag_keys_in_iam(planned: Planned) -> Found:
    """Tag keys of IAM's resources differ in more than case.

    IAM User Guide, "Tags for AWS Identity and Access Management resources": keys are case insensitive.
    """
    for resource in planned.of("aws_iam_role", "aws_iam_policy"):
        keys = [key.lower() for key in resource.get("tags_all") or {}]
        if len(set(keys)) < len(keys):
            yield resource, f"has tags whose keys differ only in case: {', '.join(sorted(keys))}"


def log_retention(planned: Planned) -> Found:
    """Logs are kept for one of the numbers of days that CloudWatch has.

    Amazon CloudWatch Logs API Reference, ``PutRetentionPolicy``.
    """
    allowed = {0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
               3288, 3653}  # fmt: skip
    for resource in planned.of("aws_cloudwatch_log_group"):
        days = resource.get("retention_in_days")
        if days is not None and days not in allowed:
            yield resource, f"retention_in_days is {days}; must be one of {sorted(allowed)}"


RULES: tuple[Rule, ...] = (names, tags, tag_keys_in_iam, log_retention)
