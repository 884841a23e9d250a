"""How an engine behaves with what the task definitions say."""

from __future__ import annotations

import json

import pytest

from tests.engine.clients import Api, admin, run_task
from tests.engine.conftest import Install
from tests.engine.installation import Installation
from tests.engine.marks import ENGINE

pytestmark = ENGINE

NOT_OF_RDS = "/@\"' "
"""Amazon RDS User Guide, "Constraints for passwords" of PostgreSQL."""

PASSWORD = "".join(each for each in map(chr, range(33, 127)) if each not in NOT_OF_RDS)

MIB = 1024 * 1024


@pytest.fixture
def engine(prepared: Install) -> Installation:
    """One that is up, with its API."""
    it = prepared()
    it.start("engine")
    it.start("api")
    return it


def test_a_password_of_all_characters_works_everywhere(empty: Install) -> None:
    it = empty(password=PASSWORD)
    it.set_up()
    it.start("engine")
    it.start("api")
    run_task(it)


def test_sigterm_ends_it_in_time_and_a_new_one_takes_the_old_token(engine: Installation) -> None:
    for task in list(engine.agent.tasks):
        if task.status == "RUNNING":
            for name, seconds in task.stop().items():
                assert seconds < task.containers[name].definition.stop_timeout / 2
            assert {*task.exit_codes.values()} == {0}, str(task)
    engine.start("engine")
    engine.start("api")
    run_task(engine)


def test_long_messages_go_through(engine: Installation) -> None:
    run_task(engine, 8 * MIB)


def test_nobody_makes_users_or_tenants_but_the_admin_comes_in(engine: Installation) -> None:
    email = json.loads(engine.secret("hatchet-admin"))["ADMIN_EMAIL"]
    stranger = Api(engine)
    new = {"name": "New", "email": "new@example.org", "password": "Password-1"}
    assert stranger.call("POST", "/users/register", new) == (400, refused("user signups are disabled"))
    wrong = {"email": email, "password": "Hatchet-1-wrong"}
    assert stranger.call("POST", "/users/login", wrong) == (400, refused("invalid credentials"))
    browser = admin(engine)
    assert browser.call("GET", "/users/current")[1]["email"] == email
    tenant = {"name": "Other", "slug": "other"}
    assert browser.call("POST", "/tenants", tenant) == (400, refused("tenant signups are disabled"))
    assert engine.query("""SELECT count(*) FROM "Tenant" WHERE slug = 'other'""") == [("0",)]


def refused(reason: str) -> str:
    return json.dumps({"errors": [{"description": reason}]}, separators=(",", ":")) + "\n"


def test_logs_are_json(engine: Installation) -> None:
    run_task(engine)
    for task in engine.agent.tasks:
        for name in {"engine", "api"} & task.containers.keys():
            lines = task.log(name).splitlines()
            assert lines
            assert all("level" in json.loads(line) for line in lines)
