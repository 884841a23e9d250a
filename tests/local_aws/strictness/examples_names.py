"""Examples of the rules about names and sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import ACCOUNT, POLICY, TRUST, bucket, network, refused, role

LARGE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::results/{'x' * size}"}
            for size in (6000, 5000)
        ],
    }
)
AROUND = {"Version": "2012-10-17", "Statement": []}
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"
ROLE = {"RoleName": "task"}
TAGS = [{"Key": f"tag-{number}", "Value": "x"} for number in range(51)]
VPC = {"CidrBlock": "10.0.0.0/16"}


def _ten_policies(aws: InProcess) -> str:
    role(aws)
    iam = aws.client("iam")
    arn = ""
    for number in range(11):
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=POLICY)["Policy"]["Arn"]
        if number < 10:
            iam.attach_role_policy(RoleName="task", PolicyArn=arn)
    return arn


def _targets(aws: InProcess) -> None:
    aws.client("events").put_rule(Name="daily", ScheduleExpression="rate(1 day)")


NAME_EXAMPLES: Mapping[str, Example] = {
    "bucket_name": refused(
        "s3", "create_bucket", "The specified bucket is not valid.", {"Bucket": "sthree-results"}
    ),
    "security_group_name": refused(
        "ec2",
        "create_security_group",
        "Group names may not be in the format sg-*",
        lambda net: {"GroupName": "sg-workers", "Description": "workers", "VpcId": net.vpc},
        network,
    ),
    "security_group_description": refused(
        "ec2",
        "create_security_group",
        "Valid descriptions are strings less than 256 characters",
        lambda net: {"GroupName": "engine", "Description": "engine's", "VpcId": net.vpc},
        network,
    ),
    "log_group_name": refused("logs", "create_log_group", "reserved for AWS", {"logGroupName": "aws/scythe"}),
    "secret_name": refused(
        "secretsmanager", "create_secret", "Invalid name.", {"Name": "a token", "SecretString": "x"}
    ),
    "default_group_of_databases": refused(
        "rds",
        "create_db_subnet_group",
        "default is a reserved name",
        lambda net: {
            "DBSubnetGroupName": "default",
            "DBSubnetGroupDescription": "d",
            "SubnetIds": net.subnets,
        },
        network,
    ),
    "too_many_tags": refused(
        "ec2",
        "create_vpc",
        "exceeds the limit of 50",
        {**VPC, "TagSpecifications": [{"ResourceType": "vpc", "Tags": TAGS}]},
    ),
    "reserved_tag": refused(
        "ec2",
        "create_vpc",
        "reserved for internal use: aws:owner",
        {**VPC, "TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "aws:owner", "Value": "x"}]}]},
    ),
    "managed_policy_size": refused(
        "iam",
        "create_policy",
        "Cannot exceed quota for PolicySize: 6144",
        {"PolicyName": "p", "PolicyDocument": LARGE},
    ),
    "inline_policies_size": refused(
        "iam",
        "put_role_policy",
        "Maximum policy size of 10240 bytes exceeded for role task",
        {**ROLE, "PolicyName": "p", "PolicyDocument": LARGE},
        role,
    ),
    "trust_policy_size": refused(
        "iam",
        "create_role",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        {**ROLE, "AssumeRolePolicyDocument": TRUST.replace("Statement", "S" * 2048)},
    ),
    "policies_of_a_role": refused(
        "iam",
        "attach_role_policy",
        "Cannot exceed quota for PoliciesPerRole: 10",
        lambda arn: {**ROLE, "PolicyArn": arn},
        _ten_policies,
    ),
    "bucket_policy_size": refused(
        "s3",
        "put_bucket_policy",
        "Policy exceeds the maximum allowed document size.",
        {"Bucket": "results", "Policy": json.dumps({**AROUND, "Id": "x" * 20480})},
        bucket,
    ),
    "topic_policy_size": refused(
        "sns",
        "create_topic",
        "Policy is too large",
        {"Name": "alarms", "Attributes": {"Policy": json.dumps({**AROUND, "Id": "x" * 30720})}},
    ),
    "targets_of_an_event_rule": refused(
        "events",
        "put_targets",
        "exceeds the maximum number allowed",
        {"Rule": "daily", "Targets": [{"Id": f"t{number}", "Arn": TOPIC} for number in range(6)]},
        _targets,
    ),
}
