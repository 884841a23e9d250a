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

resource "aws_vpc" "theirs" {
  cidr_block           = "10.99.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "theirs" {
  count = 2

  vpc_id            = aws_vpc.theirs.id
  cidr_block        = cidrsubnet(aws_vpc.theirs.cidr_block, 8, count.index)
  availability_zone = "us-east-1${["a", "b"][count.index]}"
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

resource "aws_ecr_repository" "theirs" {
  name = "theirs"
}

resource "aws_secretsmanager_secret" "theirs" {
  name                    = "theirs/licence"
  recovery_window_in_days = 0
}

resource "aws_ssm_parameter" "theirs" {
  name  = "/theirs/licence"
  type  = "SecureString"
  value = "a-licence"
}

# What the first plan does not know yet: an image's repository, and the ARNs of values.
module "hosted" {
  source = "./dist"

  name    = "hosted"
  hatchet = var.deployments.hosted.hatchet
  image   = "${aws_ecr_repository.theirs.repository_url}:1.2.3"
  workers = {
    for name, fleet in var.deployments.hosted.workers : name => merge(fleet, {
      secrets = { KEY = aws_secretsmanager_secret.theirs.arn, SERVER = aws_ssm_parameter.theirs.arn }
    })
  }
  network = {
    existing = {
      vpc_id             = aws_vpc.theirs.id
      public_subnet_ids  = aws_subnet.theirs[*].id
      private_subnet_ids = aws_subnet.theirs[*].id
    }
  }
}

output "made" {
  value = merge(module.made, { hosted = module.hosted })
}
"""

IMAGE = "docker.io/example/worker:1.2.3"
LEAF: dict[str, Any] = {"role": "leaf"}
NIGHT = {"start": "cron(0 20 ? * FRI *)", "end": "cron(0 6 ? * MON *)", "max": 80, "timezone": "Europe/Paris"}
RELEASED = {"deletion_protection": False, "final_snapshot": False}
"""A database that goes with the rest."""


def deployments(zone_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What there is first, and what it becomes."""
    engine = {
        "mode": "self_hosted", "domain": "hatchet.example.org", "zone_id": zone_id,
        "allowed_cidrs": ["10.0.0.0/8"], "broker": "rabbitmq",
    }  # fmt: skip
    first: dict[str, Any] = {
        "cloud": {
            "image": IMAGE,
            "observability": {"alarm_email": "ops@example.org", "monthly_budget_usd": 100},
            "workers": {
                "simulations": {**LEAF, "scaling": {"min": 1, "schedule": [NIGHT]}},
                "fan": {"role": "fan"},
            },
        },
        "hosted": {
            "image": IMAGE,
            "hatchet": engine,
            "workers": {"simulations": {**LEAF, "scaling": {"min": 2}}},
        },
    }
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
        "hosted": {**first["hosted"], "hatchet": {"mode": "self_hosted", "database": RELEASED}},
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
    zone = aws.client("route53").create_hosted_zone(Name="example.org", CallerReference="ours")["HostedZone"][
        "Id"
    ]
    before = aws.leftovers()
    first, second = deployments(zone.rpartition("/")[2])
    consumer = Consumer(tmp_path, aws, providers, CONFIGURATION, modules_repository)

    _, outputs = consumer.apply(deployments=first)

    made = outputs["made"]
    assert {name: found["alarms_topic_arn"] is not None for name, found in made.items()} == {
        "cloud": True, "hosted": False,
    }  # fmt: skip
    assert {name: found["engine_address"] is not None for name, found in made.items()} == {
        "cloud": False, "hosted": True,
    }  # fmt: skip
    assert {name: found["dashboard_url"] for name, found in made.items()} == {
        "cloud": None, "hosted": "https://hatchet.example.org",
    }  # fmt: skip
    assert made["hosted"]["vpc_id"] not in {None, made["cloud"]["vpc_id"]}
    assert "rabbitmq" in " ".join(services(aws, "hosted-hatchet"))
    assert scheduled(aws) == {NIGHT["start"], NIGHT["end"]}
    # Nothing runs before there is a token.
    assert set(floors(aws).values()) == {0}

    set_up(aws.client("secretsmanager"))
    _, outputs = consumer.apply(deployments=second)

    made = outputs["made"]
    assert {name: found["alarms_topic_arn"] for name, found in made.items()} == dict.fromkeys(made)
    assert made["hosted"]["dashboard_url"] == "http://localhost:8080"
    assert "rabbitmq" not in " ".join(services(aws, "hosted-hatchet"))
    assert scheduled(aws) == set()
    assert floors(aws) == {
        "cloud-workers/heavy": 0, "cloud-workers/simulations": 1, "hosted-workers/simulations": 2,
    }  # fmt: skip

    consumer.destroy(deployments=second)
    assert sorted(set(aws.leftovers()) - set(before)) == []
