"""A self-hosted environment on a local AWS, applied as an operator does whose first apply fails."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from local_aws import LocalAws
from tests.engine.between import Between, Call, Refusal, between
from tests.support.deployed import Data, Deployed

NAME = "hosted"
BUCKET = "results-of-all"
DATABASE = "aws_db_instance.database"


@dataclass
class Deployment:
    """An environment with all of its stacks but what watches them.

    Attributes:
        aws: where it is.
        between: what its tasks' calls pass through.
        template: the Terraform JSON of its engine's stack.
        folder: holds its states.
        first_apply: what Terraform said of the apply that failed.
        passwords: the password of each attempt at making the database.
    """

    aws: LocalAws
    between: Between
    template: Data
    folder: Path
    first_apply: str = ""
    passwords: list[str] = field(default_factory=list)

    @property
    def hatchet(self) -> str:
        """The engine's cluster."""
        return f"{NAME}-hatchet"

    @property
    def workers(self) -> str:
        """The workers' cluster."""
        return f"{NAME}-workers"

    @property
    def database(self) -> str:
        """The database's host and port."""
        (instance,) = self.aws.client("rds").describe_db_instances()["DBInstances"]
        return f"{instance['Endpoint']['Address']}:{instance['Endpoint']['Port']}"

    def service(self, cluster: str, name: str) -> Data:
        """A service, as DescribeServices shows it."""
        (service,) = self.aws.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
        described: Data = service
        return described

    def task_definition(self, name: str) -> str:
        """The task definition of one of the engine's services."""
        arn: str = self.service(self.hatchet, name)["taskDefinition"]
        return arn

    def secret_arn(self, name: str) -> str:
        """The ARN of one of the environment's secrets."""
        arn: str = self.aws.client("secretsmanager").describe_secret(SecretId=f"{NAME}/{name}")["ARN"]
        return arn

    def order(self) -> list[str]:
        """The engine's services in an order in which Terraform brings them up, by its ``depends_on``."""
        services: dict[str, Data] = self.template["resource"]["aws_ecs_service"]
        made = {address: service for address, service in services.items() if "count" not in service}
        graph = {
            address: {
                needed.rpartition(".")[2]
                for needed in service.get("depends_on", [])
                if needed.startswith("aws_ecs_service.") and needed.rpartition(".")[2] in made
            }
            for address, service in made.items()
        }
        return [made[address]["name"] for address in TopologicalSorter(graph).static_order()]


def inside(service: str, port: int) -> str:
    """The host and port by which the VPC finds one of the engine's services."""
    return f"{service}.{NAME}.scythe.internal:{port}"


def data(aws: LocalAws) -> Data:
    """The environment's: all of its engine is as it is by default.

    Its network and bucket are there already, which spares a minute of waiting.
    """
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    network = {"vpc_id": vpc, "public_subnet_ids": subnets[:2], "private_subnet_ids": subnets[2:4]}
    return {
        "name": NAME,
        "network": {"existing": network},
        "storage": {"bucket": BUCKET, "existing": True},
        "hatchet": {"mode": "self_hosted"},
        "image": "example.org/worker:1",
        "workers": {"simulations": {"role": "leaf"}},
    }


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    """Deploy it. RDS refuses the database once, when its password is in Secrets Manager already."""
    with LocalAws.start(log=folder / "local-aws.log") as aws, between(aws.endpoint_url) as passing:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        deployed = Deployed.synthesized(aws, folder, data(aws))
        deployed.apply(["network", "storage"])
        made = Deployment(aws, passing, json.loads(deployed.template("hatchet").read_text()), folder)
        hatchet = deployed.terraform("hatchet").directory
        environment = {**aws.environment, "AWS_ENDPOINT_URL_RDS": passing.endpoint_url}

        def refuse(call: Call) -> None:
            raise Refusal("InstanceQuotaExceeded")

        with passing.before("CreateDBInstance", refuse):
            made.first_apply = apply(hatchet, environment, f"-target={DATABASE}")
        assert not (failed := apply(hatchet, environment)), failed
        made.passwords = [values["MasterUserPassword"] for values in passing.called("CreateDBInstance")]
        deployed.apply(["workers"])
        yield made


def apply(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """What Terraform says of an apply that fails; nothing of one that does not."""
    result = subprocess.run(
        ["terraform", "apply", "-auto-approve", "-no-color", "-input=false", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return result.stderr if result.returncode else ""
