"""What the policies of a self-hosted engine must allow and refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.deployments import iam_questions as ask
from tests.deployments.conftest import Run
from tests.deployments.iam_questions import ACCOUNT, OTHER, Question, Questions

IMAGES = {
    "api": ["hatchet-api"],
    "dashboard": ["hatchet-frontend"],
    "engine": ["hatchet-engine"],
    "rabbitmq": ["rabbitmq"],
    "setup": ["aws-cli", "hatchet-admin", "hatchet-migrate", "postgres"],
}


@dataclass(frozen=True)
class Engine:
    """A self-hosted engine.

    Attributes:
        run: its environment's.
        region: where it is.
    """

    run: Run
    region: str

    @property
    def _at(self) -> str:
        return f"{self.region}:{ACCOUNT}"

    def arn(self, part: str, address: str) -> str:
        """The ARN of a resource."""
        resources = self.run.plan(part)["planned_values"]["root_module"]["resources"]
        arn: str = next(each["values"]["arn"] for each in resources if each["address"] == address)
        return arn

    def secret(self, name: str) -> str:
        """The ARN of one of its secrets."""
        return self.arn("hatchet", f"aws_secretsmanager_secret.{name}")

    def service(
        self, name: str, *, reads: Sequence[str] = (), from_ecr: bool = False, index: str = ""
    ) -> Questions:
        """What each of its services has: two roles, the log, and by need secrets and images."""
        group = f"/scythe/{self.run.name}/hatchet"
        repositories = [
            f"arn:aws:ecr:{self._at}:repository/{self.run.name}/{image}" for image in IMAGES[name]
        ]
        questions = {
            f"aws_iam_role.{name}_execution{index}": ask.task_trust(self.region),
            f"aws_iam_role.{name}_task{index}": ask.task_trust(self.region),
            f"aws_iam_role_policy.{name}_execution_log{index}": ask.log(group, self.region),
        }
        if reads:
            questions[f"aws_iam_role_policy.{name}_execution_secrets{index}"] = ask.secret(*reads)
        if from_ecr:
            questions[f"aws_iam_role_policy.{name}_execution_image[0]"] = ask.image(*repositories)
        return questions

    def set_up(self, token: str) -> Questions:
        """Fill its three secrets, watch over the token's versions, start the workers anew."""
        return {
            "aws_iam_role_policy.setup_task_keep": self._keep(token),
            "aws_iam_role_policy.setup_task_roll_workers": self._roll(),
        }

    def _keep(self, token: str) -> list[Question]:
        filled = [self.secret("admin"), self.secret("keys"), token]
        other = self.secret("database_password")
        read_and_write = [f"secretsmanager:{verb}SecretValue" for verb in ("Get", "Put")]
        versions = [f"secretsmanager:{verb}" for verb in ("ListSecretVersionIds", "UpdateSecretVersionStage")]
        return [
            *(Question(True, action, arn) for action in read_and_write for arn in filled),
            *(Question(False, action, other) for action in [*read_and_write, *versions]),
            *(Question(True, action, token) for action in versions),
            *(Question(False, action, arn) for action in versions for arn in filled[:2]),
            *(Question(False, "secretsmanager:DeleteSecret", arn) for arn in filled),
            Question(False, "secretsmanager:UpdateSecret", token),
        ]

    def _roll(self) -> list[Question]:
        services = f"arn:aws:ecs:{self._at}:service/{self.run.name}"
        cluster = f"arn:aws:ecs:{self._at}:cluster/{self.run.name}-workers"
        actions = ["ecs:DescribeServices", "ecs:UpdateService"]
        return [
            *(Question(True, action, f"{services}-workers/simulations") for action in actions),
            Question(True, "ecs:DescribeServices", f"{services}-hatchet/engine"),
            Question(True, "ecs:DescribeServices", f"{services}-hatchet/api"),
            Question(False, "ecs:DescribeServices", f"{services}-hatchet/dashboard"),
            Question(False, "ecs:UpdateService", f"{services}-hatchet/engine"),
            *(
                Question(False, "ecs:UpdateService", f"{services}-workers/simulations", changed)
                for changed in (
                    {"ecs:task-definition": f"arn:aws:ecs:{self._at}:task-definition/foreign:1"},
                    {"ecs:enable-execute-command": "true"},
                )
            ),
            Question(True, "ecs:DescribeTaskDefinition", "*"),
            *(Question(False, action, f"{services}-workers-other/simulations") for action in actions),
            Question(True, "ecs:ListServices", "*", {"ecs:cluster": cluster}),
            Question(False, "ecs:ListServices", "*", {"ecs:cluster": f"{cluster}-other"}),
            Question(False, "ecs:ListServices", "*"),
            Question(False, "ecs:DeleteService", f"{services}-workers/simulations"),
            Question(False, "ecs:CreateService", f"{services}-workers/simulations"),
            Question(
                False,
                "iam:PassRole",
                f"arn:aws:iam::{ACCOUNT}:role/{self.run.name}-simulations-task",
                {"iam:PassedToService": "ecs-tasks.amazonaws.com"},
            ),
        ]

    def access_logs(self) -> Questions:
        """Elastic Load Balancing writes this account's logs, and nobody speaks in the clear."""
        name = f"{self.run.name}-lb-logs-{ACCOUNT}-{self.region}"
        written = (
            f"arn:aws:s3:::{name}/hatchet/AWSLogs/{ACCOUNT}/elasticloadbalancing/{self.region}/2026/01/01/log"
        )
        balancer = f"arn:aws:elasticloadbalancing:{self._at}:loadbalancer/app/{self.run.name}-hatchet/1"

        def asked(
            allowed: bool, key: str = written, source: str = balancer, *, action: str = "PutObject",
            who: str = "logdelivery.elasticloadbalancing.amazonaws.com", tls: str = "true",
        ) -> Question:  # fmt: skip
            context = {"aws:SourceArn": source, "aws:SecureTransport": tls}
            return Question(allowed, f"s3:{action}", key, context, who)

        return {
            "aws_s3_bucket_policy.lb_logs": [
                asked(True),
                asked(False, written.replace(f"AWSLogs/{ACCOUNT}", f"AWSLogs/{OTHER}")),
                asked(False, written.replace("/hatchet/", "/other/")),
                asked(False, source=balancer.replace(ACCOUNT, OTHER)),
                asked(False, source=balancer.replace(self.region, "eu-central-1")),
                asked(False, action="GetObject"),
                asked(False, action="DeleteObject"),
                asked(False, who="delivery.logs.amazonaws.com"),
                asked(False, tls="false"),
                Question(
                    False, "s3:PutObject", written, {}, "logdelivery.elasticloadbalancing.amazonaws.com"
                ),
                *ask.tls_only(name),
            ]
        }

    def forwarding(self) -> Questions:
        """Sessions by one document through tasks of the engine's cluster, and what finds them."""
        cluster, other = (f"{self.run.name}-{name}" for name in ("hatchet", "workers"))
        tasks = f"arn:aws:ecs:{self._at}:task"
        documents = f"arn:aws:ssm:{self._at}:document"
        sessions = f"arn:aws:ssm:{self._at}:session"
        of_role = {"aws:userid": "AROAEXAMPLE:me@example.org"}
        of_user = {"aws:userid": "AIDAEXAMPLE", "aws:username": "me"}
        of_cluster = {"ecs:cluster": f"arn:aws:ecs:{self._at}:cluster/{cluster}"}
        of_other = {"ecs:cluster": f"arn:aws:ecs:{self._at}:cluster/{other}"}
        return {
            "aws_iam_policy.forward[0]": [
                Question(True, "ssm:StartSession", f"{tasks}/{cluster}/0123"),
                Question(False, "ssm:StartSession", f"{tasks}/{other}/0123"),
                *(
                    Question(
                        checked == "true",
                        "ssm:StartSession",
                        f"{tasks}/{cluster}/0123",
                        {"ssm:SessionDocumentAccessCheck": checked},
                    )
                    for checked in ("true", "false")
                ),
                Question(True, "ssm:StartSession", f"{documents}/AWS-StartPortForwardingSessionToRemoteHost"),
                Question(False, "ssm:StartSession", f"{documents}/AWS-StartSSHSession"),
                Question(True, "ssm:TerminateSession", f"{sessions}/AROAEXAMPLE:me@example.org-01", of_role),
                Question(True, "ssm:TerminateSession", f"{sessions}/me-01", of_user),
                Question(False, "ssm:TerminateSession", f"{sessions}/other-01", of_role),
                Question(False, "ssm:TerminateSession", f"{sessions}/other-01", of_user),
                Question(True, "ecs:DescribeTasks", f"{tasks}/{cluster}/0123"),
                Question(False, "ecs:DescribeTasks", f"{tasks}/{other}/0123"),
                Question(False, "ecs:StopTask", f"{tasks}/{cluster}/0123"),
                Question(False, "ecs:ExecuteCommand", f"{tasks}/{cluster}/0123"),
                Question(True, "ecs:ListTasks", "*", of_cluster),
                Question(False, "ecs:ListTasks", "*", of_other),
                Question(False, "ecs:ListTasks", "*"),
                Question(True, "elasticloadbalancing:DescribeLoadBalancers", "*"),
                Question(False, "elasticloadbalancing:DescribeListeners", "*"),
            ]
        }

    def files(self) -> Questions:
        """The broker mounts and writes its file system, through its access point alone and over TLS."""
        files = self.arn("hatchet", "aws_efs_file_system.rabbitmq[0]")
        point = self.arn("hatchet", "aws_efs_access_point.rabbitmq[0]")
        actions = [f"elasticfilesystem:Client{verb}" for verb in ("Mount", "Write")]
        through, plain = {"elasticfilesystem:AccessPointArn": point}, {"aws:SecureTransport": "false"}
        return {
            "aws_iam_role_policy.rabbitmq_task_files[0]": [
                *(Question(True, action, files, through) for action in actions),
                *(Question(False, action, files) for action in actions),
                *(
                    Question(False, action, files, {"elasticfilesystem:AccessPointArn": f"{point}0"})
                    for action in actions
                ),
                *(Question(False, action, f"{files}0", through) for action in actions),
                Question(False, "elasticfilesystem:ClientRootAccess", files, through),
                Question(False, "elasticfilesystem:DeleteFileSystem", files),
            ],
            "aws_efs_file_system_policy.rabbitmq[0]": [
                *(
                    Question(secure == "true", action, files, {"aws:SecureTransport": secure})
                    for action in [*actions, "elasticfilesystem:ClientRootAccess"]
                    for secure in ("true", "false")
                ),
                Question(True, "elasticfilesystem:DescribeFileSystemPolicy", files, plain),
            ],
        }

    def topic(self) -> Questions:
        """EventBridge publishes without a context (its statement can have no condition), CloudWatch only its alarms."""
        topic = self.arn("observability", "aws_sns_topic.alarms")
        rule = f"arn:aws:events:{self._at}:rule/{self.run.name}-services"
        alarm = f"arn:aws:cloudwatch:{self._at}:alarm:{self.run.name}-backlog"

        def asked(
            allowed: bool, source: str = rule, account: str = ACCOUNT, *, action: str = "Publish",
            who: str = "events.amazonaws.com",
        ) -> Question:  # fmt: skip
            context = {"aws:SourceArn": source, "aws:SourceAccount": account}
            return Question(allowed, f"sns:{action}", topic, context, who)

        return {
            "aws_sns_topic_policy.alarms_policy": [
                asked(True),
                asked(False, action="Subscribe"),
                asked(False, action="DeleteTopic"),
                asked(True, alarm, who="cloudwatch.amazonaws.com"),
                asked(False, alarm, OTHER, who="cloudwatch.amazonaws.com"),
                asked(False, alarm.replace(self.run.name, "other"), who="cloudwatch.amazonaws.com"),
                asked(False, alarm, who="s3.amazonaws.com"),
                asked(False, who="cloudwatch.amazonaws.com"),
                Question(False, "sns:Publish", topic, {}, "cloudwatch.amazonaws.com"),
                Question(True, "sns:Publish", topic, {}, "events.amazonaws.com"),
                *(
                    Question(False, "sns:Publish", f"{topic}-other",
                             {"aws:SourceArn": source, "aws:SourceAccount": ACCOUNT}, who)
                    for source, who in ((rule, "events.amazonaws.com"), (alarm, "cloudwatch.amazonaws.com"))
                ),
            ]
        }  # fmt: skip
