"""Flow logs of a VPC."""

from __future__ import annotations

from typing import Any, cast

from cdktf_cdktf_provider_aws.flow_log import FlowLog
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from modules.common.account import Account
from modules.common.iam_role import create_role
from modules.common.keys import use_of
from modules.common.log_group import create_log_group
from modules.common.policies import Statement, policy
from modules.network.settings import NetworkSettings
from synthesis.expression import Exists, Expression, text
from synthesis.functions import attempt
from synthesis.stack import Label


class FlowLogs(Construct):
    """All traffic of the VPC, to a log group of its own.

    Costs: CloudWatch Logs' ingestion of vended logs, $0.50 a GB in us-east-1.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: NetworkSettings,
        exists: Exists,
        vpc: Expression,
        key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        wanted, asked = exists.count, cast("Any", settings.flow_logs)
        account = Account(self)
        group = create_log_group(
            self,
            "LogGroup",
            label=label,
            name=f"/scythe/{text(label.name)}/vpc-flow-logs",
            retention_days=attempt(lambda: asked.retention_days, otherwise=None),
            key_arn=key_arn,
            unencrypted="CloudWatch's own keys encrypt it, without a price per month",
            kept="network.flow_logs.retention_days says how long they are kept",
            count=wanted,
        )
        role = create_role(
            self,
            "Role",
            label=label,
            name="flow-logs",
            service="vpc-flow-logs.amazonaws.com",
            account=account,
            source_arn=f"arn:{account.partition}:ec2:*:{account.id}:vpc-flow-log/*",
            count=wanted,
        )
        log_group_arn = text(exists.ref(group).arn)
        IamRolePolicy(
            self,
            "RolePolicy",
            count=wanted,
            name="write",
            role=text(exists.ref(role).id),
            policy=policy(
                Statement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                    resources=[log_group_arn, f"{log_group_arn}:*"],
                ),
                # The delivery looks its group up by name, which takes no resource
                # (Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs").
                Statement(actions=["logs:DescribeLogGroups"], resources=["*"]),
                use_of("logs", key_arn, writes=True),
            ),
        )
        FlowLog(
            self,
            "FlowLog",
            count=wanted,
            vpc_id=text(vpc.id),
            traffic_type="ALL",
            log_destination=log_group_arn,
            iam_role_arn=text(exists.ref(role).arn),
            tags=label.tagged(),
        )
