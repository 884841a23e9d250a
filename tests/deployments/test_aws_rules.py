"""Rules that AWS enforces and the local AWS does not: kept by the dozen, and seen to fail on broken plans."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ops.aws_rules import RULES, breaches
from tests.deployments.conftest import Runs
from tests.deployments.deployed import Data

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Break = Callable[[Data], None]


def test_the_dozen_keeps_all_rules(runs: Runs) -> None:
    found = {name: breaches(run.plans().values()) for name, run in runs.runs.items() if not run.error}
    assert {name: breached for name, breached in found.items() if breached} == {}


def test_what_only_an_apply_tells_is_not_judged(runs: Runs) -> None:
    plans = runs.runs["everything"].plans().values()
    for plan in plans:
        for resource in plan["planned_values"]["root_module"]["resources"]:
            for name in list(resource["values"]):
                if re.search(r"(^|_)(ids?|arn|role|task_definition)$", name):
                    del resource["values"][name]
    assert breaches(plans) == []


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


def step(start: int, end: int | None) -> Data:
    """A step of a scaling policy."""
    bounds = {"metric_interval_lower_bound": str(start), "metric_interval_upper_bound": str(end or "")}
    return {**bounds, "scaling_adjustment": 1}


def _resources(plans: Data, address: str) -> list[Data]:
    for plan in plans.values():
        resources: list[Data] = plan["planned_values"]["root_module"].get("resources", [])
        if any(item["address"].startswith(address) for item in resources):
            return resources
    raise KeyError(address)


def _values(plans: Data, address: str) -> Data:
    values: Data = next(item for item in _resources(plans, address) if item["address"] == address)["values"]
    return values


TASK, SERVICE, ROLE = (
    f"aws_{kind}.simulations" for kind in ("ecs_task_definition", "ecs_service", "iam_role")
)
GROUP = "aws_security_group.simulations"
POLICY = "aws_appautoscaling_policy.simulations_demand_from_1[0]"
ALARM, QUIET = (
    f"aws_cloudwatch_metric_alarm.simulations_{name}[0]" for name in ("demand_from_1", "no_demand")
)
LONG_POLICY = json.dumps({"Statement": [{"Resource": "x" * 11_000}]})
A_SUBNET, ANOTHER = (f'aws_subnet.private["us-east-1{zone}"]' for zone in "ab")
SCHEDULED = 'aws_appautoscaling_scheduled_action.simulations_start["cron(0 20 ? * FRI *) Europe/Paris"]'

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
    ("names", "docs", set_("aws_s3_bucket.this[0]", bucket="x" * 64)),
    ("names", "docs", set_("aws_ecr_repository.worker", name="Docs/worker")),
    ("names", "docs", set_("aws_secretsmanager_secret.token[0]", name="docs token")),
    ("names", "docs", set_("aws_iam_policy.researcher", name="x" * 129)),
    ("names", "everything", set_("aws_iam_role_policy.simulations_task_bucket", name="the bucket")),
    ("tags", "docs", set_("aws_vpc.this[0]", tags_all={f"tag-{number}": "" for number in range(51)})),
    ("tags", "docs", set_("aws_vpc.this[0]", tags_all={"aws:owner": "research"})),
    ("tags", "docs", set_("aws_vpc.this[0]", tags_all={"owner": "R&D"})),
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
    ("scaling_steps", "everything", nested(POLICY, "step_scaling_policy_configuration", step_adjustment=[])),
    ("scaling_steps", "everything", nested(POLICY, "step_scaling_policy_configuration", step_adjustment=[
        step(start, start + 1) for start in range(20)] + [step(20, None)])),
    ("scaling_steps", "everything", nested(POLICY, "step_scaling_policy_configuration", step_adjustment=[
        step(0, 1), step(2, None)])),
    ("scaling_steps", "everything", nested(POLICY, "step_scaling_policy_configuration", step_adjustment=[
        step(0, 2), step(1, None)])),
    ("scaling_steps", "everything", nested(POLICY, "step_scaling_policy_configuration", step_adjustment=[
        step(0, 2)])),
    ("scaling_steps", "everything", nested(POLICY, "step_scaling_policy_configuration", step_adjustment=[
        step(-2, 0)])),
    ("scaling_policies", "everything", copies(POLICY, 50)),
    ("alarm_periods", "everything", set_(QUIET, period=45)),
    ("alarm_periods", "everything", set_(QUIET, evaluation_periods=1441)),
    ("subnets_in_vpc", "docs", set_(A_SUBNET, cidr_block="10.21.0.0/19")),
    ("subnets_in_vpc", "docs", set_(A_SUBNET, cidr_block="10.20.0.0/29")),
    ("subnets_in_vpc", "docs", set_(ANOTHER, cidr_block="10.20.16.0/20")),
    ("subnets_in_vpc", "docs", set_("aws_vpc.this[0]", cidr_block="10.0.0.0/8")),
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
    ("endpoints", "prod", set_("aws_vpc_endpoint.s3[0]", service_name="com.amazonaws.us-east-1.s3")),
    ("endpoints", "prod", set_("aws_vpc_endpoint.s3[0]", route_table_ids=[])),
    ("endpoints", "prod", set_('aws_vpc_endpoint.interface["logs"]', security_group_ids=[])),
    ("endpoints", "prod", set_("aws_vpc.this[0]", enable_dns_hostnames=False)),
    ("endpoints", "prod", set_('aws_subnet.private["eu-west-1a"]', availability_zone="eu-west-1b")),
    ("policy_sizes", "everything", set_("aws_iam_role_policy.simulations_task_bucket", policy=LONG_POLICY)),
    ("policy_sizes", "docs", set_("aws_iam_policy.researcher", policy=LONG_POLICY)),
    ("policy_sizes", "everything", set_(f"{ROLE}_task", assume_role_policy=LONG_POLICY)),
    ("lifecycle_days", "prod", nested("aws_s3_bucket_lifecycle_configuration.this[0]", "rule",
                                      status="Enabled", transition=[{"days": 900}])),
    ("user_data", "least", set_("aws_launch_template.nat_instance[0]", user_data="x" * 22_000)),
]  # fmt: skip
"""The rule that must say so, the environment, and what is broken in its plans."""


@pytest.mark.parametrize(
    ("rule", "name", "change"), BROKEN, ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(BROKEN)]
)
def test_a_rule_sees_a_broken_plan(runs: Runs, rule: str, name: str, change: Break) -> None:
    plans = copy.deepcopy(runs.runs[name].plans())
    change(plans)
    assert rule in {breach.rule for breach in breaches(plans.values())}


def test_every_rule_is_seen_to_fail_and_cites_aws() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, _, _ in BROKEN}
    assert [rule.__name__ for rule in RULES if "Guide" not in str(rule.__doc__)
            and "Reference" not in str(rule.__doc__)] == []  # fmt: skip
