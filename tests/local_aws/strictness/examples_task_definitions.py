"""Examples of the rules about task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.made import ACCOUNT, container, role, task

SECRET = {"name": "TOKEN", "valueFrom": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:token-AbCdEf"}
LATER = container(name="later", dependsOn=[{"containerName": "worker", "condition": "HEALTHY"}])
FIRST = container(name="a", dependsOn=[{"containerName": "b", "condition": "START"}])
SECOND = container(name="b", dependsOn=[{"containerName": "a", "condition": "START"}])


def definition(text: str, *containers: dict[str, Any], **changes: Any) -> Example:
    """A task definition that ECS refuses."""
    return Example("ecs", "register_task_definition", task(*containers, **changes), text)


TASK_DEFINITION_EXAMPLES: Mapping[str, Example] = {
    "role_that_is_gone": definition("Role is not valid", taskRoleArn=f"arn:aws:iam::{ACCOUNT}:role/gone"),
    "fargate_size": definition("No Fargate configuration exists for given values", memory="1024"),
    "fargate_network_mode": definition("Fargate only supports network mode", networkMode="bridge"),
    "fargate_stop_timeout": definition("stopTimeout", container(stopTimeout=121)),
    "fargate_privileged": definition("'privileged' setting be 'false'", container(privileged=True)),
    "fargate_capability": definition(
        "NET_ADMIN is not allowed on Fargate.",
        container(linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}}),
    ),
    "fargate_storage": definition(
        "EphemeralStorage size should be at least 21", ephemeralStorage={"sizeInGiB": 20}
    ),
    "fargate_execution_role": definition(
        "execution role ARN to support log driver awslogs",
        container(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-stream-prefix": "w"}}),
    ),
    "fargate_log_driver": definition("syslog", container(logConfiguration={"logDriver": "syslog"})),
    "fargate_log_prefix": Example(
        "ecs",
        "register_task_definition",
        lambda made: task(
            container(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "w"}}),
            executionRoleArn=made,
        ),
        "to include awslogs-stream-prefix",
        role,
    ),
    "task_definition_size": definition(
        "Max allowed length is '65536' bytes.",
        container(environment=[{"name": f"V{number}", "value": "x" * 1000} for number in range(66)]),
    ),
    "containers_of_a_task": definition(
        "at most 10 containers", *(container(name=f"c{number}", portMappings=[]) for number in range(11))
    ),
    "container_name": definition("Container.name contains invalid characters.", container(name="a.b")),
    "family_name": definition("Invalid family", family="a.b"),
    "container_name_twice": definition("Container names must be unique", container(), container()),
    "no_essential_container": definition("doesn't have any essential container", container(essential=False)),
    "dependency_that_never_holds": definition("must have health check configured", container(), LATER),
    "circle_of_dependencies": definition("cycle", FIRST, SECOND),
    "health_check_of_a_container": definition(
        "interval must be between 5 and 300",
        container(healthCheck={"command": ["CMD", "true"], "interval": 4}),
    ),
    "host_port": definition("must match", container(portMappings=[{"containerPort": 80, "hostPort": 81}])),
    "variable_twice": Example(
        "ecs",
        "register_task_definition",
        lambda made: task(
            container(secrets=[SECRET], environment=[{"name": "TOKEN", "value": "x"}]), executionRoleArn=made
        ),
        "The secret name must be unique",
        role,
    ),
    "secrets_without_execution_role": definition("'executionRoleArn'", container(secrets=[SECRET])),
    "secret_arn": Example(
        "ecs",
        "register_task_definition",
        lambda made: task(
            container(secrets=[{"name": "TOKEN", "valueFrom": f"arn:aws:s3:::{ACCOUNT}"}]),
            executionRoleArn=made,
        ),
        "parameter name specified for secret TOKEN is invalid",
        role,
    ),
    "unknown_volume": definition(
        "Unknown volume 'data'.", container(mountPoints=[{"sourceVolume": "data", "containerPath": "/d"}])
    ),
    "cpu_of_containers": definition("The sum of all container 'cpu' values", container(cpu=2048)),
    "memory_of_a_container": definition("is greater than for the task", container(memory=8192)),
    "efs_volume": definition(
        "requires TransitEncryption",
        volumes=[
            {
                "name": "data",
                "efsVolumeConfiguration": {"fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}},
            }
        ],
    ),
}
