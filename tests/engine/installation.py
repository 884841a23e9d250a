"""An engine with secrets, a database and ports of its own, run from a deployment's task definitions."""

from __future__ import annotations

import shutil
import socket
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modules.hatchet.authorities import authorities
from tests.engine.deployment import Deployment, inside
from tests.support.deployed import keys_of
from tests.support.fargate import binaries
from tests.support.fargate.definitions import Data
from tests.support.fargate.postgres import Postgres
from tests.support.fargate.task import Task
from tests.support.fargate.tasks import Fargate, fargate

SECONDS = 180
"""The longest that a task may take to come up."""

HURRY = 20
"""What intervals of health checks are divided by."""

AUTHORITY = authorities()["us-east-1"]
"""What the task definitions take for the authority of the database's certificate."""

PASSWORD = "hatchet-database"
FILLED = ("hatchet-admin", "hatchet-client-token", "hatchet-keys")
"""The secrets that the set-up fills."""

SECRETS = (PASSWORD, *FILLED)


@dataclass
class Stored:
    """What a set-up has left: a database, and the secrets' versions with their stages.

    Attributes:
        database: its name.
        versions: by the secret's name; of each version its id, value and stages.
    """

    database: str
    versions: Mapping[str, list[tuple[str, str, list[str]]]]


@dataclass
class Installation:
    """What `installation` makes.

    Attributes:
        deployment: whose task definitions it runs.
        server: the database's server.
        database: the database's name.
        arns: its own secrets by their names in the deployment.
        ports: by service: the engine's, its health checks', the API's and the dashboard's.
        agent: runs its tasks.
        dashboards: runs the dashboard's, which listens at the port that the API has.
        hidden: what may be in no log.
    """

    deployment: Deployment
    server: Postgres
    database: str
    arns: Mapping[str, str]
    ports: Mapping[str, int]
    agent: Fargate
    dashboards: Fargate
    hidden: set[str] = field(default_factory=set)

    def run(self, name: str, overrides: Data | None = None) -> Task:
        """Start a task of one of the engine's services."""
        definition = self.deployment.task_definition(name)
        agent = self.dashboards if name == "dashboard" else self.agent
        return agent.run(self.deployment.hatchet, definition, overrides)

    def start(self, name: str) -> Task:
        """Start a service's task and wait until ECS would take it for up."""
        task = self.run(name)
        task.wait_healthy(SECONDS)
        return task

    def set_up(self, **variables: str) -> Task:
        """Run the set-up to its last step.

        Args:
            variables: what RunTask puts over the variables of its steps.
        """
        task = self.begin_set_up(**variables)
        task.wait_running(SECONDS)
        return task

    def begin_set_up(self, **variables: str) -> Task:
        """Start the set-up."""
        changes = [{"name": name, "value": value} for name, value in variables.items()]
        overrides = (
            {"containerOverrides": [{"name": "database", "environment": changes}]} if changes else None
        )
        return self.run("setup", overrides)

    def secret(self, name: str) -> str:
        """A secret's value."""
        value: str = self._secrets.get_secret_value(SecretId=self.arns[name])["SecretString"]
        return value

    def versions(self, name: str) -> dict[str, str]:
        """The ids of a secret's versions by their stages."""
        listed = self._secrets.list_secret_version_ids(SecretId=self.arns[name])["Versions"]
        return {stage: version["VersionId"] for version in listed for stage in version["VersionStages"]}

    @property
    def token(self) -> str:
        """The client token that is stored."""
        return self.secret("hatchet-client-token")

    def tokens(self) -> list[tuple[str, ...]]:
        """The tokens of the database in the order in which they were made: name, and whether it is revoked."""
        return self.query('SELECT name, revoked FROM "APIToken" ORDER BY "createdAt"')

    def query(self, sql: str) -> list[tuple[str, ...]]:
        """The rows of a statement in its database."""
        return self.server.query(sql, self.database)

    def rollout(self) -> str:
        """The deployment of the workers' service, another each time that they are started anew."""
        (deployment,) = self.deployment.service(self.deployment.workers, "simulations")["deployments"]
        id_: str = deployment["id"]
        return id_

    def client_environment(self) -> dict[str, str]:
        """The variables of a worker's task that hatchet-sdk reads, hosts and ports aside."""
        overrides = {"containerOverrides": [{"name": "worker", "command": ["true"]}]}
        service = self.deployment.service(self.deployment.workers, "simulations")
        task = self.agent.run(self.deployment.workers, service["taskDefinition"], overrides)
        given = task.containers["worker"].definition.environment
        task.wait_stopped(SECONDS)
        return {
            name: value
            for name, value in given.items()
            if name.startswith("HATCHET_CLIENT_") and "HEALTHCHECK" not in name
        }

    def store(self) -> Stored:
        """Keep what is there, for others to begin with."""
        return Stored(self.database, {name: list(self._versions(name)) for name in FILLED})

    def logs(self) -> str:
        """All that its tasks have written."""
        return "\n".join(
            container.log.read_text(errors="replace")
            for agent in (self.agent, self.dashboards)
            for task in agent.tasks
            for container in task.containers.values()
        )

    @property
    def _secrets(self) -> Any:
        return self.deployment.aws.client("secretsmanager")

    def _versions(self, name: str) -> Iterator[tuple[str, str, list[str]]]:
        arn = self.arns[name]
        for version in self._secrets.list_secret_version_ids(SecretId=arn)["Versions"]:
            id_ = version["VersionId"]
            value = self._secrets.get_secret_value(SecretId=arn, VersionId=id_)["SecretString"]
            yield id_, value, version["VersionStages"]

    def _hide(self) -> None:
        """Note what no log may show."""
        for name in SECRETS:
            for _, value, _ in self._versions(name):
                self.hidden |= {value, *_parts(value)}
        self.hidden |= {quote(value, safe="") for value in self.hidden}


def _parts(value: str) -> Iterator[str]:
    """The values of a secret that is JSON, and of a token what proves it."""
    yield from (text for name, text in keys_of(value).items() if name != "ADMIN_EMAIL")
    if value.startswith("ey") and value.count(".") == 2:
        yield value.rpartition(".")[2]


@contextmanager
def installation(
    deployment: Deployment,
    server: Postgres,
    folder: Path,
    *,
    stored: Stored | None = None,
    password: str | None = None,
    programs: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """Make an installation that ends with the block; its logs then have none of its secrets.

    Args:
        deployment: whose task definitions it runs.
        server: where its database is to be.
        folder: gets its tasks' logs.
        stored: what a set-up has left; by default it has never been set up.
        password: the database's; by default the one that Terraform stored.
        programs: what stands for programs of the images, beside Hatchet's own.
        variables: what each container has beside its own.
        places: where things are here that are not its own.
    """
    database = f"hatchet_{uuid.uuid4().hex[:12]}"
    secrets = deployment.aws.client("secretsmanager")
    password = password or secrets.get_secret_value(SecretId=deployment.secret_arn(PASSWORD))["SecretString"]
    server.set_password("hatchet", password)
    origin = f'TEMPLATE "{stored.database}"' if stored else ""
    server.query(f'CREATE DATABASE "{database}" OWNER hatchet {origin}')
    arns = {name: secrets.create_secret(Name=f"{database}/{name}")["ARN"] for name in SECRETS}
    for name, versions in stored.versions.items() if stored else ():
        _restore(secrets, arns[name], versions)
    secrets.put_secret_value(SecretId=arns[PASSWORD], SecretString=password)
    ports = dict(zip(("engine", "health", "api", "dashboard"), free_ports(4), strict=True))
    folder = folder / database
    folder.mkdir()
    given = {
        "PATH": _path(),
        **deployment.aws.variables,
        "AWS_ENDPOINT_URL": deployment.between.endpoint_url,
        "SERVER_HEALTHCHECK_PORT": str(ports["health"]),
        **(variables or {}),
    }
    run = {**_programs(folder), **(programs or {})}
    found = {**_places(deployment, server, database, arns, ports), **(places or {})}
    with (
        fargate(
            deployment.aws, folder / "tasks", programs=run, places=found, variables=given, hurry=HURRY
        ) as agent,
        fargate(
            deployment.aws,
            folder / "dashboards",
            programs=run,
            places={"8080": str(ports["dashboard"])},
            variables={"PATH": _path()},
            hurry=HURRY,
        ) as dashboards,
    ):
        made = Installation(deployment, server, database, arns, ports, agent, dashboards, {password})
        yield made
    made._hide()
    for volumes in folder.glob("*/*/volumes"):
        shutil.rmtree(volumes)
    written = made.logs() + server.log.read_text(errors="replace")
    assert not any(value in written for value in made.hidden), "a log shows a secret"


def _restore(secrets: Any, arn: str, versions: list[tuple[str, str, list[str]]]) -> None:
    for id_, value, stages in versions:
        secrets.put_secret_value(
            SecretId=arn, ClientRequestToken=id_, SecretString=value, VersionStages=stages or ["WAS_THERE"]
        )


def _path() -> str:
    """Where the images' other programs are: PostgreSQL's, the AWS CLI, Python, the shell's."""
    found = [binaries.postgres_binaries(), binaries.aws_cli(), Path(sys.executable)]
    folders = [str(path if path.is_dir() else path.parent) for path in found if path]
    return ":".join([*folders, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"])


def _programs(folder: Path) -> dict[str, str]:
    """Hatchet's programs in the places of its images, and pages for the dashboard to show."""
    hatchet = binaries.hatchet_binaries()
    assert hatchet, binaries.missing()
    image = folder / "app"
    (image / "dist").mkdir(parents=True)
    (image / "dist" / "index.html").write_text("<title>Hatchet</title>")
    file_server = hatchet / binaries.DASHBOARD
    if file_server.exists():
        (image / file_server.name).symlink_to(file_server)
    return {"/hatchet": str(hatchet), "/app": str(image)}


def _places(
    deployment: Deployment,
    server: Postgres,
    database: str,
    arns: Mapping[str, str],
    ports: Mapping[str, int],
) -> dict[str, str]:
    """Where things are here that the task definitions name.

    What people type is left as it is: a token names it, and is good wherever the engine listens.
    """
    return {
        **{deployment.secret_arn(name): arn for name, arn in arns.items()},
        f"{deployment.database}/hatchet": f"{server.place}/{database}",
        AUTHORITY: server.certificate.read_text(),
        inside("engine", 7070): f"127.0.0.1:{ports['engine']}",
        inside("api", 8080): f"127.0.0.1:{ports['api']}",
        "localhost:7070": "localhost:7070",
        "localhost:8080": "localhost:8080",
        "127.0.0.1:8733": f"127.0.0.1:{ports['health']}",
        "7070": str(ports["engine"]),
        "8080": str(ports["api"]),
        # How long the set-up waits between two attempts at the database, and at its lock.
        "sleep 5": "sleep 0.1",
    }


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
