"""The deployment as it is with RabbitMQ as its broker, on ECS or on Amazon MQ, and the broker on ECS itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.deployment import Deployment, apply, data, inside
from tests.engine.installation import HURRY, SECONDS, free_ports
from tests.support.deployed import Deployed
from tests.support.fargate.definitions import Data
from tests.support.fargate.rabbitmq import Image
from tests.support.fargate.task import Task
from tests.support.fargate.tasks import Fargate, fargate

MADE = {
    "rabbitmq": ("aws_ecs_service.rabbitmq[0]",),
    "amazon_mq": (
        "aws_secretsmanager_secret_version.amazon_mq[0]",
        "aws_iam_role_policy.setup_execution_secrets",
    ),
}
"""What an apply must make of each broker, with all that it stands on."""

CHANGED = ("engine", "api", "setup")
"""Whose task definition is another with another broker (`tests/deployments/test_hatchet_changes.py`)."""

PLACE = inside("rabbitmq", 5672)


@dataclass
class Brokered(Deployment):
    """The services of the engine and the API stay as they are, for the tests of another broker.

    Attributes:
        kind: `hatchet.broker`.
    """

    kind: str = "rabbitmq"

    def task_definition(self, name: str) -> str:
        return f"{self.hatchet}-{name}"

    @property
    def broker(self) -> Data:
        """The broker's service."""
        return self.service(self.hatchet, "rabbitmq")

    @property
    def access_point(self) -> str:
        """The id of the broker's access point."""
        (point,) = self.aws.client("efs").describe_access_points()["AccessPoints"]
        id_: str = point["AccessPointId"]
        return id_

    @property
    def secret(self) -> dict[str, str]:
        """The broker's URL and password."""
        secrets = self.aws.client("secretsmanager")
        value: dict[str, str] = json.loads(
            secrets.get_secret_value(SecretId=self.secret_arn(f"hatchet-{self.kind.replace('_', '-')}"))[
                "SecretString"
            ]
        )
        return value


def brokered(before: Deployment, folder: Path, kind: str = "rabbitmq") -> Brokered:
    """Set `broker`, and apply the broker and the task definitions that then are others.

    It has a copy of the state in which they are not, so that those before stay too. A second environment would take
    RDS's 80 seconds once more.
    """
    shutil.copytree(before.folder / "state", folder / "state")
    changed = data(before.aws)
    changed["hatchet"]["broker"] = kind
    definitions = [f"aws_ecs_task_definition.{name}" for name in CHANGED]
    deployed = Deployed.synthesized(before.aws, folder, changed)
    hatchet = deployed.terraform("hatchet").directory
    subprocess.run(
        ["terraform", "state", "rm", *definitions],
        cwd=hatchet,
        env=before.aws.environment,
        check=True,
        capture_output=True,
    )
    targets = [f"-target={address}" for address in (*MADE[kind], *definitions)]
    assert not (failed := apply(hatchet, before.aws.environment, *targets)), failed
    template = json.loads(deployed.template("hatchet").read_text())
    return Brokered(before.aws, before.between, template, folder, kind=kind)


@dataclass
class Broker:
    """The broker's service: one task after the other on the same files.

    Attributes:
        deployment: whose it is.
        image: what stands for its image.
        agent: runs its tasks.
    """

    deployment: Brokered
    image: Image
    agent: Fargate

    @property
    def url(self) -> str:
        """Its URL as it is stored, at the place where it is here."""
        url = self.deployment.secret["url"]
        assert url.count(PLACE) == 1
        return url.replace(PLACE, self.image.place)

    def start(self) -> Task:
        """Start a task and wait until ECS would take it for up."""
        task = self.agent.run(self.deployment.hatchet, self.deployment.broker["taskDefinition"])
        task.wait_healthy(SECONDS)
        return task

    def consumed(self) -> list[str]:
        """The names of the queues that someone consumes, once for each who does."""
        listed = subprocess.run(
            ["rabbitmqctl", "--quiet", "list_consumers", "queue_name", "--no-table-headers"],
            env=self.agent.tasks[-1].containers["rabbitmq"].definition.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return sorted(listed.stdout.split())


@contextmanager
def broker(deployment: Brokered, folder: Path) -> Iterator[Broker]:
    """A broker without any task yet, whose files are empty."""
    image = Image(folder / "image", folder / "files", *free_ports(3))
    for made in (image.folder, image.data):
        made.mkdir()
    with fargate(
        deployment.aws,
        folder / "tasks",
        programs=image.programs,
        variables=image.variables(),
        files={deployment.access_point: image.data},
        hurry=HURRY,
    ) as agent:
        yield Broker(deployment, image, agent)
