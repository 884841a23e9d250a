"""Examples of the rules about databases, brokers, buckets and logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import bucket, database, instance, network, refused

EXPIRY = {"ID": "old", "Expiration": {"Days": 30}}


def _snapshot(aws: InProcess) -> None:
    database(aws)
    aws.client("rds").create_db_snapshot(DBInstanceIdentifier="hatchet", DBSnapshotIdentifier="last")


def _log_group(aws: InProcess) -> None:
    aws.client("logs").create_log_group(logGroupName="/scythe/leaf")


def _broker(**changes: Any) -> dict[str, Any]:
    return {
        "BrokerName": "hatchet",
        "DeploymentMode": "SINGLE_INSTANCE",
        "EngineType": "RABBITMQ",
        "EngineVersion": "3.13",
        "HostInstanceType": "mq.m7g.medium",
        "PubliclyAccessible": False,
        "AutoMinorVersionUpgrade": True,
        "Users": [{"Username": "hatchet", "Password": "a-long-enough-password"}],
        **changes,
    }


def rds(method: str, text: str, arguments: Any, prepare: Any = database) -> Example:
    """A request to RDS beside a database."""
    return Example("rds", method, arguments, text, prepare)


def created(text: str, **changes: Any) -> Example:
    """A database that RDS refuses."""
    return rds(
        "create_db_instance", text, lambda net: instance(net, **{"DBInstanceIdentifier": "second", **changes})
    )


def lifecycle(text: str, *rules: Mapping[str, Any]) -> Example:
    """Lifecycle rules that S3 refuses."""
    whole = [{"Status": "Enabled", "Filter": {"Prefix": ""}, **rule} for rule in rules]
    arguments = {"Bucket": "results", "LifecycleConfiguration": {"Rules": whole}}
    return Example("s3", "put_bucket_lifecycle_configuration", arguments, text, bucket)


STORAGE_EXAMPLES: Mapping[str, Example] = {
    "database_name": created("is not a valid identifier", DBInstanceIdentifier="hatchet--2"),
    "subnet_group_of_one_zone": refused(
        "rds",
        "create_db_subnet_group",
        "Add subnets to cover at least 2 AZs",
        lambda net: {
            "DBSubnetGroupName": "hatchet",
            "DBSubnetGroupDescription": "d",
            "SubnetIds": net.subnets[:1],
        },
        network,
    ),
    "subnet_group_in_use": rds(
        "delete_db_subnet_group", "is still using it.", {"DBSubnetGroupName": "hatchet"}
    ),
    "parameter_group_in_use": rds(
        "delete_db_parameter_group",
        "are still members of this parameter group",
        {"DBParameterGroupName": "hatchet"},
    ),
    "protected_database": rds(
        "delete_db_instance",
        "Cannot delete protected DB Instance",
        {"DBInstanceIdentifier": "hatchet", "SkipFinalSnapshot": True},
        lambda aws: database(aws, DeletionProtection=True),
    ),
    "no_final_snapshot": rds(
        "delete_db_instance",
        "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        {"DBInstanceIdentifier": "hatchet"},
    ),
    "snapshot_that_exists": rds(
        "delete_db_instance",
        "a snapshot with the identifier last already exists",
        {"DBInstanceIdentifier": "hatchet", "FinalDBSnapshotIdentifier": "last"},
        _snapshot,
    ),
    "storage_of_a_database": created(
        "Max storage size must be greater than storage size", MaxAllocatedStorage=20
    ),
    "smaller_database": rds(
        "modify_db_instance",
        "Requested storage size is less than the current storage size.",
        {"DBInstanceIdentifier": "hatchet", "AllocatedStorage": 10},
    ),
    "database_password": created(
        "Only printable ASCII characters besides", MasterUserPassword="p@ssword-of-it"
    ),
    "database_user": created("reserved word used by the engine", MasterUsername="rdsadmin"),
    "monitoring_without_role": created("A MonitoringRoleARN value is required", MonitoringInterval=60),
    "overlapping_windows": created(
        "must not overlap",
        PreferredBackupWindow="03:00-04:00",
        PreferredMaintenanceWindow="sun:03:30-sun:04:30",
    ),
    "static_parameter": rds(
        "modify_db_parameter_group",
        "cannot use immediate apply method for static parameter",
        {
            "DBParameterGroupName": "hatchet",
            "Parameters": [
                {"ParameterName": "max_connections", "ParameterValue": "200", "ApplyMethod": "immediate"}
            ],
        },
    ),
    "subnets_of_a_broker": refused(
        "mq",
        "create_broker",
        "requires 1 subnet(s), but 2 were given",
        lambda net: _broker(SubnetIds=net.subnets),
        network,
    ),
    "broker_name": refused(
        "mq", "create_broker", "Broker name must be 1 to 50 characters long", _broker(BrokerName="a.b")
    ),
    "broker_that_exists": refused(
        "mq",
        "create_broker",
        "Broker name [hatchet] is already in use.",
        _broker(),
        lambda aws: aws.client("mq").create_broker(**_broker()),
    ),
    "broker_user": refused(
        "mq",
        "create_broker",
        "Password must be 12 to 250 characters long",
        _broker(Users=[{"Username": "hatchet", "Password": "short"}]),
    ),
    "lifecycle_rule_id": lifecycle("Rule ID must be unique", EXPIRY, EXPIRY),
    "lifecycle_rule_without_action": lifecycle("At least one action needs to be specified", {"ID": "old"}),
    "days_of_a_lifecycle_rule": lifecycle(
        "greater than or equal to 30 for storageClass 'STANDARD_IA'",
        {"ID": "old", "Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]},
    ),
    "versioning_status": refused(
        "s3",
        "put_bucket_versioning",
        "The Versioning element must be specified",
        {"Bucket": "results", "VersioningConfiguration": {}},
        bucket,
    ),
    "bucket_policy": refused(
        "s3",
        "put_bucket_policy",
        "Policy has invalid resource",
        {
            "Bucket": "results",
            "Policy": json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": "arn:aws:s3:::others/*",
                        }
                    ],
                }
            ),
        },
        bucket,
    ),
    "log_retention": refused(
        "logs",
        "put_retention_policy",
        "at 'retentionInDays' failed to satisfy constraint",
        {"logGroupName": "/scythe/leaf", "retentionInDays": 2},
        _log_group,
    ),
}
