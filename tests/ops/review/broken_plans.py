"""Plans broken in every way that a rule of AWS's forbids."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.deployed import Data

Break = Callable[[Data], None]


def set_(address: str, **values: Any) -> Break:
    """Set arguments of a resource."""
    return lambda plans: _values(plans, address).update(values)


def nested(address: str, block: str, **values: Any) -> Break:
    """Set arguments of all of a resource's blocks of one kind."""

    def change(plans: Data) -> None:
        for item in _values(plans, address)[block]:
            item.update(values)

    return change


def container(address: str, **values: Any) -> Break:
    """Set keys of a task's container."""

    def change(plans: Data) -> None:
        task = _values(plans, address)
        (defined,) = json.loads(task["container_definitions"])
        task["container_definitions"] = json.dumps([{**defined, **values}])

    return change


def in_container(address: str, which: str, **values: Any) -> Break:
    """Set keys of one of a task's containers."""

    def change(plans: Data) -> None:
        task = _values(plans, address)
        defined = json.loads(task["container_definitions"])
        next(each for each in defined if each["name"] == which).update(values)
        task["container_definitions"] = json.dumps(defined)

    return change


def replaced(address: str, argument: str, old: str, new: str) -> Break:
    """Replace a part of an argument."""

    def change(plans: Data) -> None:
        values = _values(plans, address)
        assert old in values[argument]
        values[argument] = values[argument].replace(old, new)

    return change


def copies(address: str, count: int) -> Break:
    """Add copies of a resource."""

    def change(plans: Data) -> None:
        resources = _resources(plans, address)
        one = next(item for item in resources if item["address"] == address)
        resources += [{**one, "address": f"{address}_{number}"} for number in range(count)]

    return change


def without(address: str) -> Break:
    """Take resources away, by the beginning of their addresses."""

    def change(plans: Data) -> None:
        resources = _resources(plans, address)
        resources[:] = [item for item in resources if not item["address"].startswith(address)]

    return change


def _resources(plans: Data, address: str) -> list[Data]:
    for plan in plans.values():
        resources: list[Data] = plan["planned_values"]["root_module"].get("resources", [])
        if any(item["address"].startswith(address) for item in resources):
            return resources
    raise KeyError(address)


def _values(plans: Data, address: str) -> Data:
    values: Data = next(item for item in _resources(plans, address) if item["address"] == address)["values"]
    return values


def volume(address: str, **values: Any) -> Break:
    """Set arguments of a task's volumes on EFS."""

    def change(plans: Data) -> None:
        for each in _values(plans, address)["volume"]:
            for files in each["efs_volume_configuration"]:
                files.update(values)

    return change


def _after(name: str, condition: str) -> Data:
    return {"containerName": name, "condition": condition}


API, BROKER, SETUP = (f"aws_ecs_task_definition.{name}" for name in ("api", "rabbitmq[0]", "setup"))
A_REPOSITORY = "123456789012.dkr.ecr"
ENDPOINT = 'aws_vpc_endpoint.interface["ecr.api"]'
TASK, SERVICE, ROLE = (
    f"aws_{kind}.simulations" for kind in ("ecs_task_definition", "ecs_service", "iam_role")
)
GROUP = "aws_security_group.simulations"
POLICY = "aws_appautoscaling_policy.simulations_demand_from_1"
ALARM, QUIET = (f"aws_cloudwatch_metric_alarm.simulations_{name}" for name in ("demand_from_1", "no_demand"))


def steps(*ranges: tuple[int, int | None]) -> Break:
    """Give a scaling policy other steps, each from one bound to another or none."""
    adjustments = [
        {
            "metric_interval_lower_bound": str(start),
            "metric_interval_upper_bound": str(end or ""),
            "scaling_adjustment": 1,
        }
        for start, end in ranges
    ]
    return nested(POLICY, "step_scaling_policy_configuration", step_adjustment=adjustments)


LONG_POLICY = json.dumps({"Statement": [{"Resource": "x" * 11_000}]})
A_SUBNET, ANOTHER = (f'aws_subnet.private["us-east-1{zone}"]' for zone in "ab")
SCHEDULED = "aws_appautoscaling_scheduled_action.simulations_start"

BROKEN: list[tuple[str, str, Break]] = [
    ("names", "everything", set_(f"{ROLE}_task", name="x" * 65)),
    ("names", "everything", set_(TASK, family="x" * 256)),
    ("names", "everything", set_(SERVICE, name="a/b")),
    ("names", "everything", set_("aws_ecs_cluster.workers", name="a b")),
    ("names", "everything", set_(GROUP, description="the workers' own")),
    ("names", "everything", set_(GROUP, name="sg-workers")),
    ("names", "everything", set_("aws_vpc_security_group_egress_rule.simulations_to_s3", description="é")),
    ("names", "everything", set_("aws_cloudwatch_log_group.simulations", name="/scythe/" + "x" * 505)),
    ("names", "everything", set_(SCHEDULED, name="start: Friday")),
    ("names", "docs", set_("aws_s3_bucket.this", bucket="x" * 64)),
    ("names", "docs", set_("aws_ecr_repository.worker", name="Docs/worker")),
    ("names", "docs", set_("aws_secretsmanager_secret.token[0]", name="docs token")),
    ("names", "docs", set_("aws_iam_policy.researcher", name="x" * 129)),
    ("names", "everything", set_("aws_iam_role_policy.simulations_task_bucket", name="the bucket")),
    ("tags", "docs", set_("aws_vpc.this", tags_all={f"tag-{number}": "" for number in range(51)})),
    ("tags", "docs", set_("aws_vpc.this", tags_all={"aws:owner": "research"})),
    ("tags", "docs", set_("aws_vpc.this", tags_all={"owner": "R&D"})),
    ("tag_keys_in_iam", "everything", set_(f"{ROLE}_task", tags_all={"owner": "a", "Owner": "b"})),
    ("log_retention", "everything", set_("aws_cloudwatch_log_group.simulations", retention_in_days=10)),
    ("fargate_sizes", "everything", set_(TASK, memory="4096")),
    ("fargate_sizes", "everything", nested(TASK, "ephemeral_storage", size_in_gib=20)),
    ("fargate_network", "everything", set_(TASK, network_mode="bridge")),
    ("task_definition_size", "everything", container(TASK, command=["x" * 64 * 1024])),
    ("container_times", "everything", container(TASK, stopTimeout=121)),
    ("container_times", "everything", container(TASK, healthCheck={"retries": 11})),
    ("exec_needs_to_write", "everything", container(TASK, readonlyRootFilesystem=True)),
    ("capacity_strategy", "everything", nested(SERVICE, "capacity_provider_strategy", weight=0)),
    ("capacity_strategy", "everything", nested(SERVICE, "capacity_provider_strategy", base=1)),
    ("capacity_strategy", "everything", nested(SERVICE, "capacity_provider_strategy", weight=1001)),
    ("rollout", "everything", set_(SERVICE, deployment_minimum_healthy_percent=100)),
    ("rollout", "everything", set_(SERVICE, availability_zone_rebalancing="ENABLED")),
    ("scaling_bounds", "everything", set_("aws_appautoscaling_target.simulations", max_capacity=5001)),
    ("scaling_bounds", "everything", nested(SCHEDULED, "scalable_target_action", min_capacity="81")),
    ("schedules", "everything", set_(SCHEDULED, schedule="cron(0 20 * * FRI)")),
    ("schedules", "everything", set_(SCHEDULED, timezone="CEST")),
    ("names", "everything", set_(ALARM, alarm_name="x" * 256)),
    ("scaling_steps", "everything", steps()),
    ("scaling_steps", "everything", steps(*((start, start + 1) for start in range(20)), (20, None))),
    ("scaling_steps", "everything", steps((0, 1), (2, None))),
    ("scaling_steps", "everything", steps((0, 2), (1, None))),
    ("scaling_steps", "everything", steps((0, 2))),
    ("scaling_steps", "everything", steps((-2, 0))),
    ("scaling_policies", "everything", copies(POLICY, 50)),
    ("alarm_periods", "everything", set_(QUIET, period=45)),
    ("alarm_periods", "everything", set_(QUIET, evaluation_periods=8641)),
    ("subnets_in_vpc", "docs", set_(A_SUBNET, cidr_block="10.21.0.0/19")),
    ("subnets_in_vpc", "docs", set_(A_SUBNET, cidr_block="10.20.0.0/29")),
    ("subnets_in_vpc", "docs", set_(ANOTHER, cidr_block="10.20.16.0/20")),
    ("subnets_in_vpc", "docs", set_("aws_vpc.this", cidr_block="10.0.0.0/8")),
    ("fargate_zones", "docs", set_(A_SUBNET, availability_zone_id="use1-az3")),
    ("service_network", "docs", nested(SERVICE, "network_configuration", subnets=[])),
    ("service_network", "docs", nested(SERVICE, "network_configuration", security_groups=list("abcdef"))),
    ("reach", "docs", without("aws_route.nat")),
    ("reach", "prod", without('aws_vpc_endpoint.interface["ecr.dkr"]')),
    ("reach", "prod", without('aws_vpc_endpoint.interface["logs"]')),
    ("reach", "prod", without('aws_vpc_endpoint.interface["secretsmanager"]')),
    ("reach", "prod", without("aws_vpc_endpoint.s3")),
    ("reach", "prod", container(TASK, image="docker.io/example/worker:1")),
    ("public_tasks", "docs", nested(SERVICE, "network_configuration", assign_public_ip=True)),
    ("public_tasks", "everything", nested(SERVICE, "network_configuration", assign_public_ip=False)),
    ("security_group_rules", "docs", copies("aws_vpc_security_group_egress_rule.simulations_to_s3", 60)),
    ("addresses", "docs", copies('aws_eip.nat["us-east-1a"]', 5)),
    ("endpoint_services", "prod", set_("aws_vpc_endpoint.s3", service_name="com.amazonaws.us-east-1.s3")),
    ("endpoint_services", "beijing", set_(ENDPOINT, service_name="com.amazonaws.cn-north-1.ecr.api")),
    ("endpoints", "prod", set_("aws_vpc_endpoint.s3", route_table_ids=[])),
    ("endpoints", "prod", set_('aws_vpc_endpoint.interface["logs"]', security_group_ids=[])),
    ("endpoints", "prod", set_("aws_vpc.this", enable_dns_hostnames=False)),
    ("endpoints", "prod", set_('aws_subnet.private["eu-west-1a"]', availability_zone="eu-west-1b")),
    ("policy_sizes", "everything", set_("aws_iam_role_policy.simulations_task_bucket", policy=LONG_POLICY)),
    ("policy_sizes", "docs", set_("aws_iam_policy.researcher", policy=LONG_POLICY)),
    ("policy_sizes", "everything", set_(f"{ROLE}_task", assume_role_policy=LONG_POLICY)),
    ("lifecycle_days", "prod", nested("aws_s3_bucket_lifecycle_configuration.this", "rule",
                                      status="Enabled", transition=[{"days": 900}])),
    ("user_data", "hosted", set_("aws_launch_template.nat_instance", user_data="x" * 22_000)),
    ("names", "prod", set_("aws_lb.lb", name="prod-hatchet-" + "x" * 20)),
    ("names", "prod", set_("aws_lb.lb", name="internal-hatchet")),
    ("names", "prod", set_("aws_lb_target_group.lb_dashboard", name="prod-dashboard-")),
    ("names", "prod", set_("aws_lb_target_group.lb_api", name="-prod")),
    ("names", "prod", set_("aws_db_instance.database", identifier="4-hatchet")),
    ("names", "prod", set_("aws_db_instance.database", identifier="prod--hatchet")),
    ("names", "prod", set_("aws_db_instance.database", identifier="x" * 64)),
    ("names", "prod", set_("aws_db_instance.database", username="hatchet-admin")),
    ("names", "prod", set_("aws_db_instance.database", final_snapshot_identifier="prod-hatchet-")),
    ("names", "prod", set_("aws_db_subnet_group.database", name="default")),
    ("names", "prod", set_("aws_db_parameter_group.database", name="prod.hatchet")),
    ("names", "prod", set_("aws_efs_file_system.rabbitmq[0]", creation_token="x" * 65)),
    ("names", "zoned", set_("aws_mq_broker.amazon_mq[0]", broker_name="x" * 51)),
    ("names", "prod", set_("aws_service_discovery_service.engine", name="the engine")),
    ("names", "prod", set_("aws_service_discovery_private_dns_namespace.this", name="prod..internal")),
    ("names", "prod", set_("aws_sns_topic.alarms", name="prod alarms")),
    ("names", "prod", set_("aws_cloudwatch_event_rule.services", name="x" * 65)),
    ("names", "prod", set_("aws_budgets_budget.month[0]", name="prod:month")),
    ("names", "prod", set_("aws_vpc_security_group_ingress_rule.api_at_database", description="Hatchet's API")),
    ("secret_names", "prod", set_("aws_secretsmanager_secret.keys", name="prod/hatchet-broker")),
    ("container_times", "prod", in_container(API, "api", healthCheck={"timeout": 61})),
    ("container_order", "hosted", in_container(SETUP, "ready", dependsOn=[_after("tokens", "SUCCESS")])),
    ("container_order", "hosted", in_container(SETUP, "token", essential=True)),
    ("container_order", "hosted", in_container(SETUP, "ready", dependsOn=[_after("token", "HEALTHY")])),
    ("container_order", "hosted", in_container(SETUP, "keys", dependsOn=[_after("token", "SUCCESS")])),
    ("container_order", "hosted", in_container(SETUP, "ready", essential=False)),
    ("container_start", "hosted", in_container("aws_ecs_task_definition.engine", "engine", entryPoint=["/hatchet/hatchet-engine"], command=[])),
    ("container_start", "hosted", in_container(SETUP, "ready", command=[])),
    ("container_parts", "hosted", in_container(SETUP, "ready", name="token")),
    ("container_parts", "hosted", in_container(SETUP, "ready", name="is ready")),
    ("container_parts", "hosted", in_container(SETUP, "ready", mountPoints=[{"sourceVolume": "data"}])),
    ("container_parts", "hosted", in_container(SETUP, "ready", linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}})),
    ("container_parts", "hosted", in_container(API, "api", portMappings=[{"containerPort": 1, "hostPort": 2}])),
    ("container_parts", "hosted", in_container(API, "api", environment=[{"name": "PGPASSWORD", "value": ""}])),
    ("container_parts", "prod", in_container(BROKER, "rabbitmq", ulimits=[{"name": "core"}])),
    ("execution_role", "hosted", without("aws_iam_role_policy.api_execution_secrets")),
    ("execution_role", "hosted", without("aws_iam_role_policy.setup_execution_log")),
    ("execution_role", "prod", without("aws_iam_role_policy.engine_execution_image")),
    ("execution_role", "prod", replaced("aws_iam_role_policy.rabbitmq_execution_secrets[0]", "policy", "prod/", "dev/")),
    ("reach", "prod", in_container(API, "api", image="ghcr.io/hatchet-dev/hatchet/hatchet-api:v0.104.7")),
    ("reach", "prod", in_container(API, "api", image=f"{A_REPOSITORY}.us-east-1.amazonaws.com/hatchet-api:1")),
    ("calls", "prod", without('aws_vpc_endpoint.interface["ecs"]')),
    ("calls", "prod", without("aws_vpc_endpoint.s3")),
    ("groups_of_interfaces", "prod", set_("aws_lb.lb", security_groups=list("abcdef"))),
    ("groups_of_interfaces", "prod", set_("aws_db_instance.database", vpc_security_group_ids=list("abcdef"))),
    ("security_group_rules", "prod", copies('aws_vpc_security_group_ingress_rule.lb_from_grpc[0]', 60)),
    ("balancer_subnets", "prod", set_("aws_lb.lb", subnets=["subnet-0123456789abcdef0"])),
    ("balancer_subnets", "hosted", set_('aws_subnet.private["us-east-1b"]', availability_zone="us-east-1a")),
    ("balancer_subnets", "hosted", set_('aws_subnet.private["us-east-1b"]', cidr_block="10.0.32.0/28")),
    ("balancer_subnets", "hosted", set_("aws_lb.lb", internal=False)),
    ("balancer_settings", "prod", set_("aws_lb.lb", idle_timeout=4001)),
    ("balancer_settings", "prod", set_("aws_lb_target_group.lb_api", deregistration_delay="3601")),
    ("balancer_settings", "prod", nested("aws_lb_target_group.lb_api", "health_check", interval=10)),
    ("balancer_settings", "prod", nested("aws_lb_target_group.lb_api", "health_check", unhealthy_threshold=11)),
    ("balancer_settings", "prod", nested("aws_lb_target_group.lb_engine[0]", "health_check", matcher="0-100")),
    ("served", "prod", set_("aws_lb_target_group.lb_api", target_type="instance")),
    ("served", "prod", without("aws_lb_listener_rule.lb_api_paths")),
    ("served", "prod", without("aws_lb_listener.lb_grpc")),
    ("served", "prod", nested("aws_ecs_service.api", "load_balancer", container_port=8081)),
    ("served", "prod", nested("aws_ecs_service.api", "load_balancer", container_name="dashboard")),
    ("graces", "prod", set_("aws_ecs_service.engine", health_check_grace_period_seconds=None)),
    ("graces", "hosted", set_("aws_ecs_service.engine", health_check_grace_period_seconds=60)),
    ("listeners", "prod", set_("aws_lb_listener.lb_redirect[0]", port=443)),
    ("listeners", "prod", set_("aws_lb_listener.lb_https[0]", certificate_arn=None)),
    ("listeners", "prod", replaced("aws_lb_listener.lb_https[0]", "certificate_arn", "eu-west-1", "us-east-1")),
    ("listeners", "prod", set_("aws_lb_listener.lb_grpc[0]", protocol="HTTP")),
    ("listeners", "prod", copies("aws_lb_listener_rule.lb_api_paths", 1)),
    ("access_logs", "prod", nested("aws_lb.lb", "access_logs", prefix="other")),
    ("access_logs", "prod", without("aws_s3_bucket_policy.lb_logs")),
    ("database_zones", "prod", set_("aws_db_subnet_group.database", subnet_ids=["subnet-0123456789abcdef0"])),
    ("database_zones", "hosted", set_('aws_subnet.private["us-east-1b"]', availability_zone="us-east-1a")),
    ("database_storage", "prod", set_("aws_db_instance.database", max_allocated_storage=54)),
    ("database_storage", "prod", set_("aws_db_instance.database", allocated_storage=19)),
    ("database_storage", "prod", set_("aws_db_instance.database", backup_retention_period=36)),
    ("database_windows", "prod", set_("aws_db_instance.database", backup_window="03:30-04:30")),
    ("database_windows", "prod", set_("aws_db_instance.database", backup_window="01:00-01:20")),
    ("database_windows", "prod", set_("aws_db_instance.database", maintenance_window="sun:03:00")),
    ("maintenance_apart", "zoned", set_("aws_db_instance.database", maintenance_window="wed:04:30-wed:05:30")),
    ("maintenance_apart", "zoned", set_("aws_db_instance.database", maintenance_window="tue:23:00-wed:03:01")),
    ("database_upgrades", "prod", set_("aws_db_instance.database", engine_version="16.4")),
    ("database_parameters", "prod", set_("aws_db_parameter_group.database", family="postgres15")),
    ("mount_targets", "prod", without("aws_efs_mount_target.rabbitmq[1]")),
    ("mount_targets", "prod", copies("aws_efs_mount_target.rabbitmq[0]", 1)),
    ("file_volumes", "prod", volume(BROKER, transit_encryption="DISABLED")),
    ("file_volumes", "prod", volume(BROKER, root_directory="/rabbitmq")),
    ("events", "prod", set_("aws_cloudwatch_event_rule.services", event_pattern="{}" + " " * 4096)),
    ("events", "prod", copies("aws_cloudwatch_event_target.services_to_alarms", 5)),
    ("events", "prod", nested("aws_cloudwatch_event_target.services_to_alarms", "input_transformer", input_paths={})),
    ("topics", "prod", without("aws_sns_topic_policy")),
    ("topics", "prod", replaced("aws_sns_topic_policy.alarms_policy", "policy", "events.amazonaws.com", "s3.amazonaws.com")),
    ("unconditional_publishing", "prod", replaced("aws_sns_topic_policy.alarms_policy", "policy",
     '"Effect":"Allow","Principal":{"Service":["events.amazonaws.com"]}',
     '"Condition":{"StringEquals":{"aws:SourceAccount":["123456789012"]}},"Effect":"Allow",'
     '"Principal":{"Service":["events.amazonaws.com"]}')),
    ("budgets", "prod", set_("aws_budgets_budget.month[0]", limit_amount="0")),
    ("budgets", "prod", nested("aws_budgets_budget.month[0]", "notification", subscriber_email_addresses=[])),
]  # fmt: skip
"""The rule that must say so, the environment, and what is broken in its plans."""
