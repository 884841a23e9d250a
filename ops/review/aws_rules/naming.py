"""What things may be called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ops.review.aws_rules.planned import Found, Planned, Rule

SECURITY_GROUP_TEXT = r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}"

HYPHENATED = r"(?!.*--)(?!.*-$)[A-Za-z][A-Za-z0-9-]"
LABEL = r"(?:[a-zA-Z0-9_][a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])"
LABELS = rf"{LABEL}(?:\.{LABEL})*"

NAMES: Mapping[tuple[str, str], str] = {
    ("aws_appautoscaling_policy", "name"): r"[^\x00-\x1f]{1,256}",
    (
        "aws_appautoscaling_scheduled_action",
        "name",
    ): r"(?! )[^\x00-\x1f\x7f-\x9f:/|]{0,255}[^\x00-\x1f\x7f-\x9f:/| ]",
    ("aws_autoscaling_group", "name"): r"[^:\x00-\x1f]{1,255}",
    ("aws_budgets_budget", "name"): r"(?!.*/action/)[^:\\]{1,100}",
    ("aws_cloudwatch_event_rule", "description"): r".{0,512}",
    ("aws_cloudwatch_event_rule", "name"): r"[.\-_A-Za-z0-9]{1,64}",
    ("aws_cloudwatch_metric_alarm", "alarm_description"): r"[^\x00]{0,1024}",
    ("aws_cloudwatch_metric_alarm", "alarm_name"): r"[^\x00-\x1f]{1,255}",
    ("aws_cloudwatch_log_group", "name"): r"[.\-_/#A-Za-z0-9]{1,512}",
    ("aws_db_instance", "db_name"): r"[A-Za-z][A-Za-z0-9_]{0,62}",
    ("aws_db_instance", "final_snapshot_identifier"): HYPHENATED + "{0,254}",
    ("aws_db_instance", "identifier"): HYPHENATED + "{0,62}",
    ("aws_db_instance", "username"): r"[A-Za-z][A-Za-z0-9_]{0,15}",
    ("aws_db_parameter_group", "name"): HYPHENATED + "{0,254}",
    ("aws_db_subnet_group", "name"): r"(?!default$)[A-Za-z][A-Za-z0-9._ -]{0,254}",
    (
        "aws_ecr_repository",
        "name",
    ): r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
    ("aws_ecs_cluster", "name"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_ecs_service", "name"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_ecs_task_definition", "family"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_efs_file_system", "creation_token"): r"[\x00-\x7f]{1,64}",
    ("aws_iam_policy", "description"): r"[^\x00]{0,1000}",
    ("aws_iam_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_iam_role", "name"): r"[\w+=,.@-]{1,64}",
    ("aws_iam_role_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_launch_template", "name"): r"[a-zA-Z0-9().\-/_]{3,128}",
    ("aws_lb", "name"): r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)",
    ("aws_lb_target_group", "name"): r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)",
    ("aws_mq_broker", "broker_name"): r"[A-Za-z0-9~_-]{1,50}",
    ("aws_network_interface", "description"): r"[\x20-\x7e]{0,255}",
    (
        "aws_s3_bucket",
        "bucket",
    ): r"(?!.*\.\.)(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    ("aws_secretsmanager_secret", "name"): r"[A-Za-z0-9/_+=.@-]{1,512}",
    ("aws_secretsmanager_secret", "description"): r".{0,2048}",
    ("aws_security_group", "description"): SECURITY_GROUP_TEXT,
    ("aws_security_group", "name"): rf"(?!sg-){SECURITY_GROUP_TEXT}",
    ("aws_service_discovery_private_dns_namespace", "name"): rf"(?!arn:)(?=.{{1,253}}$){LABELS}",
    ("aws_service_discovery_service", "name"): rf"(?=.{{1,127}}$){LABELS}",
    ("aws_sns_topic", "name"): r"[A-Za-z0-9_-]{1,256}",
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
    rules"; Elastic Load Balancing API ``CreateLoadBalancer``, ``CreateTargetGroup`` (32); Amazon RDS API
    ``CreateDBInstance``, ``CreateDBSnapshot``, ``CreateDBParameterGroup``, ``CreateDBSubnetGroup``; Amazon EFS API
    ``CreateFileSystem``; AWS Cloud Map API ``CreatePrivateDnsNamespace``, ``CreateService``; Amazon SNS API
    ``CreateTopic``; Amazon EventBridge API ``PutRule`` (64); AWS Budgets API ``Budget``.
    """
    for (kind, argument), pattern in NAMES.items():
        for resource in planned.of(kind):
            name = resource.get(argument)
            if isinstance(name, str) and not re.fullmatch(pattern, name):
                yield resource, f"{argument} is {name!r}; must match {pattern}"


def secret_names(planned: Planned) -> Found:
    """A secret's name does not look as if it ended with what Secrets Manager adds to it in ARNs.

    AWS Secrets Manager API Reference, ``CreateSecret``: no hyphen followed by six characters at its end.
    """
    for secret in planned.of("aws_secretsmanager_secret"):
        if re.search(r"-[A-Za-z0-9]{6}$", secret.get("name") or ""):
            yield secret, f"name is {secret.get('name')!r}; must not end with a hyphen and six characters"


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


RULES: tuple[Rule, ...] = (names, secret_names, tags, tag_keys_in_iam, log_retention)
