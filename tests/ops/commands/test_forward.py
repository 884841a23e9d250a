"""`scythe-aws forward`: which sessions it opens, and that none outlives it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.client
import psutil
import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from ops.commands import forward
from ops.errors import CommandError
from tests.support.command import nowhere, scythe_aws

RUNTIME = "0123456789abcdef-1234"
SECONDS = 20

LISTENS = """\
import json, os, signal, socket, sys, time
with open(os.environ["RECORD"] + ".new" + str(os.getpid()), "w") as record:
    json.dump(sys.argv[1:], record)
os.rename(record.name, os.environ["RECORD"] + str(os.getpid()))
parameters = json.loads(sys.argv[sys.argv.index("--parameters") + 1])
listening = socket.create_server(("127.0.0.1", int(parameters["localPortNumber"][0])))
signal.signal(signal.SIGINT, signal.SIG_IGN)
plugin = os.fork()
if not plugin:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execlp("sleep", "sleep", "600")
while os.path.exists(os.environ["RECORD"]):
    if os.waitpid(plugin, os.WNOHANG)[0]:
        break
    time.sleep(0.02)
"""
"""In place of the AWS CLI: it ignores Ctrl-C, and ends when its plugin does, or when the session is closed."""


class Place:
    """A deployed engine without a domain, and a PATH with an AWS CLI that notes how it is called.

    Attributes:
        file: the environment's.
        programs: the only folder on PATH.
        ports: what stands for the engine's and the API's.
        said: what the dashboard's tasks are, as DescribeTasks answers.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "lab.yaml"
        self.file.write_text("name: lab\nhatchet: {mode: self_hosted}\nworkers: {sims: {role: leaf}}\n")
        self.programs = folder / "bin"
        self.programs.mkdir()
        self._record = folder / "called"
        self._record.touch()
        for name, text in {
            "aws": f"#!{shutil.which('python3')}\n{LISTENS}",
            "session-manager-plugin": "#!/bin/sh\n",
        }.items():
            program = self.programs / name
            program.write_text(text)
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
        monkeypatch.setenv("RECORD", str(self._record))
        self.ports = free_port(), free_port()
        monkeypatch.setattr(forward, "GRPC", self.ports[0])
        monkeypatch.setattr(forward, "HTTP", self.ports[1])
        agents = [{"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}]
        self.said: list[dict[str, Any]] = [
            {
                "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/lab-hatchet/abc123",
                "containers": [{"name": "dashboard", "runtimeId": RUNTIME, "managedAgents": agents}],
            }
        ]

    @property
    def calls(self) -> list[list[str]]:
        return [
            json.loads(path.read_text()) for path in self._record.parent.glob(f"{self._record.name}[0-9]*")
        ]

    def close_a_session(self) -> None:
        self._record.unlink()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def aws(aws: LocalAws) -> LocalAws:
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    aws.client("elbv2").create_load_balancer(Name="lab-hatchet", Subnets=subnets)
    aws.client("ecs").create_cluster(clusterName="lab-hatchet")
    return aws


@pytest.fixture
def place(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    place = Place(tmp_path, monkeypatch)
    call = botocore.client.BaseClient._make_api_call

    def answered(self: Any, name: str, parameters: dict[str, Any]) -> Any:
        if name == "ListTasks":
            assert (parameters["serviceName"], parameters["desiredStatus"]) == ("dashboard", "RUNNING")
            call(self, name, parameters)  # moto runs no tasks of services, but knows the cluster
            return {"taskArns": [task["taskArn"] for task in place.said]}
        return {"tasks": place.said} if name == "DescribeTasks" else call(self, name, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answered)
    return place


def when(condition: Callable[[], bool], do: Callable[[], None]) -> threading.Thread:
    """Do something in a thread, once a condition is met."""

    def wait() -> None:
        until = time.monotonic() + SECONDS
        while not condition() and time.monotonic() < until:
            time.sleep(0.02)
        do()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if child.name() in {"sleep", "aws"}]


def test_both_ports_are_forwarded_through_the_dashboards_task_until_ctrl_c(
    place: Place, aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    def told() -> bool:
        shown.append(capsys.readouterr().out)
        return "Dashboard: " in "".join(shown)

    thread = when(told, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert forward.forward(str(place.file)) == 0
    thread.join()
    assert "".join(shown) == (
        f"Dashboard: http://localhost:{place.ports[1]} (first user: the secret lab/hatchet-admin). Experiments: "
        f"scythe-aws connect {place.file} in another terminal. Ctrl-C ends it.\n"
    )
    balancer = aws.client("elbv2").describe_load_balancers(Names=["lab-hatchet"])["LoadBalancers"][0][
        "DNSName"
    ]
    called = {json.loads(call[-1])["host"][0]: call for call in place.calls}
    assert called.keys() == {"engine.lab.scythe.internal", balancer}
    for host, port, local_port in (
        ("engine.lab.scythe.internal", place.ports[0], place.ports[0]),
        (balancer, 80, place.ports[1]),
    ):
        assert called[host][:-1] == [
            "ssm", "start-session", "--region", "us-east-1", "--target", f"ecs:lab-hatchet_abc123_{RUNTIME}",
            "--document-name", "AWS-StartPortForwardingSessionToRemoteHost", "--parameters",
        ]  # fmt: skip
        assert json.loads(called[host][-1]) == {
            "host": [host], "portNumber": [str(port)], "localPortNumber": [str(local_port)]
        }  # fmt: skip
    assert children() == []


def test_with_one_session_the_other_ends_too(place: Place) -> None:
    thread = when(lambda: len(place.calls) == 2 and forward.is_reached(), place.close_a_session)
    with pytest.raises(
        CommandError, match=r"^a session through ecs:lab-hatchet_abc123_\S+ has ended"
    ) as ended:
        forward.forward(str(place.file))
    thread.join()
    assert ended.value.status == 1
    assert children() == []


@pytest.mark.parametrize("program", ["aws", "session-manager-plugin"])
def test_a_missing_program_is_told_with_where_to_get_it(
    place: Place, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.programs / program).unlink()
    monkeypatch.setenv("PATH", str(place.programs))
    with pytest.raises(
        CommandError, match=rf"is needed: install it from https://docs\.aws\.\S+ \(no {program} is"
    ):
        forward.forward(str(place.file))


def test_a_port_in_use_is_told(place: Place) -> None:
    said = rf"^localhost:{place.ports[1]}, which lab's tokens name, is in use"
    with (
        socket.create_server(("127.0.0.1", place.ports[1])),
        pytest.raises(CommandError, match=said),
    ):
        forward.forward(str(place.file))
    assert place.calls == []


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([], "has none that runs"),
        ([{"taskArn": "a/b", "containers": [{"name": "dashboard"}]}], "has none that takes sessions yet"),
    ],
)
def test_a_dashboard_that_takes_no_sessions_is_told(
    place: Place, tasks: list[dict[str, Any]], said: str
) -> None:
    place.said = tasks
    with pytest.raises(CommandError, match=said) as refused:
        forward.forward(str(place.file))
    assert refused.value.status == 1


@pytest.mark.parametrize("missing", ["ListTasks", "DescribeLoadBalancers"])
def test_what_is_not_deployed_is_told(place: Place, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    call = botocore.client.BaseClient._make_api_call
    codes = {"ListTasks": "ClusterNotFoundException", "DescribeLoadBalancers": "LoadBalancerNotFound"}

    def answered(self: Any, name: str, parameters: dict[str, Any]) -> Any:
        if name == missing:
            raise ClientError({"Error": {"Code": codes[name], "Message": "not found"}}, name)
        return call(self, name, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answered)
    with pytest.raises(
        CommandError, match=r"^lab's engine is not deployed yet: run cdktf deploy lab-hatchet first$"
    ):
        forward.forward(str(place.file))


@pytest.mark.parametrize(
    ("hatchet", "said"),
    [
        ("mode: cloud", "hatchet.mode is cloud, and Hatchet Cloud is reached as it is"),
        (
            "mode: self_hosted, domain: hatchet.example.org, zone_id: Z0123456789ABC",
            "Hatchet is reached at https://hatchet.example.org (hatchet.domain) from hatchet.allowed_cidrs",
        ),
    ],
)
def test_nothing_is_forwarded_to_what_is_reached_without(tmp_path: Path, hatchet: str, said: str) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: lab\nhatchet: {{{hatchet}}}\nworkers: {{sims: {{role: leaf}}}}\n")
    result = scythe_aws("forward", file, cwd=tmp_path, environment=nowhere())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"nothing is to be forwarded for lab: {said}\n"
