"""What the policies of an environment must allow and refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.tools.iam import Simulation

ACCOUNT, REGION = "123456789012", "us-east-1"
OTHER = "999999999999"
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Question:
    """A request, and whether the document must allow it."""

    allowed: bool
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    service: str = ""

    def answer(self, document: Mapping[str, Any]) -> bool:
        """What a policy, a trust policy (with `service`), or a bucket's policy (with principals) says."""
        if self.service:
            simulation = Simulation.of_trust(document, self.service)
        elif any("Principal" in statement for statement in document["Statement"]):
            simulation = Simulation([ANYTHING], resource_policy=document)
        else:
            simulation = Simulation([document])
        return simulation.allows(self.action, self.resource, self.context)


Questions = dict[str, list[Question]]


def bucket(name: str, prefix: str, account: str | None = None) -> list[Question]:
    """Read and write below the prefix, list it, delete nothing; in this account alone where it made the bucket."""
    arn = f"arn:aws:s3:::{name}"
    own, theirs = ({"aws:ResourceAccount": one} for one in (account or ACCOUNT, OTHER))

    def below(text: str, owner: Mapping[str, str] = own) -> dict[str, str]:
        return {"s3:prefix": text, **owner}

    return [
        *(
            Question(allowed, f"s3:{verb}Object", f"{arn}{path}", owner)
            for verb in ("Get", "Put")
            for path, owner, allowed in (
                (f"/{prefix}/a/b.parquet", own, True),
                (f"/{prefix}/a", theirs, not account),
                (f"/{prefix}x/a", own, False),
                (f"-other/{prefix}/a", own, False),
            )
        ),
        Question(False, "s3:DeleteObject", f"{arn}/{prefix}/a", own),
        Question(False, "s3:DeleteObjectVersion", f"{arn}/{prefix}/a", own),
        Question(False, "s3:PutObjectAcl", f"{arn}/{prefix}/a", own),
        Question(True, "s3:ListBucket", arn, below(f"{prefix}/")),
        Question(True, "s3:ListBucket", arn, below(f"{prefix}/a/")),
        Question(not account, "s3:ListBucket", arn, below(f"{prefix}/", theirs)),
        *(Question(False, "s3:ListBucket", arn, below(text)) for text in (prefix, f"{prefix}x", "")),
        Question(False, "s3:ListBucket", arn, own),
        Question(False, "s3:ListBucket", f"{arn}-other", below(f"{prefix}/")),
        Question(False, "s3:DeleteBucket", arn, own),
    ]


def watching(environment: str, region: str = REGION) -> list[Question]:
    """See the fleets, their tasks and logs, and change none of them."""
    ecs, logs = f"arn:aws:ecs:{region}:{ACCOUNT}", f"arn:aws:logs:{region}:{ACCOUNT}:log-group"
    service, task = (
        f"{ecs}:service/{environment}-workers/simulations",
        f"{ecs}:task/{environment}-workers/0123",
    )
    cluster = f"{ecs}:cluster/{environment}-workers"
    group = f"{logs}:/scythe/{environment}/simulations:log-stream:"
    others = f"{environment}-others-workers"
    return [
        Question(True, "ecs:DescribeServices", service),
        Question(True, "ecs:DescribeTasks", task),
        Question(False, "ecs:DescribeServices", service.replace(f"{environment}-workers", others)),
        Question(False, "ecs:DescribeTasks", task.replace(f"{environment}-workers", others)),
        Question(True, "ecs:ListTasks", "*", {"ecs:cluster": cluster}),
        Question(False, "ecs:ListTasks", "*", {"ecs:cluster": cluster.replace(environment, "others")}),
        Question(True, "application-autoscaling:DescribeScalableTargets", "*"),
        Question(False, "application-autoscaling:RegisterScalableTarget", "*"),
        Question(True, "logs:FilterLogEvents", group),
        Question(False, "logs:FilterLogEvents", group.replace(environment, f"{environment}-others")),
        Question(False, "logs:DeleteLogGroup", group),
        *(
            Question(False, f"ecs:{action}", resource)
            for action, resource in (("UpdateService", service), ("StopTask", task), ("ExecuteCommand", task))
        ),
    ]


def secret(*arns: str) -> list[Question]:
    """Read some secrets."""
    return [
        *(Question(True, "secretsmanager:GetSecretValue", arn) for arn in arns),
        Question(False, "secretsmanager:GetSecretValue", arns[0].replace(":secret:", ":secret:other-")),
        *(Question(False, "secretsmanager:PutSecretValue", arn) for arn in arns),
        *(Question(False, "secretsmanager:DeleteSecret", arn) for arn in arns),
    ]


def parameter(arn: str) -> list[Question]:
    """Read one parameter."""
    return [
        Question(True, "ssm:GetParameters", arn),
        Question(False, "ssm:GetParameters", arn + "-other"),
        Question(False, "ssm:PutParameter", arn),
    ]


def image(*repositories: str) -> list[Question]:
    """Pull from some repositories."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return [
        *(Question(True, action, repository) for action in pull for repository in repositories),
        *(Question(False, action, repositories[0] + "-other") for action in pull),
        Question(True, "ecr:GetAuthorizationToken", "*"),
        Question(False, "ecr:PutImage", repositories[0]),
        Question(False, "ecr:BatchDeleteImage", repositories[0]),
    ]


def log_in() -> list[Question]:
    """Log in to ECR, as every fleet may, and pull nothing."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    anything = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/everything/worker"
    return [
        Question(True, "ecr:GetAuthorizationToken", "*"),
        *(Question(False, action, anything) for action in [*pull, "ecr:PutImage"]),
    ]


def log(group: str, region: str = REGION) -> list[Question]:
    """Write to one log group."""
    arn = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}"
    stream = f"{arn}:log-stream:worker/worker/1"
    return [
        Question(True, "logs:CreateLogStream", stream),
        Question(True, "logs:PutLogEvents", stream),
        Question(False, "logs:CreateLogStream", stream.replace(group, f"{group}-other")),
        Question(False, "logs:PutLogEvents", stream.replace(group, f"{group}-other")),
        Question(False, "logs:DeleteLogStream", stream),
        Question(False, "logs:CreateLogGroup", arn),
    ]


def shell() -> list[Question]:
    """Open ECS Exec's channels, and no other session."""
    names = ["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"]
    return [
        *(Question(True, f"ssmmessages:{name}", "*") for name in names),
        Question(False, "ssm:StartSession", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0"),
    ]


def flow_log(group: str, region: str = REGION) -> list[Question]:
    """Write flow logs to one group."""
    arn = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}"
    return [
        *log(group, region),
        Question(True, "logs:DescribeLogStreams", arn),
        Question(False, "logs:DescribeLogStreams", f"{arn}-other"),
        Question(True, "logs:DescribeLogGroups", "*"),
    ]


def trust(service: str, arn: str, other_arn: str) -> list[Question]:
    """One service assumes the role, for this account's resources of one kind."""
    role = f"arn:aws:iam::{ACCOUNT}:role/asked"

    def asked(allowed: bool, source: str, account: str, who: str = service) -> Question:
        context = {"aws:SourceArn": source, "aws:SourceAccount": account}
        return Question(allowed, "sts:AssumeRole", role, context, who)

    return [
        asked(True, arn, ACCOUNT),
        asked(False, arn, OTHER),
        asked(False, other_arn, ACCOUNT),
        asked(False, arn, ACCOUNT, "lambda.amazonaws.com"),
        Question(False, "sts:AssumeRole", role, {}, service),
    ]


def task_trust(region: str = REGION) -> list[Question]:
    """ECS, for tasks of this account and region."""
    arn = f"arn:aws:ecs:{region}:{ACCOUNT}:task/workers/1"
    return trust("ecs-tasks.amazonaws.com", arn, arn.replace(region, "eu-central-1"))


def tls_only(name: str) -> list[Question]:
    """The bucket takes no plain HTTP, from anyone."""
    arn = f"arn:aws:s3:::{name}"
    plain, secure = {"aws:SecureTransport": "false"}, {"aws:SecureTransport": "true"}
    return [
        *(Question(True, f"s3:{verb}Object", f"{arn}/a", secure) for verb in ("Get", "Put")),
        *(Question(False, f"s3:{verb}Object", f"{arn}/a", plain) for verb in ("Get", "Put", "Delete")),
        Question(True, "s3:ListBucket", arn, secure),
        Question(False, "s3:ListBucket", arn, plain),
    ]


def metrics(namespace: str) -> list[Question]:
    """Publish metrics in one namespace."""

    def put(allowed: bool, context: Mapping[str, str]) -> Question:
        return Question(allowed, "cloudwatch:PutMetricData", "*", context)

    return [
        put(True, {"cloudwatch:namespace": namespace}),
        put(False, {"cloudwatch:namespace": f"{namespace}-other"}),
        put(False, {"cloudwatch:namespace": "AWS/ECS"}),
        put(False, {}),
        Question(False, "cloudwatch:PutMetricAlarm", "*", {"cloudwatch:namespace": namespace}),
    ]


def rollout(environment: str, *services: str, region: str = REGION) -> list[Question]:
    """See the fleets' services by name, and the tasks of their cluster; change none."""
    ecs = f"arn:aws:ecs:{region}:{ACCOUNT}"
    cluster, task = f"{environment}-workers", f"{ecs}:task/{environment}-workers/0123"
    arns = [f"{ecs}:service/{cluster}/{service}" for service in services]
    own = {"ecs:cluster": f"{ecs}:cluster/{cluster}"}
    other = {"ecs:cluster": f"{ecs}:cluster/{environment}-hatchet"}
    return [
        *(Question(True, "ecs:DescribeServices", arn, own) for arn in arns),
        *(Question(False, "ecs:DescribeServices", arn, other) for arn in arns),
        Question(False, "ecs:DescribeServices", f"{ecs}:service/{cluster}/backlog", own),
        Question(False, "ecs:DescribeServices", f"{arns[0]}-other", own),
        Question(True, "ecs:DescribeTasks", task, own),
        Question(False, "ecs:DescribeTasks", task, other),
        Question(False, "ecs:DescribeTasks", task.replace("workers", "hatchet"), other),
        Question(False, "ecs:DescribeTasks", task.replace("workers", "hatchet"), own),
        Question(False, "ecs:ListTasks", "*", own),
        *(
            Question(False, f"ecs:{action}", resource, own)
            for action, resource in (
                ("UpdateService", arns[0]), ("StopTask", task), ("UpdateTaskProtection", task), ("ExecuteCommand", task),
            )
        ),
    ]  # fmt: skip


def backlog(environment: str, *services: str, token: str, repository: str, region: str = REGION) -> Questions:
    """What the backlog service has: two roles, an image, a log, the token, its metrics, the sight of the fleets."""
    return {
        "aws_iam_role.backlog_execution": task_trust(region),
        "aws_iam_role.backlog_task": task_trust(region),
        "aws_iam_role_policy.backlog_execution_image": image(repository),
        "aws_iam_role_policy.backlog_execution_log": log(f"/scythe/{environment}/backlog", region),
        "aws_iam_role_policy.backlog_execution_token": secret(token),
        "aws_iam_role_policy.backlog_task_metrics": metrics(f"Scythe/{environment}"),
        "aws_iam_role_policy.backlog_task_rollout": rollout(environment, *services, region=region),
    }


def protection(fleet: str, environment: str, region: str = REGION) -> list[Question]:
    """Protect tasks of the own fleet from scale-in."""
    ecs = f"arn:aws:ecs:{region}:{ACCOUNT}"
    task, other = (f"{ecs}:task/{environment}-{cluster}/0123" for cluster in ("workers", "hatchet"))
    own, others = (
        {"ecs:cluster": f"{ecs}:cluster/{environment}-{cluster}", "aws:ResourceTag/scythe:fleet": fleet}
        for cluster in ("workers", "hatchet")
    )
    untagged = {"ecs:cluster": own["ecs:cluster"]}
    return [
        *(
            Question(False, f"ecs:{verb}TaskProtection", task, context)
            for verb in ("Get", "Update")
            for context in (untagged, {**own, "aws:ResourceTag/scythe:fleet": f"{fleet}-other"})
        ),
        *(
            Question(cluster is own and resource == task, f"ecs:{verb}TaskProtection", resource, cluster)
            for verb in ("Get", "Update")
            for cluster in (own, others)
            for resource in (task, other)
        ),
        Question(False, "ecs:UpdateTaskProtection", task),
        Question(False, "ecs:StopTask", task, own),
    ]


def fleet(
    name: str, environment: str, *, results: list[Question], token: str, region: str = REGION
) -> Questions:
    """What each fleet has: two roles, a log, the bucket, the token, its tasks' protection."""
    return {
        f"aws_iam_role.{name}_execution": task_trust(region),
        f"aws_iam_role.{name}_task": task_trust(region),
        f"aws_iam_role_policy.{name}_task_bucket": results,
        f"aws_iam_role_policy.{name}_task_protection": protection(name, environment, region),
        f"aws_iam_role_policy.{name}_execution_log": log(f"/scythe/{environment}/{name}", region),
        f"aws_iam_role_policy.{name}_execution_token": secret(token),
    }
