"""The two roles of an ECS task: what ECS may do to start it, and what it may do itself."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from modules.common.account import Account
from modules.common.iam_role import create_role
from modules.common.keys import use_of
from modules.common.policies import Statement, policy
from synthesis.expression import Expression, both, local, made, only_where, text
from synthesis.literals import hcl
from synthesis.stack import Label

ECR_IMAGE = r"^([0-9]{12})[.]dkr[.]ecr[.]([a-z0-9-]+)[.]amazonaws[.]com(?:[.]cn)?/([^:@]+)"


class TaskRoles(Construct):
    """The execution role (pull the images, write the log) and the task role (nothing yet).

    Attributes:
        execution: used by ECS and Fargate alone.
        task: the containers' own; what they use is granted by its owner.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        name: str,
        images: Sequence[Expression],
        log_group_name: str,
        logs_key_arn: Expression,
        in_ecr: Expression | bool = True,
        exists: Expression | None = None,
    ) -> None:
        """Make the roles ``<environment>-<name>-execution-<digest>`` and ``-task-<digest>``.

        Args:
            scope: the service.
            id_: its place there.
            label: what names and tags them.
            name: the service's.
            images: the images of the task's containers.
            log_group_name: the log group that they write to.
            logs_key_arn: the ARN of the KMS key that encrypts it; null for none.
            in_ecr: whether any of them may be in a repository of ECR, which must not hang on their addresses: a plan may
                not know them yet.
            exists: whether there is such a service; None for always.
        """
        super().__init__(scope, id_)
        self._exists = exists
        self._account = Account(self)
        self.execution = self._create_role("execution", label, name)
        self.task = self._create_role("task", label, name)
        self._allow_pull(images, in_ecr)
        # Said rather than read from the group, so that plans show it.
        log = self.arn("logs", f"log-group:{log_group_name}:*")
        self.grant(
            self.execution,
            "log",
            Statement(["logs:CreateLogStream", "logs:PutLogEvents"], [log]),
            # Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service":
            # whoever calls CloudWatch Logs has the right to the key through it.
            use_of("logs", logs_key_arn, writes=True),
        )

    @property
    def region(self) -> Expression:
        """The region, as an expression."""
        return Expression(hcl(self._account.region))

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this region and account."""
        return self._account.arn(service, resource)

    def grant(
        self, role: IamRole, name: str, *statements: Statement | None, only_if: Expression | bool = True
    ) -> None:
        """Give one of the roles an inline policy, always or under a condition."""
        if only_if is False:
            return
        IamRolePolicy(
            role,
            name,
            count=only_where(both(self._exists, only_if)),
            name=name,
            role=text(made(role, self._exists).id),
            policy=policy(*statements),
        )

    def policies(self) -> list[ITerraformDependable]:
        """All policies that the two roles were given so far, by whomever: what their tasks wait for."""
        return [
            child
            for role in (self.execution, self.task)
            for child in role.node.children
            if isinstance(child, IamRolePolicy)
        ]

    def allow_secrets(self, *arns: Expression, key_arn: Expression) -> None:
        """Let ECS read secrets of Secrets Manager into the containers.

        Args:
            arns: each one ARN or a list of them.
            key_arn: the ARN of the KMS key that encrypts them; null for none.
        """
        listed = Expression(f"flatten([{', '.join(map(str, arns))}])")
        read = Statement(["secretsmanager:GetSecretValue"], listed)
        self.grant(self.execution, "secrets", read, use_of("secretsmanager", key_arn))

    def allow_exec(self, wanted: Expression | bool) -> None:
        """Let ECS Exec open its sessions.

        Their channels take no resource (Amazon ECS Developer Guide, "Task IAM role permissions for ECS Exec").
        """
        actions = [
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ]
        self.grant(self.task, "exec", Statement(actions, ["*"]), only_if=wanted)

    def _create_role(self, kind: str, label: Label, name: str) -> IamRole:
        return create_role(
            self,
            kind,
            label=label,
            name=f"{name}-{kind}",
            service="ecs-tasks.amazonaws.com",
            account=self._account,
            source_arn=self.arn("ecs", "*"),
            count=only_where(self._exists),
        )

    def _allow_pull(self, images: Sequence[Expression], in_ecr: Expression | bool) -> None:
        """From the repositories that the images are in; an image of a public registry needs no right."""
        # Account, region and name of each repository.
        found, several = "try([regex({}, {})], [])", list(dict.fromkeys(map(str, images)))
        if len(several) > 1:
            each = found.format(hcl(ECR_IMAGE), "image")
            written = f"distinct(concat([for image in [{', '.join(several)}] : {each}]...))"
        else:
            written = found.format(hcl(ECR_IMAGE), several[0])
        repositories = local(self, "ecr_repositories", written)
        arns = (
            f'[for repository in {repositories} : "arn:{self._account.partition}:ecr:${{repository[1]}}:'
            '${repository[0]}:repository/${repository[2]}"]'
        )
        pull = Statement(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            Expression("arns"),
            only_with=("arns", Expression(arns)),
        )
        # Takes no resource (Service Authorization Reference, "Actions defined by Amazon ECR").
        log_in = Statement(["ecr:GetAuthorizationToken"], ["*"])
        self.grant(self.execution, "image", pull, log_in, only_if=in_ecr)
