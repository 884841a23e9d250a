"""The alarms, policies and bounds that the constructs make, read from Terraform's plan.

Without a plan of a deployment, the same construct is planned by itself, with no cloud: Terraform computes the
values, and asks AWS nothing to create resources.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cdktf_cdktf_provider_aws.ecs_service import EcsService, EcsServiceCapacityProviderStrategy
from constructs import Construct

from benchmarks.autoscaling.cloudwatch import AlarmRule, Metric
from benchmarks.autoscaling.scaling import Step, StepPolicy
from environments.regions import partition_of
from environments.schema import Environment
from modules.worker_fleet.autoscaling import Autoscaling
from modules.worker_fleet.bounds import Bounds
from modules.worker_fleet.fallback import Fallback
from ops.terraform import Terraform
from synthesis.expression import Expression, where
from synthesis.functions import is_set
from synthesis.output import synthesized_into
from synthesis.stack import Deployment, EnvironmentStack, Place


@dataclass
class Scaled:
    """What scales one service.

    Attributes:
        least: the minimum of its scalable target.
        most: its maximum.
        alarms: those that act on it.
        policies: its policies, by the address that the alarms name.
    """

    least: int
    most: int
    alarms: list[AlarmRule] = field(default_factory=list)
    policies: dict[str, StepPolicy] = field(default_factory=dict)


def planned(environment: Environment, folder: Path) -> Mapping[str, Any]:
    """Plan all fleets' scaling of an environment in a folder; Terraform's JSON of that plan."""
    deployment = Deployment(environment.name, Place(environment.region, partition_of(environment.region)), {})
    with synthesized_into(folder / "out") as app:
        stack = EnvironmentStack(app, deployment, "scaling")
        for key in ("skip_credentials_validation", "skip_requesting_account_id", "skip_metadata_api_check"):
            stack.add_override(f"provider.aws.0.{key}", True)
        for name, fleet in environment.workers.items():
            settings = stack.values(f"workers.{name}", fleet)
            cluster = Expression(f'"{environment.name}-workers"')
            bounds = Bounds(
                stack,
                name,
                label=stack.label,
                settings=settings,
                cluster_name=cluster,
                service_name=Expression(f'"{name}"'),
                runs=True,
            )
            Autoscaling(
                bounds, "Autoscaling", label=stack.label, fleet=name, settings=settings, target=bounds.target
            )
            make_fallback = partial(
                Fallback, bounds, "on_demand", label=stack.label, fleet=name, settings=settings,
                cluster_name=cluster, runs=True, make_service=_bare_service,
            )  # fmt: skip
            where(is_set(settings.capacity.fallback), lambda exists, make=make_fallback: make(exists=exists))
    credentials = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    terraform = Terraform(
        folder / "out" / "stacks" / f"{environment.name}-scaling", {**os.environ, **credentials}
    )
    terraform.init()
    plan = terraform.directory / "plan"
    terraform.plan(plan)
    return terraform.show_json(plan)


def _bare_service(
    scope: Construct, name: str, capacity: list[EcsServiceCapacityProviderStrategy], count: float | None
) -> EcsService:
    return EcsService(scope, "Service", name=name, count=count, capacity_provider_strategy=capacity)


def of_environment(environment: Environment) -> dict[str, Scaled]:
    """What scales the services of an environment."""
    with tempfile.TemporaryDirectory() as folder:
        return read(planned(environment, Path(folder)))


def read(plan: Mapping[str, Any]) -> dict[str, Scaled]:
    """What scales the services in a plan, by their names.

    Args:
        plan: of a workers' stack, as ``terraform show -json`` prints it.
    """
    resources = {
        item["address"]: item["values"]
        for item in plan["planned_values"]["root_module"]["resources"]
        if item["mode"] == "managed"
    }
    actions = _actions(plan)
    services: dict[str, Scaled] = {}
    for address, values in resources.items():
        if address.startswith("aws_appautoscaling_target."):
            services[_service(values)] = Scaled(int(values["min_capacity"]), int(values["max_capacity"]))
    for address, values in resources.items():
        if address.startswith("aws_appautoscaling_policy."):
            services[_service(values)].policies[address.partition("[")[0]] = _policy(values)
    for address, values in resources.items():
        if address.startswith("aws_cloudwatch_metric_alarm."):
            name = address.partition("[")[0]
            for service in services.values():
                policies = tuple(policy for policy in actions.get(name, ()) if policy in service.policies)
                if policies:
                    service.alarms.append(_alarm(values, policies))
    return services


def _service(values: Mapping[str, Any]) -> str:
    return str(values["resource_id"]).rpartition("/")[2]


def _actions(plan: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The policies that each alarm's actions refer to: their ARNs are known only once they are there."""
    return {
        item["address"]: tuple(
            dict.fromkeys(
                reference.partition("[")[0]
                for reference in item["expressions"].get("alarm_actions", {}).get("references", ())
                if reference.startswith("aws_appautoscaling_policy.")
            )
        )
        for item in plan["configuration"]["root_module"]["resources"]
        if item["type"] == "aws_cloudwatch_metric_alarm"
    }


def _policy(values: Mapping[str, Any]) -> StepPolicy:
    (configuration,) = values["step_scaling_policy_configuration"]
    steps = [
        Step(
            float(step.get("metric_interval_lower_bound") or "-inf"),
            float(step.get("metric_interval_upper_bound") or "inf"),
            int(step["scaling_adjustment"]),
        )
        for step in configuration["step_adjustment"]
    ]
    return StepPolicy(
        values["name"],
        configuration["adjustment_type"],
        sorted(steps, key=lambda step: step.lower),
        float(configuration["cooldown"]),
    )


def _alarm(values: Mapping[str, Any], actions: tuple[str, ...]) -> AlarmRule:
    queries = values.get("metric_query") or []
    if queries:
        metrics = {
            query["id"]: _metric(query["metric"][0], query["metric"][0]["stat"])
            for query in queries
            if query.get("metric")
        }
        (expression,) = (query["expression"] for query in queries if query.get("expression"))
    else:
        metrics, expression = {"metric": _metric(values, values["statistic"])}, "metric"
    return AlarmRule(
        values["alarm_name"],
        metrics,
        expression,
        values["comparison_operator"],
        float(values["threshold"]),
        int(values["evaluation_periods"]),
        int(values.get("datapoints_to_alarm") or values["evaluation_periods"]),
        values["treat_missing_data"],
        actions,
    )


def _metric(values: Mapping[str, Any], statistic: str) -> Metric:
    return Metric(
        values["namespace"],
        values["metric_name"],
        tuple(sorted((values.get("dimensions") or {}).items())),
        statistic,
        int(values["period"]),
    )
