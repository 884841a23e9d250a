"""A container of one of Hatchet's tasks, as a task definition says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modules.common.container import assigned, log_configuration, mount_points, named
from synthesis.expression import Expression, text
from synthesis.literals import hcl


@dataclass(frozen=True)
class HealthCheck:
    """When a container counts as healthy.

    Attributes:
        command: what ends with 0 where it is.
        interval: seconds between two checks.
        timeout: seconds that one may take.
        retries: failures in a row after which it is not (at most 10).
        start_seconds: after its start, in which failures do not count.
    """

    command: Sequence[str]
    interval: int = 20
    retries: int = 10
    start_seconds: int = 60
    timeout: int = 10

    @classmethod
    def get(cls, url: str) -> HealthCheck:
        """Whether an address answers with 2xx. Hatchet's images have busybox's wget, and no curl."""
        return cls(["CMD", "wget", "-q", "-O", "/dev/null", url])

    def document(self) -> dict[str, object]:
        """In the words of the ECS API."""
        return {
            "command": list(self.command),
            "interval": self.interval,
            "timeout": self.timeout,
            "retries": self.retries,
            "startPeriod": self.start_seconds,
        }


@dataclass(frozen=True)
class Container:
    """One container.

    Attributes:
        name: its name in the task.
        image: its image.
        command: program and arguments; each starts as it is, so that it gets SIGTERM itself.
        environment: variables, each with the expression of its value; null leaves one out.
        secrets: variables that ECS reads from Secrets Manager at each start, each with its ``valueFrom``, likewise.
        user: whom it runs as.
        replaces_entry_point: whether its image has an ENTRYPOINT, in whose place the program stands. Where there is
            none the program stands in ``command``: an ``entryPoint`` with an empty ``command`` may start with the
            image's CMD as arguments or without (the platform decides), a ``command`` alone is the same everywhere.
        drops: whether it drops all capabilities; an expression where Terraform decides.
        after: the containers that must have ended well before it starts. They may take three hours, after which ECS
            gives a task up that is not running (Amazon ECS API, ``ContainerDefinition``, ``startTimeout``).
        essential: whether the task ends with it.
        health_check: when it counts as healthy.
        stop_seconds: between SIGTERM and SIGKILL.
        ports: what it listens at.
        volumes: paths by the names of volumes.
        read_only: whether its root file system is; an expression where Terraform decides.
        writes: why it is not.
        open_files: the most files it may have open; None for Fargate's own limit.
    """

    name: str
    image: Expression
    command: Sequence[str]
    environment: Mapping[str, Expression] = field(default_factory=dict)
    secrets: Mapping[str, Expression] = field(default_factory=dict)
    user: str = "65534:65534"
    replaces_entry_point: bool = False
    drops: Expression | None = None
    after: Sequence[str] = ()
    essential: bool = True
    health_check: HealthCheck | None = None
    stop_seconds: int = 30
    ports: Sequence[int] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    read_only: Expression | bool = True
    writes: str = ""
    open_files: int | None = None

    def document(self, log_group_name: Expression, region: Expression) -> dict[str, object]:
        """In the words of the ECS API."""
        dropped = Expression(f'{self.drops} ? ["ALL"] : []') if self.drops is not None else ["ALL"]
        optional: dict[str, object] = {}
        if self.after:
            optional["dependsOn"] = [{"containerName": name, "condition": "SUCCESS"} for name in self.after]
        if self.health_check:
            optional["healthCheck"] = self.health_check.document()
        if self.open_files:
            limit = {"name": "nofile", "softLimit": self.open_files, "hardLimit": self.open_files}
            optional["ulimits"] = [limit]
        return {
            "name": self.name,
            "image": self.image,
            "essential": self.essential,
            **self._program(),
            "user": self.user,
            "readonlyRootFilesystem": self.read_only,
            # Nothing here is made to be PID 1, which gets no signal that it does not ask for.
            "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": dropped}},
            "stopTimeout": self.stop_seconds,
            "environment": _listed(self.environment, "value"),
            "secrets": _listed(self.secrets, "valueFrom"),
            "portMappings": [
                {"containerPort": port, "hostPort": port, "protocol": "tcp"} for port in self.ports
            ],
            "mountPoints": mount_points(self.volumes),
            "logConfiguration": log_configuration(log_group_name, region, self.name),
            "systemControls": [],
            "volumesFrom": [],
            **optional,
        }

    def _program(self) -> dict[str, object]:
        if not self.replaces_entry_point:
            return {"command": list(self.command)}
        program, *arguments = self.command
        return {"entryPoint": [program], "command": arguments}


def _listed(values: Mapping[str, Expression], key: str) -> Expression:
    return named(assigned(dict(sorted(values.items()))), key) if values else Expression("[]")


def documents(containers: Sequence[Container], log_group_name: Expression, region: Expression) -> str:
    """The containers of a task definition, as JSON that Terraform writes."""
    described = [container.document(log_group_name, region) for container in containers]
    return text(f"jsonencode({hcl(described)})")
