"""What talks to an engine: hatchet-sdk in a process of its own, and the REST API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

from tests.engine.installation import Installation
from tests.support.fargate.guard import end
from tests.support.project import ROOT

SECONDS = 150
TAIL = 6000
"""Characters of logs that a failure shows."""

TENANT = "707d0855-80ab-4e1f-a156-f1c4546cbf52"
"""The one that Hatchet's seed makes."""


def run_task(it: Installation, length: int = 1, token: str | None = None) -> None:
    """Run a task on a worker, both with what the workers' task definition gives them.

    Args:
        it: whose engine and API are up.
        length: of the text that the task takes and gives back.
        token: another than the one that is stored.
    """
    given = it.client_environment() | ({"HATCHET_CLIENT_TOKEN": token} if token else {})
    with subprocess.Popen(
        [sys.executable, "-m", "tests.engine.echo", str(length)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as client:
        try:
            said, errors = client.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            end(client.pid)
            said, errors = client.communicate()
            errors = f"nothing came back within {SECONDS} s\n{errors}"
        finally:
            end(client.pid)
    assert (client.returncode, said) == (0, "it came back\n"), f"{errors[-TAIL:]}\n{it.logs()[-TAIL:]}"


def accepts(it: Installation, token: str) -> bool:
    """Whether the API takes a token."""
    status, _ = Api(it).call("GET", f"/tenants/{TENANT}/task-stats", token=token)
    assert status in (200, 403), status
    return status == 200


class Api:
    """The REST API, with one browser's cookies."""

    def __init__(self, it: Installation) -> None:
        self._url = f"http://127.0.0.1:{it.ports['api']}/api/v1"
        self._open = urllib.request.build_opener(_Cookies()).open

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None
    ) -> tuple[int, Any]:
        """Call it; the status and what was answered."""
        request = urllib.request.Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {token}"} if token else {}),
            },
            method=method,
        )
        try:
            with self._open(request, timeout=SECONDS) as answer:
                # Some answers have no body, such as an accepted invitation.
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def admin(it: Installation) -> Api:
    """The API as the admin sees it, who logs in with the password of the secret."""
    secret = json.loads(it.secret("hatchet-admin"))
    api = Api(it)
    status, answer = api.call(
        "POST", "/users/login", {"email": secret["ADMIN_EMAIL"], "password": secret["ADMIN_PASSWORD"]}
    )
    assert status == 200, answer
    return api


class _Cookies(urllib.request.BaseHandler):
    """Cookies for ``localhost``, where people forward the API's port to, sent to where it is here."""

    def __init__(self) -> None:
        self._jar: dict[str, str] = {}

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        if self._jar:
            request.add_unredirected_header(
                "Cookie", "; ".join(f"{name}={value}" for name, value in self._jar.items())
            )
        return request

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:
        for header in response.headers.get_all("Set-Cookie") or []:
            name, _, value = header.partition(";")[0].partition("=")
            self._jar[name] = value
        return response
