"""How a second person gets into the dashboard."""

from __future__ import annotations

from tests.engine.clients import TENANT, Api, admin
from tests.engine.conftest import Install
from tests.engine.installation import SECONDS, Installation
from tests.engine.marks import ENGINE
from tests.support.fargate.task import Task

pytestmark = ENGINE

EMAIL, PASSWORD = "second@example.org", "Second-Person-1"
MEMBERS = f"/tenants/{TENANT}/members"


def start(it: Installation, sign_up: str) -> Task:
    given = [{"name": "SERVER_ALLOW_SIGNUP", "value": sign_up}]
    task = it.run("api", {"containerOverrides": [{"name": "api", "environment": given}]})
    task.wait_healthy(SECONDS)
    return task


def register(it: Installation) -> tuple[int, object]:
    return Api(it).call("POST", "/users/register", {"email": EMAIL, "name": "Second", "password": PASSWORD})


def log_in(it: Installation) -> Api:
    api = Api(it)
    status, answer = api.call("POST", "/users/login", {"email": EMAIL, "password": PASSWORD})
    assert status == 200, answer
    return api


def test_a_person_registers_while_sign_up_is_on_and_stays_when_it_is_off(prepared: Install) -> None:
    it = prepared()
    invitation = {"email": EMAIL, "role": "MEMBER"}
    closed = start(it, "false")
    status, answer = admin(it).call("POST", f"/tenants/{TENANT}/invites", invitation)
    assert status == 201, answer
    # What the documentation once said is not so: the invitation alone lets nobody register.
    status, answer = register(it)
    assert status == 400 and "signups are disabled" in str(answer)
    closed.stop()

    opened = start(it, "true")
    status, answer = register(it)
    assert status == 200, answer
    person = log_in(it)
    assert person.call("GET", MEMBERS)[0] in (401, 403)
    assert person.call("POST", "/tenants", {"name": "own", "slug": "own"})[0] >= 400
    status, invites = person.call("GET", "/users/invites")
    (invite,) = invites["rows"]
    status, answer = person.call("POST", "/users/invites/accept", {"invite": invite["metadata"]["id"]})
    assert status == 200, answer
    opened.stop()

    start(it, "false")
    status, memberships = log_in(it).call("GET", "/users/memberships")
    assert [row["role"] for row in memberships["rows"]] == ["MEMBER"]
