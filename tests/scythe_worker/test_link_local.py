"""A proxy in a fleet's environment hears nothing of the container's own agent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from scythe_worker.link_local import ADDRESSES, keep_from_proxies
from tests.scythe_worker.test_protection import ARN, agent
from tests.scythe_worker.test_worker import environment
from tests.support.serving import answering

CREDENTIALS = {
    "AccessKeyId": "AKIDEXAMPLE",
    "SecretAccessKey": "secret",
    "Token": "t",
    "Expiration": "2126-01-01T00:00:00Z",
}
TASK = {
    "TaskARN": ARN,
    "AvailabilityZone": "eu-west-1a",
    "ServiceName": "docs",
    "Family": "docs",
    "Revision": "1",
}

PROGRAM = """
import os
from scythe_worker import identity, protection
from scythe_worker.link_local import keep_from_proxies
# Without the exceptions too: the agent's own requests know of no proxy.
print(protection.put_protection(os.environ["ECS_AGENT_URI"], 5))
print(identity.worker_name(os.environ, "fleet"), identity.worker_labels(os.environ))
keep_from_proxies()
import boto3, botocore.utils, urllib.request
print(boto3.Session().get_credentials().access_key)
for host in ("169.254.170.2", "169.254.169.254"):
    assert not botocore.utils.get_environ_proxies(f"http://{host}/"), host
print(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task").status)
print(botocore.utils.get_environ_proxies("https://s3.eu-west-1.amazonaws.com/"))
"""


@contextmanager
def canary() -> Iterator[tuple[str, list[str]]]:
    """A proxy; its address, and every request that it was sent."""
    heard: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.command} {self.path}")
            self.send_error(502)

        do_PUT = do_POST = do_HEAD = do_CONNECT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with answering(Proxy) as port:
        yield f"http://127.0.0.1:{port}", heard


def answer(method: str, path: str) -> tuple[int, object]:
    if path == "/credentials":
        return 200, CREDENTIALS
    return 200, TASK if method == "GET" else {"protection": {"ProtectionEnabled": True}}


@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_no_request_to_the_agent_goes_to_a_proxy(spelling: type[str]) -> None:
    with canary() as (proxy, heard), agent(answer) as (address, asked):
        names = (spelling("http_proxy"), spelling("https_proxy"), spelling("all_proxy"))
        given = environment(
            ECS_AGENT_URI=address,
            ECS_CONTAINER_METADATA_URI_V4=address,
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{address}/credentials",
            **dict.fromkeys(names, proxy),
        )
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 0, ran.stderr
    protection, name, key, status, others = ran.stdout.splitlines()
    assert protection == ""
    assert name.startswith(f"fleet-{ARN.rpartition('/')[2]}-eu-west-1a {{'ecs_service': 'docs'")
    assert (key, status) == ("AKIDEXAMPLE", "200")
    # What the fleet's owner has set goes on to hold for everything else.
    assert proxy in others
    assert heard == []
    assert [each[0] for each in asked] == ["PUT", "GET", "GET", "GET", "GET"]


def test_the_exceptions_come_beside_ones_own() -> None:
    given = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "internal.example, 127.0.0.1"}
    for _ in range(2):
        keep_from_proxies(given)
        assert given["NO_PROXY"] == given["no_proxy"]
        assert given["NO_PROXY"].split(",") == [
            "internal.example",
            "127.0.0.1",
            *(each for each in ADDRESSES if each != "127.0.0.1"),
        ]


def test_without_a_proxy_nothing_is_set() -> None:
    given = {"HTTP_PROXY": "", "HOME": os.sep}
    keep_from_proxies(given)
    assert given == {"HTTP_PROXY": "", "HOME": os.sep}
