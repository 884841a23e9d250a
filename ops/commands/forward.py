"""``scythe-aws forward``: a self-hosted engine without a domain, at this machine's localhost, where its tokens name it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import ClientError

from environments.schema import Environment
from modules.hatchet.client import GRPC, HTTP
from ops.deployed.aws import Caller, code
from ops.environment import environment_of
from ops.errors import CommandError

INSTALL = {
    "aws": "the AWS CLI is needed: install it from "
    "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html (no aws is on the PATH)",
    "session-manager-plugin": "the AWS CLI's Session Manager plugin is needed: install it from "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html "
    "(no session-manager-plugin is on the PATH)",
}
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
SERVICE = "dashboard"
"""Whose tasks sessions go through, by ECS Exec's agent; and its container's name."""

BALANCER_PORT = 80
_POLL_SECONDS = 0.1
_END_SECONDS = 10.0


@dataclass(frozen=True)
class _Way:
    """A port of localhost, and what it leads to within the VPC."""

    local_port: int
    host: str
    port: int

    def command(self, target: str, region: str) -> list[str]:
        """How the AWS CLI opens it (AWS Systems Manager User Guide, "Start a session")."""
        parameters = {
            "host": [self.host],
            "portNumber": [str(self.port)],
            "localPortNumber": [str(self.local_port)],
        }
        return [
            "aws", "ssm", "start-session", "--region", region, "--target", target,
            "--document-name", DOCUMENT, "--parameters", json.dumps(parameters),
        ]  # fmt: skip


def forward(given: str) -> int:
    """Forward the ports of the engine and of the dashboard with its API, until Ctrl-C.

    Args:
        given: the environment's name or path.

    Returns:
        The exit status after Ctrl-C: 0.

    Raises:
        CommandError: nothing is to be forwarded, something is missing, or, with status 1, a session ended by itself.
    """
    environment = environment_of(given)
    _require_forwarded(environment)
    for program, words in INSTALL.items():
        if shutil.which(program) is None:
            raise CommandError(words)
    for port in (GRPC, HTTP):
        if _is_taken(port):
            raise CommandError(
                f"localhost:{port}, which {environment.name}'s tokens name, is in use: end what listens there (another "
                "scythe-aws forward?)"
            )
    caller = Caller(environment)
    target = _target(caller, environment)
    ways = [
        _Way(GRPC, f"engine.{environment.name}.scythe.internal", GRPC),
        _Way(HTTP, _balancer(caller, environment), BALANCER_PORT),
    ]
    with _sessions([way.command(target, environment.region) for way in ways]) as sessions:
        try:
            _wait(environment, given, ways, sessions)
        except KeyboardInterrupt:
            return 0
    raise CommandError(
        f"a session through {target} has ended, and the other with it: run scythe-aws forward {given} again",
        1,
    )


def is_forwarded(environment: Environment) -> bool:
    """Whether its engine is reached through forwarded ports alone."""
    return environment.hatchet.mode == "self_hosted" and environment.hatchet.domain is None


def is_reached() -> bool:
    """Whether something listens at both ports."""
    return _is_taken(GRPC) and _is_taken(HTTP)


def _require_forwarded(environment: Environment) -> None:
    if is_forwarded(environment):
        return
    if environment.hatchet.mode == "cloud":
        reason = "hatchet.mode is cloud, and Hatchet Cloud is reached as it is"
    else:
        reason = f"Hatchet is reached at https://{environment.hatchet.domain} (hatchet.domain) from hatchet.allowed_cidrs"
    raise CommandError(f"nothing is to be forwarded for {environment.name}: {reason}")


def _target(caller: Caller, environment: Environment) -> str:
    """A running task of the dashboard, as Session Manager names it."""
    ecs, cluster = caller.session.client("ecs"), f"{environment.name}-hatchet"
    try:
        arns = ecs.list_tasks(cluster=cluster, serviceName=SERVICE, desiredStatus="RUNNING")["taskArns"]
    except ClientError as error:
        if code(error) in {"ClusterNotFoundException", "ServiceNotFoundException"}:
            raise _not_deployed(environment) from None
        raise
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    for task in tasks:
        for container in task["containers"]:
            agents = {agent["name"]: agent["lastStatus"] for agent in container.get("managedAgents", [])}
            if container["name"] == SERVICE and agents.get("ExecuteCommandAgent") == "RUNNING":
                return f"ecs:{cluster}_{task['taskArn'].split('/')[-1]}_{container['runtimeId']}"
    state = "has none that takes sessions yet: try again in a minute" if tasks else "has none that runs"
    raise CommandError(
        f"ports are forwarded through a task of the service {SERVICE} in {cluster}, which {state}; its events in ECS's "
        "console say why",
        1,
    )


def _balancer(caller: Caller, environment: Environment) -> str:
    """The load balancer's name within the VPC."""
    balancers = caller.session.client("elbv2")
    try:
        found = balancers.describe_load_balancers(Names=[f"{environment.name}-hatchet"])
    except ClientError as error:
        if code(error) == "LoadBalancerNotFound":
            raise _not_deployed(environment) from None
        raise
    return str(found["LoadBalancers"][0]["DNSName"])


def _not_deployed(environment: Environment) -> CommandError:
    name = environment.name
    return CommandError(f"{name}'s engine is not deployed yet: run cdktf deploy {name}-hatchet first")


def _is_taken(port: int) -> bool:
    """Whether a port of localhost is in use; seen without connecting, which would open a way to the engine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@contextmanager
def _sessions(commands: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the AWS CLI's sessions; all of their processes end with the block, however it ends."""
    processes: list[subprocess.Popen[bytes]] = []
    signals = (signal.SIGTERM, signal.SIGHUP)  # they end what Ctrl-C ends
    before = {number: signal.signal(number, signal.default_int_handler) for number in signals}
    try:
        for command in commands:
            # In a group of its own: the AWS CLI ignores Ctrl-C and leaves it to its plugin.
            processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0))
        yield processes
    finally:
        for process in processes:
            _signal(process, signal.SIGINT)
        until = time.monotonic() + _END_SECONDS
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            _signal(process, signal.SIGKILL)
            process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _wait(
    environment: Environment, given: str, ways: Sequence[_Way], sessions: Sequence[subprocess.Popen[bytes]]
) -> None:
    """Say when both ports are open; wait until a session ends."""
    is_open = False
    while all(session.poll() is None for session in sessions):
        if not is_open and all(_is_taken(way.local_port) for way in ways):
            is_open = True
            print(
                f"Dashboard: http://localhost:{HTTP} (first user: the secret {environment.name}/hatchet-admin). "
                f"Experiments: scythe-aws connect {given} in another terminal. Ctrl-C ends it.",
                flush=True,
            )
        time.sleep(_POLL_SECONDS)
