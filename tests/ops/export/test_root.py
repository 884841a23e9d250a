"""The exported root module, applied by a consumer's configuration on the local AWS: the whole deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from tests.support.consumer import Consumer
from tests.support.deployed import set_up
from tests.support.providers import Providers

CONFIGURATION = """
variable "deployments" {
  type = any
}

module "made" {
  source   = "./dist"
  for_each = { for name in ["cloud"] : name => var.deployments[name] }

  name          = each.key
  tags          = { team = "buildings" }
  network       = { az_count = 1 }
  observability = try(each.value.observability, null)
  image         = each.value.image
  workers       = each.value.workers
}

# What the first plan does not know yet: a value of each input.
module "hosted" {
  source = "./dist/tests/fixtures/same-apply"

  name        = "hosted"
  own_network = var.deployments.hosted.own_network
  hatchet     = var.deployments.hosted.hatchet
}

output "made" {
  value = merge(module.made, { hosted = module.hosted.scythe })
}
"""

IMAGE = "docker.io/example/worker:1.2.3"
LEAF: dict[str, Any] = {"role": "leaf"}
OF_FIXTURE = {"cron(0 21 ? * FRI *)", "cron(0 5 ? * MON *)"}
NIGHT = {"start": "cron(0 20 ? * FRI *)", "end": "cron(0 6 ? * MON *)", "max": 80, "timezone": "Europe/Paris"}


def deployments() -> tuple[dict[str, Any], dict[str, Any]]:
    """What there is first, and what it becomes."""
    first: dict[str, Any] = {
        "cloud": {
            "image": IMAGE,
            "observability": {"alarm_email": "ops@example.org", "monthly_budget_usd": 100},
            "workers": {
                "simulations": {**LEAF, "scaling": {"min": 1, "schedule": [NIGHT]}},
                "fan": {"role": "fan"},
            },
        },
        "hosted": {"own_network": False, "hatchet": {}},
    }
    private = dict.fromkeys(("domain", "zone_id", "certificate_arn"))
    second = {
        "cloud": {
            "image": IMAGE,
            "workers": {
                "simulations": {**LEAF, "scaling": {"min": 1}},
                "heavy": {
                    **LEAF,
                    "experiments": ["scythe_experiment_annual"],
                    "capacity": {"spot": 0, "on_demand": 1},
                },
            },
        },
        "hosted": {
            "own_network": False,
            "hatchet": {
                **private,
                "allowed_cidrs": [],
                "broker": "postgres",
                "create_certificate": False,
                "enable_https": False,
            },
        },
    }
    return first, second


def services(aws: LocalAws, cluster: str) -> dict[str, int]:
    """How many tasks each service of a cluster is to have."""
    ecs = aws.client("ecs")
    names = ecs.list_services(cluster=cluster)["serviceArns"]
    found = ecs.describe_services(cluster=cluster, services=names)["services"] if names else []
    return {
        service["serviceName"]: service["desiredCount"] for service in found if service["status"] == "ACTIVE"
    }


def scheduled(aws: LocalAws) -> set[str]:
    found = aws.client("application-autoscaling").describe_scheduled_actions(ServiceNamespace="ecs")
    return {action["Schedule"] for action in found["ScheduledActions"]}


def floors(aws: LocalAws) -> dict[str, int]:
    """The least tasks of each fleet."""
    found = aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    return {
        target["ResourceId"].split("/", 1)[1]: target["MinCapacity"] for target in found["ScalableTargets"]
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_deployments_with_hatchet_cloud_and_with_an_engine_of_ones_own(
    tmp_path: Path, aws: LocalAws, providers: Providers, modules_repository: dict[str, str]
) -> None:
    before = aws.leftovers()
    first, second = deployments()
    consumer = Consumer(tmp_path, aws, providers, CONFIGURATION, modules_repository)

    with_own_network = {**first, "hosted": {**first["hosted"], "own_network": True}}
    with consumer.terraform(deployments=with_own_network) as terraform:
        assert terraform.plan()
    _, outputs = consumer.apply(deployments=first)

    made = outputs["made"]
    assert {name: found["alarms_topic_arn"] is not None for name, found in made.items()} == {
        "cloud": True, "hosted": True,
    }  # fmt: skip
    assert {name: found["engine_address"] is not None for name, found in made.items()} == {
        "cloud": False, "hosted": True,
    }  # fmt: skip
    assert {name: found["dashboard_url"] for name, found in made.items()} == {
        "cloud": None, "hosted": "https://hatchet.hosted.org",
    }  # fmt: skip
    assert made["hosted"]["vpc_id"] not in {None, made["cloud"]["vpc_id"]}
    assert "rabbitmq" in " ".join(services(aws, "hosted-hatchet"))
    assert scheduled(aws) == {NIGHT["start"], NIGHT["end"], *OF_FIXTURE}
    # Nothing runs before there is a token.
    assert set(floors(aws).values()) == {0}

    set_up(aws.client("secretsmanager"))
    _, outputs = consumer.apply(deployments=second)

    made = outputs["made"]
    assert {name: found["alarms_topic_arn"] for name, found in made.items()} == {
        "cloud": None, "hosted": made["hosted"]["alarms_topic_arn"],
    }  # fmt: skip
    assert made["hosted"]["dashboard_url"] == "http://localhost:8080"
    assert "rabbitmq" not in " ".join(services(aws, "hosted-hatchet"))
    assert scheduled(aws) == OF_FIXTURE
    assert floors(aws) == {
        "cloud-workers/heavy": 0, "cloud-workers/simulations": 1,
        "hosted-workers/fan": 0, "hosted-workers/simulations": 1,
    }  # fmt: skip

    consumer.destroy(deployments=second)
    assert sorted(set(aws.leftovers()) - set(before)) == []
