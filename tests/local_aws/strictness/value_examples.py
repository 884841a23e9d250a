"""Examples of the rules about values."""

from __future__ import annotations

from collections.abc import Mapping

from tests.local_aws.strictness.example import Example

VALUE_EXAMPLES: Mapping[str, Example] = {
    "type_of_value": Example(
        "ecs", "create_cluster", {"clusterName": 5}, "NUMBER_VALUE can not be converted to a String"
    ),
    "required_of_model": Example(
        "ecs",
        "create_service",
        {"taskDefinition": "leaf"},
        "1 validation error detected: Value null at 'serviceName' failed to satisfy constraint: "
        "Member must not be null",
    ),
    "length_of_model": Example(
        "efs",
        "create_file_system",
        {"CreationToken": "x" * 65},
        "at 'creationToken' failed to satisfy constraint: Member must have length less than or equal to 64",
    ),
    "range_of_model": Example(
        "iam",
        "create_role",
        {"RoleName": "task", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 60},
        "Value '60' at 'maxSessionDuration' failed to satisfy constraint: "
        "Member must have value greater than or equal to 3600",
    ),
    "enum_of_model": Example(
        "ecs",
        "register_task_definition",
        {
            "family": "leaf",
            "networkMode": "vpc",
            "containerDefinitions": [{"name": "w", "image": "i", "memory": 512}],
        },
        "Value 'vpc' at 'networkMode' failed to satisfy constraint: Member must satisfy enum value set: [",
    ),
    "pattern_of_model": Example(
        "logs",
        "create_log_group",
        {"logGroupName": "of a fleet"},
        "Value 'of a fleet' at 'logGroupName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
    ),
}
