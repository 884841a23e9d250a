"""A self-hosted environment as far as `token --rotate` looks at one."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from typing import Any

from local_aws import LocalAws
from tests.support.command import scythe_aws
from tests.support.fargate.shells import after, shell

NUMBERS = itertools.count(10)
STEPS = ("migrations", "keys", "keep", "database", "token")


def containers(**scripts: str) -> list[dict[str, Any]]:
    """Containers of the set-up's names, in its order, with scripts in place of its own."""
    steps: list[dict[str, Any]] = []
    for name in STEPS:
        before = after(**{steps[-1]["name"]: "SUCCESS"}) if steps else []
        steps.append(shell(name, scripts.get(name, "exit 0"), dependsOn=before))
    last = shell("ready", "", essential=True, dependsOn=after(token="SUCCESS"))
    return [*steps, {**last, "entryPoint": ["sleep"], "command": ["86400"]}]


class Lab:
    """A self-hosted environment of which there are a token's secret, workers' services, and the set-up's."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        self.name = f"lab{next(NUMBERS)}"
        self.cluster = f"{self.name}-hatchet"
        self.log = f"log group /scythe/{self.name}/hatchet"
        self.secret = f"{self.name}/hatchet-client-token"
        self.file = folder / f"{self.name}.yaml"
        self.file.write_text(
            f"name: {self.name}\nhatchet: {{mode: self_hosted}}\nworkers: {{simulations: {{role: leaf}}}}\n"
        )
        aws.client("secretsmanager").create_secret(Name=self.secret)
        subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        group = aws.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
        self._network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}

    def deploy(self, *, workers: bool = True, **scripts: str) -> None:
        """Make what `-hatchet` and `-workers` make, as far as it matters here."""
        ecs = self.aws.client("ecs")
        services = {self.cluster: ["setup"], f"{self.name}-workers": ["simulations", "backlog"]}
        for cluster, names in list(services.items())[: 2 if workers else 1]:
            ecs.create_cluster(clusterName=cluster)
            ecs.register_task_definition(
                family=cluster, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
                containerDefinitions=containers(**scripts),
            )  # fmt: skip
            for name in names:
                ecs.create_service(
                    cluster=cluster, serviceName=name, taskDefinition=cluster, desiredCount=1, launchType="FARGATE",
                    networkConfiguration=self._network,
                )  # fmt: skip

    def rotate(self) -> subprocess.CompletedProcess[str]:
        return scythe_aws(
            "token", self.file, "--rotate", cwd=self.file.parent, environment=self.aws.environment
        )

    @property
    def token(self) -> str:
        secret = self.aws.client("secretsmanager").get_secret_value(SecretId=self.secret)
        return str(secret["SecretString"])
