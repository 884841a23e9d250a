"""No secret of a self-hosted environment is in a template, a plan, a state, or what Terraform says."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from modules.hatchet.amazon_mq import AMQPS, FIRST_PASSWORD
from tests.deployments.conftest import Run, Runs
from tests.support.deployed import keys_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

HOSTED = ("hosted", "prod", "zoned")
each_environment = pytest.mark.parametrize("name", HOSTED)

SECRET = re.compile(r"password|passwd|secret_(string|binary)|private_key|auth_token|access_key|credential")
"""Names of attributes that hold a secret."""

HARMLESS = re.compile(r"_version$|^password_length$|_wo$")
"""What is beside them: versions and lengths; a write-only argument is null in every state."""

REPLACED = [{"username": "hatchet", "password": FIRST_PASSWORD}]
"""The user that a broker on Amazon MQ is made with; the set-up replaces the password."""


def values(run: Run) -> list[str]:
    """The values of an environment's secrets, and of the parts of those that are JSON."""
    found = []
    for value in run.secrets.values():
        found += [value, *keys_of(value).values()]
    return found


def forms(value: str) -> Iterator[str]:
    """How a value may be written."""
    yield value
    yield json.dumps(value)[1:-1]
    # As Terraform's own JSON writes them.
    yield json.dumps(value)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    yield quote(value, safe="")
    yield base64.b64encode(value.encode()).decode().rstrip("=")


def texts(run: Run) -> dict[str, str]:
    """All that Terraform was given, kept and said, by where it is."""
    found = {"what Terraform said": "\n".join(run.said)}
    for part in run.parts:
        for file in (run.template(part), run.plan_file(part), run.state_file(part)):
            found[f"{part}/{file.name}"] = file.read_text()
        found |= {f"{part}/plan/{name}": text for name, text in members(run.plan_file(part).with_suffix(""))}
    return found


def members(plan: Path) -> Iterator[tuple[str, str]]:
    """The files in a saved plan."""
    with zipfile.ZipFile(plan) as archive:
        for name in archive.namelist():
            yield name, archive.read(name).decode(errors="replace")


def attributes(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every attribute of a JSON document: its path, its name and its value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"{path}.{name}", name, item
            yield from attributes(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from attributes(item, f"{path}[{index}]")


def held(document: Any) -> list[str]:
    """The attributes that hold a secret by their names: text, not null and not empty."""
    return [
        path
        for path, name, value in attributes(document)
        if SECRET.search(name) and not HARMLESS.search(name) and isinstance(value, str) and value
        # The addresses of secrets are none.
        and not value.startswith("arn:") and not name.endswith(("_arn", "_id", "_name"))
        and value != FIRST_PASSWORD
    ]  # fmt: skip


def marked(values: Any, sensitive: Any, path: str = "") -> Iterator[str]:
    """The attributes that the provider marks as sensitive, and that hold something."""
    if sensitive is True:
        if values not in (None, "", [], {}):
            yield path
    elif isinstance(sensitive, dict) and isinstance(values, dict):
        for name, item in sensitive.items():
            yield from marked(values.get(name), item, f"{path}.{name}")
    elif isinstance(sensitive, list) and isinstance(values, list):
        for index, (value, item) in enumerate(zip(values, sensitive, strict=False)):
            yield from marked(value, item, f"{path}[{index}]")


@each_environment
def test_the_secrets_are_there_to_be_looked_for(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    brokers = {"prod": ["rabbitmq"], "zoned": ["amazon-mq"]}.get(name, [])
    kinds = sorted(["admin", "client-token", "database", "keys", *brokers])
    assert sorted(run.secrets) == [f"{name}/hatchet-{kind}" for kind in kinds]
    assert all(len(value) >= 40 for value in values(run))
    assert len(set(values(run))) == len(values(run))
    if name == "prod":
        broker = json.loads(run.secrets["prod/hatchet-rabbitmq"])
        assert broker["url"] == f"amqp://hatchet:{broker['password']}@rabbitmq.prod.scythe.internal:5672/"
    if name == "zoned":
        broker = json.loads(run.secrets["zoned/hatchet-amazon-mq"])
        assert broker["url"] == f"amqps://hatchet:{broker['password']}@mockmq:{AMQPS}/"


@each_environment
def test_no_secret_is_in_a_template_a_plan_a_state_or_a_log(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    looked_for = [form for value in values(run) for form in forms(value)]
    assert [where for where, text in texts(run).items() if any(form in text for form in looked_for)] == []


@each_environment
def test_all_places_are_looked_into(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    found = texts(run)
    assert all("hatchet" in found[f"{part}/{file}"] for part in run.parts if part != "network"
               for file in ("cdk.tf.json", "plan.json", "state.json", "plan/tfplan"))  # fmt: skip
    assert "aws_db_instance.database: Creation complete" in found["what Terraform said"]
    # What is secret is known by what is not: the secrets' ARNs are in all of them.
    assert f"secret:{name}/hatchet-database-" in found["hatchet/state.json"]
    assert f"secret:{name}/hatchet-database-" in found["hatchet/plan.json"]


@each_environment
def test_no_attribute_of_a_state_holds_a_secret(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    assert {
        part: paths for part in run.parts if (paths := held(json.loads(run.state_file(part).read_text())))
    } == {}


@each_environment
def test_nothing_that_the_provider_calls_sensitive_holds_a_value(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    found = [
        resource["address"] + path
        for plan in run.plans().values()
        for state in (plan["planned_values"], plan["prior_state"]["values"])
        for resource in state["root_module"].get("resources", [])
        for path in marked(resource.get("values"), resource.get("sensitive_values"))
        if (resource["type"], path, _user(resource)) != ("aws_mq_broker", ".user", REPLACED)
    ]
    assert found == []


def _user(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: user[key] for key in REPLACED[0]} for user in resource["values"].get("user") or []]


def test_a_secret_in_a_state_is_noticed(runs: Runs) -> None:
    run = runs.runs["hosted"]
    state = json.loads(run.state_file("hatchet").read_text())
    (database,) = [each for each in state["resources"] if each["type"] == "aws_db_instance"]
    (version,) = [each for each in state["resources"] if each["type"] == "aws_secretsmanager_secret_version"]
    for resource, attribute in ((database, "password"), (version, "secret_string")):
        values = resource["instances"][0]["attributes"]
        assert not values[attribute]
        values[attribute] = 'a "secret" & more'
        assert [path.rpartition(".")[2] for path in held(state)] == [attribute]
        assert any(form in json.dumps(state) for form in forms('a "secret" & more'))
        values[attribute] = None
    assert list(marked({"password": "x", "name": "y"}, {"password": True})) == [".password"]
