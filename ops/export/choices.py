"""The choices that Terraform decides on in each module, and what a plan must then have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.export.given import ACCOUNT, ATTRIBUTES, FLEET, HATCHET, REGION

_DOMAIN = {"domain": "hatchet.example.org", "allowed_cidrs": ["203.0.113.0/24"]}
_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef"
_VPC = {name: ATTRIBUTES[name] for name in ("vpc_id", "public_subnet_ids", "private_subnet_ids")}
_IMAGE = f"{ATTRIBUTES['repository_url']}@sha256:{'0123456789abcdef' * 4}"
_CLOSED = {
    **ATTRIBUTES, "has_way_out": False, "private_has_way_out": False, "has_interface_endpoints": True,
    "endpoint_security_group_id": "sg-0123456789abcdef2",
}  # fmt: skip

_PROVIDERS = "aws_ecs_service.this.capacity_provider_strategy[*].capacity_provider"

FLEETS = (FLEET, "large", "fan")
"""All fleets that the root's tests have."""


@dataclass(frozen=True)
class Choice:
    """A run of a module's tests.

    Attributes:
        name: of the run.
        given: what the module is given beyond the least.
        facts: what must be, by the expression that tells.
    """

    name: str
    given: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def _count(**numbers: int) -> dict[str, int]:
    """How many there must be of resources, by their address with two underscores for the dot."""
    return {f"length({address.replace('__', '.')})": number for address, number in numbers.items()}


CHOICES: Mapping[str, tuple[Choice, ...]] = {
    "": (
        Choice("defaults", {}, {
            **_count(module__hatchet=0, module__hatchet_cluster=0, module__observability=0, module__worker_fleet=1),
            "output.engine_url": None, "output.cluster_name": "docs-workers",
        }),
        Choice("self_hosted", {"hatchet": {"mode": "self_hosted"}}, _count(module__hatchet=1, module__hatchet_cluster=1)),
        Choice("existing_vpc", {"network": {"existing": _VPC}}, {"output.vpc_id": _VPC["vpc_id"]}),
        Choice("existing_bucket", {"storage": {"existing": True, "bucket": "results"}}, {"output.bucket_name": "results"}),
        Choice(
            "fleets_by_name",
            {"image": _IMAGE, "workers": {FLEET: {"role": "leaf"}, "large": {"role": "leaf", "cpu": 16, "experiments": ["scythe_experiment_annual"]}, "fan": {"role": "fan"}}},
            _count(module__worker_fleet=3),
        ),
        Choice("alarms_by_mail", {"observability": {"alarm_email": "a@example.org"}}, _count(module__observability=1)),
        Choice("budget", {"observability": {"alarm_email": "a@example.org", "monthly_budget_usd": 100}}, _count(module__observability=1)),
        Choice("closed_network", {"hatchet": {"mode": "self_hosted"}, "network": {"nat": "none", "interface_endpoints": True}}, {"output.has_way_out": False, "output.has_interface_endpoints": True}),
    ),
    "network": (
        Choice("defaults", {}, _count(
            aws_subnet__public=2, aws_subnet__private=2, aws_nat_gateway__nat=0, aws_autoscaling_group__nat_instance=1,
            aws_vpc_endpoint__interface=0, aws_flow_log__flow_logs=0,
        )),
        Choice("zones_by_name", {"azs": ["eu-west-1b", "eu-west-1c"]}, {'aws_subnet.private["eu-west-1c"].availability_zone': "eu-west-1c"}),
        Choice("one_zone", {"az_count": 1}, _count(aws_subnet__public=1, aws_subnet__private=1)),
        Choice("three_zones", {"az_count": 3}, _count(aws_subnet__public=3, aws_subnet__private=3)),
        Choice("six_zones", {"az_count": 6}, _count(aws_subnet__public=6, aws_subnet__private=6)),
        Choice("no_nat", {"nat": "none"}, _count(aws_route__nat=0, aws_nat_gateway__nat=0, aws_autoscaling_group__nat_instance=0)),
        Choice("single_nat", {"nat": "single", "az_count": 3}, _count(aws_route__nat=3, aws_nat_gateway__nat=1, aws_eip__nat=1)),
        Choice("nat_per_az", {"nat": "per_az", "az_count": 3}, _count(aws_route__nat=3, aws_nat_gateway__nat=3, aws_eip__nat=3)),
        Choice("all_endpoints", {"interface_endpoints": True}, _count(aws_vpc_endpoint__interface=9, aws_security_group__endpoints=1)),
        Choice("some_endpoints", {"interface_endpoints": ["ecr.api", "logs"]}, _count(aws_vpc_endpoint__interface=2)),
        Choice("flow_logs", {"flow_logs": {}}, {"aws_cloudwatch_log_group.flow_logs[0].retention_in_days": 30}),
        Choice("logs_key", {"flow_logs": {}, "logs_key_arn": _KEY}, {"aws_cloudwatch_log_group.flow_logs[0].kms_key_id": _KEY}),
        Choice("public_workers", {"worker_subnets": "public", "nat": "none"}, {"output.worker_public_ip": True, "output.has_way_out": True}),
        Choice("existing", {"existing": _VPC}, {
            **_count(aws_vpc__this=0, aws_subnet__public=0, aws_subnet__private=0, aws_vpc_endpoint__s3=0),
            "output.vpc_id": _VPC["vpc_id"],
        }),
    ),
    "storage": (
        Choice("defaults", {}, {
            "output.bucket_name": f"docs-scythe-{ACCOUNT}-{REGION}", **_count(aws_s3_bucket__this=1),
            "aws_s3_bucket_versioning.this[0].versioning_configuration[0].status": "Enabled",
        }),
        Choice("named", {"bucket": "results"}, {"output.bucket_name": "results"}),
        Choice("existing", {"bucket": "results", "existing": True}, {
            **_count(aws_s3_bucket__this=0, aws_s3_bucket_policy__this=0), "output.bucket_name": "results",
        }),
        Choice("keys", {"bucket_key_arn": _KEY, "repositories_key_arn": _KEY}, {
            "one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).bucket_key_enabled": True,
            "aws_ecr_repository.worker.encryption_configuration[0].kms_key": _KEY, "output.bucket_key_arn": _KEY,
        }),
        Choice("without_versions", {"versioning": False}, {
            "aws_s3_bucket_versioning.this[0].versioning_configuration[0].status": "Suspended",
        }),
        Choice("archive", {"storage_lifecycle": {"archive_after_days": 30, "delete_after_days": 365}}, _count(aws_s3_bucket_lifecycle_configuration__this=1)),
    ),
    "client-token": (
        Choice("defaults", {}, _count(aws_secretsmanager_secret__this=1)),
        Choice("key", {"secrets_key_arn": _KEY}, {"aws_secretsmanager_secret.this[0].kms_key_id": _KEY, "output.token_secret_key_arn": _KEY}),
        Choice("existing", {"token_secret_arn": ATTRIBUTES["token_secret_arn"]}, {
            **_count(aws_secretsmanager_secret__this=0), "output.token_secret_arn": ATTRIBUTES["token_secret_arn"],
        }),
    ),
    "repositories": (
        Choice("defaults", {}, {"length(output.hatchet_repository_urls)": 0}),
        Choice("self_hosted_from_upstream", {"mode": "self_hosted"}, {"length(output.hatchet_repository_urls)": 0}),
        Choice("self_hosted_from_ecr", {"mode": "self_hosted", "image_registry": "ecr"}, {
            'contains(keys(output.hatchet_repository_urls), "hatchet-engine")': True,
            'contains(keys(output.hatchet_repository_urls), "rabbitmq")': False,
        }),
        Choice("key", {"mode": "self_hosted", "image_registry": "ecr", "repositories_key_arn": _KEY}, {
            'aws_ecr_repository.this["hatchet-engine"].encryption_configuration[0].kms_key': _KEY,
        }),
        Choice("with_rabbitmq", {"mode": "self_hosted", "image_registry": "ecr", "broker": "rabbitmq"}, {
            'contains(keys(output.hatchet_repository_urls), "rabbitmq")': True,
        }),
    ),
    "researcher": (Choice("defaults", {}, {"aws_iam_policy.this.name": f"docs-researcher-{REGION}"}),),
    "cluster": (
        Choice("defaults", {}, {"aws_ecs_cluster.this.name": "docs-workers"}),
        Choice("part", {"part": "hatchet"}, {"aws_ecs_cluster.this.name": "docs-hatchet"}),
    ),
    "hatchet": (
        Choice("defaults", {}, {
            **_count(aws_ecs_service__rabbitmq=0, aws_lb_listener__lb_http=1, aws_lb_listener__lb_https=0, aws_iam_policy__forward=1),
            "aws_ecs_service.engine.desired_count": 1,
        }),
        Choice("rabbitmq", {"broker": "rabbitmq"}, _count(aws_ecs_service__rabbitmq=1, aws_efs_file_system__rabbitmq=1)),
        Choice("amazon_mq", {"broker": "amazon_mq"}, {
            **_count(aws_mq_broker__amazon_mq=1, aws_ecs_service__rabbitmq=0),
            "aws_mq_broker.amazon_mq[0].host_instance_type": "mq.m7g.medium",
        }),
        Choice("certificate", {**_DOMAIN, "certificate_arn": _CERTIFICATE}, _count(
            aws_lb_listener__lb_https=1, aws_lb_listener__lb_grpc=1, aws_acm_certificate__lb_domain=0, aws_iam_policy__forward=0,
        )),
        Choice("zone", {**_DOMAIN, "zone_id": "Z0123456789ABC"}, _count(aws_acm_certificate__lb_domain=1, aws_route53_record__lb_domain=1)),
        Choice("keys", {"secrets_key_arn": _KEY, "logs_key_arn": _KEY}, {
            "aws_secretsmanager_secret.keys.kms_key_id": _KEY, "aws_cloudwatch_log_group.this.kms_key_id": _KEY,
        }),
        Choice("two_of_each", {part: {"count": 2} for part in ("engine", "api")}, {
            "aws_ecs_service.engine.desired_count": 2, "aws_ecs_service.api.desired_count": 2,
        }),
        Choice("images_of_ecr", {"repositories": {"hatchet_repository_urls": {"hatchet-engine": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/docs/hatchet-engine"}}}, _count(aws_iam_role_policy__engine_execution_image=1)),
        Choice("closed_network", {"network": _CLOSED}, _count(
            aws_vpc_security_group_egress_rule__engine_to_internet=0, aws_vpc_security_group_egress_rule__engine_to_endpoints=1,
        )),
    ),
    "worker-fleet": (
        Choice("defaults", {}, {
            **_count(aws_ecs_service__on_demand=0, aws_cloudwatch_metric_alarm__demand_from_104=0, aws_iam_role_policy__task_exec=0),
            "aws_appautoscaling_target.this.max_capacity": 0, 'contains(output.waits_for, "image")': True,
        }),
        Choice("fan", {"role": "fan"}, {"aws_ecs_task_definition.this.cpu": "4096"}),
        Choice("large", {"scaling": {"max": 1000}}, _count(
            aws_cloudwatch_metric_alarm__demand_from_104=1, aws_cloudwatch_metric_alarm__demand_from_722=1,
        )),
        Choice("scheduled", {"scaling": {"max": 10, "schedule": [{"start": "cron(0 20 ? * FRI *)", "end": "cron(0 6 ? * MON *)", "min": 2}]}}, _count(
            aws_appautoscaling_scheduled_action__start=1, aws_appautoscaling_scheduled_action__end=1,
        )),
        Choice("fallback", {"capacity": {"fallback": {"max": 10}}}, _count(aws_ecs_service__on_demand=1)),
        Choice("on_demand", {"capacity": {"on_demand": 1}}, {
            'one([for each in aws_ecs_service.this.capacity_provider_strategy : each.weight if each.capacity_provider == "FARGATE"])': 1,
        }),
        Choice("image", {"image": _IMAGE}, {'contains(output.waits_for, "image")': False}),
        Choice("public_image", {"image": "docker.io/example/worker:1.2.3"}, {'strcontains(aws_iam_role_policy.execution_image.policy, "ecr:BatchGetImage")': False}),
        Choice("logs_key", {"logs_key_arn": _KEY}, {"aws_cloudwatch_log_group.this.kms_key_id": _KEY}),
        Choice("exec", {"exec": True}, _count(aws_iam_role_policy__task_exec=1)),
        Choice("self_hosted", {"hatchet": HATCHET}, _count(aws_vpc_security_group_egress_rule__to_engine=1)),
        Choice("closed_network", {"network": _CLOSED}, _count(
            aws_vpc_security_group_egress_rule__to_internet=0, aws_vpc_security_group_egress_rule__to_endpoints=1,
        )),
    ),
    "backlog": (
        Choice("defaults", {}, {"aws_ecs_service.this.desired_count": 0}),
        Choice("fleets", {"fleets": {"a": {"role": "leaf", "image": _IMAGE}, "b": {"role": "fan", "architecture": "arm64", "image": _IMAGE}}}, {
            "aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture": "ARM64",
        }),
        Choice("public_image", {"fleets": {"a": {"role": "leaf", "image": "docker.io/example/worker:1.2.3"}}}, {'strcontains(aws_iam_role_policy.execution_image.policy, "ecr:BatchGetImage")': False}),
        Choice("on_spot", {}, {f"one({_PROVIDERS})": "FARGATE_SPOT"}),
        Choice("on_demand", {"spot": False}, {f"one({_PROVIDERS})": "FARGATE"}),
        Choice("fallback", {"fleets": {"a": {"role": "leaf", "capacity": {"fallback": {"max": 3}}}}}, {f"one({_PROVIDERS})": "FARGATE"}),
        Choice("alarm", {"alarm_topic": "docs-alarms"}, {"length(aws_cloudwatch_metric_alarm.silent.alarm_actions)": 1}),
        Choice("self_hosted", {"hatchet": HATCHET}, _count(aws_vpc_security_group_egress_rule__to_engine=1)),
        Choice("closed_network", {"network": _CLOSED}, _count(aws_vpc_security_group_egress_rule__to_internet=0)),
    ),
    "observability": (
        Choice("defaults", {}, _count(aws_sns_topic_subscription__mailbox=0, aws_budgets_budget__month=0)),
        Choice("mail", {"alarm_email": "a@example.org"}, _count(aws_sns_topic_subscription__mailbox=1)),
        Choice("budget", {"alarm_email": "a@example.org", "monthly_budget_usd": 100}, _count(aws_budgets_budget__month=1)),
    ),
}  # fmt: skip
"""By the module's name; the root's is empty."""
