"""Who may forward ports to an engine without a domain."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from constructs import Construct

from modules.cluster.cluster import ClusterAttributes
from modules.common.account import Account
from modules.common.policies import Condition, Statement, policy
from synthesis.expression import Expression, ref, text, when
from synthesis.stack import Label

DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"


class Forwarding(Construct):
    """A managed policy with what ``scythe-aws forward`` needs, where there is no domain.

    Attributes:
        policy_arn: to attach to the researchers' group, role or permission set; null with a domain.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        is_public: Expression,
        cluster: ClusterAttributes,
    ) -> None:
        super().__init__(scope, id_)
        account = Account(self)
        tasks = account.arn("ecs", f"task/{text(label.name)}-hatchet/*")
        # AWS's own documents have no account in their ARN; the names that begin with AWS- are its own.
        document = f"arn:{account.partition}:ssm:{account.region}:*:document/{DOCUMENT}"
        managed = IamPolicy(
            self,
            "Policy",
            count=when(f"!{is_public}"),
            name=f"{text(label.name)}-forward-{account.region}",
            description="Forward ports to the Hatchet engine of the Scythe environment",
            # Service Authorization Reference: "AWS Systems Manager", "Amazon ECS", "Elastic Load Balancing V2".
            policy=policy(
                # Without the check, a call that names no document gets the account's default one, a shell, whatever
                # documents stand here (AWS Systems Manager User Guide, "Start a session with a document by specifying
                # the session documents in IAM policies").
                Statement(
                    ["ssm:StartSession"],
                    [tasks, document],
                    [Condition("BoolIfExists", "ssm:SessionDocumentAccessCheck", ["true"])],
                ),
                # Their own alone: a session's id begins with the caller's user id or name (AWS Systems Manager User
                # Guide, "Sample IAM policies for Session Manager").
                Statement(
                    ["ssm:TerminateSession"],
                    [
                        account.arn("ssm", "session/$${aws:userid}-*"),
                        account.arn("ssm", "session/$${aws:username}-*"),
                    ],
                ),
                Statement(["ecs:DescribeTasks"], [tasks]),
                Statement(
                    ["ecs:ListTasks"], ["*"], [Condition("ArnEquals", "ecs:cluster", [text(cluster.arn)])]
                ),
                # Takes no resource.
                Statement(["elasticloadbalancing:DescribeLoadBalancers"], ["*"]),
            ),
            tags=label.tagged(),
        )
        self.policy_arn = Expression(f"one({ref(managed)}[*].arn)")
