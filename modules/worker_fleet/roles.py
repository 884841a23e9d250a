"""The two roles of a fleet's tasks: what ECS may do to start them, and what they may do."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.data_aws_region import DataAwsRegion
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from modules.expression import Expression, hcl, local, ref, text, when
from modules.policies import Statement, policy, trust
from modules.stack import Label
from modules.worker_fleet.settings import FleetSettings

ECR_IMAGE = r"^([0-9]{12})[.]dkr[.]ecr[.]([a-z0-9-]+)[.]amazonaws[.]com(?:[.]cn)?/([^:@]+)"


class FleetRoles(Construct):
    """The execution role (pull the image, read the secrets, write the log) and the task role (nothing yet).

    Attributes:
        execution: used by ECS and Fargate alone.
        task: the workers' own; what they use is granted by its owner.
    """

    def __init__(
        self, scope: Construct, id_: str, *, label: Label, fleet: str, settings: FleetSettings, image: Expression,
        log_group_name: str,
    ) -> None:  # fmt: skip
        super().__init__(scope, id_)
        self._account_id = text(ref(DataAwsCallerIdentity(self, "Caller")).account_id)
        self._region = text(ref(DataAwsRegion(self, "Region")).name)
        self._partition = text(ref(DataAwsPartition(self, "Partition")).partition)
        self.execution = self._create_role("execution", label, fleet)
        self.task = self._create_role("task", label, fleet)
        self._allow_pull(image)
        self._grant(
            self.execution,
            "log",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            self._log_arn(log_group_name),
        )
        self._allow_secrets(settings)
        self._allow_exec(settings)

    @property
    def region(self) -> Expression:
        """The region, as an expression."""
        return Expression(hcl(self._region))

    def _log_arn(self, log_group_name: str) -> str:
        # Said rather than read from the group, so that plans show it.
        return f"arn:{self._partition}:logs:{self._region}:{self._account_id}:log-group:{log_group_name}:*"

    def _create_role(self, kind: str, label: Label, fleet: str) -> IamRole:
        return IamRole(
            self,
            kind,
            name=f"{text(label.name)}-{fleet}-{kind}",
            assume_role_policy=trust(
                "ecs-tasks.amazonaws.com",
                account_id=self._account_id,
                source_arn=f"arn:{self._partition}:ecs:{self._region}:{self._account_id}:*",
            ),
            tags=label.tagged(),
        )

    def _grant(self, role: IamRole, name: str, actions: list[str], resource: str) -> None:
        IamRolePolicy(
            role, name, name=name, role=text(ref(role).id), policy=policy(Statement(actions, [resource]))
        )

    def _allow_pull(self, image: Expression) -> None:
        """From the one repository that the image is in; an image of a public registry needs no right."""
        # Account, region and name of the repository; Terraform validates the policy whatever the count.
        parts = local(self, "ecr_image", f'try(regex({hcl(ECR_IMAGE)}, {image}), ["", "", ""])')
        account_id, region, name = (text(parts[place]) for place in range(3))
        IamRolePolicy(
            self.execution,
            "image",
            count=when(f'{parts[0]} != ""'),
            name="image",
            role=text(ref(self.execution).id),
            policy=policy(
                Statement(
                    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    [f"arn:{self._partition}:ecr:{region}:{account_id}:repository/{name}"],
                ),
                # Takes no resource (Service Authorization Reference, "Actions defined by Amazon ECR").
                Statement(["ecr:GetAuthorizationToken"], ["*"]),
            ),
        )

    def _allow_secrets(self, settings: FleetSettings) -> None:
        arns = f"values({settings.secrets})"
        # An ARN may name a key and a version of the secret; the right is to the secret.
        secrets = f'[for arn in {arns} : join(":", slice(split(":", arn), 0, 7)) if strcontains(arn, ":secretsmanager:")]'
        parameters = f'[for arn in {arns} : arn if strcontains(arn, ":ssm:")]'
        for name, action, chosen in (
            ("secrets", "secretsmanager:GetSecretValue", secrets),
            ("parameters", "ssm:GetParameters", parameters),
        ):
            statement = {"Effect": "Allow", "Action": [action], "Resource": Expression(chosen)}
            document = hcl({"Version": "2012-10-17", "Statement": [statement]})
            IamRolePolicy(
                self.execution,
                name,
                count=when(f"length({chosen}) > 0"),
                name=name,
                role=text(ref(self.execution).id),
                policy=text(f"jsonencode({document})"),
            )

    def _allow_exec(self, settings: FleetSettings) -> None:
        IamRolePolicy(
            self.task,
            "exec",
            count=when(settings.exec),
            name="exec",
            role=text(ref(self.task).id),
            # The session's channels take no resource (Amazon ECS Developer Guide, "Task IAM role permissions
            # for ECS Exec").
            policy=policy(
                Statement(
                    [
                        "ssmmessages:CreateControlChannel",
                        "ssmmessages:CreateDataChannel",
                        "ssmmessages:OpenControlChannel",
                        "ssmmessages:OpenDataChannel",
                    ],
                    ["*"],
                )
            ),
        )
