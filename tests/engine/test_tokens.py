"""Client tokens: when one is made anew, and how long those before it are good."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.engine.between import Values
from tests.engine.clients import TENANT, accepts, admin
from tests.engine.conftest import Install
from tests.engine.installation import SECONDS, Installation
from tests.engine.marks import ENGINE

pytestmark = ENGINE

REVOKED_SECONDS = 20
"""The engine keeps what it knows of a token for five seconds (its ``CACHE_DURATION``)."""


@pytest.fixture
def api(prepared: Install) -> Installation:
    """An installation whose API is up."""
    it = prepared()
    it.start("api")
    return it


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + REVOKED_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def rolling(answer: Values) -> Values:
    """DescribeServices while a service's tasks before are still there, which the local AWS never has."""
    services = [
        {**service, "deployments": [*service["deployments"], {"status": "ACTIVE", "runningCount": 1}]}
        for service in answer["services"]
    ]
    return {**answer, "services": services}


def test_a_token_is_renewed_and_the_old_one_good_until_all_workers_have_the_new_one(
    api: Installation,
) -> None:
    first = api.token
    # Its life of an hour is less than what is left of a token's own when it is renewed.
    api.set_up(ROTATE="yes", TOKEN_LIFE="1h").stop()
    short, rollout = api.token, api.rollout()
    assert short != first
    api.set_up().stop()
    renewed = api.token
    assert renewed != short
    assert api.rollout() != rollout
    rollout = api.rollout()
    # Not yet: whether those workers were up was not known when it was renewed.
    assert accepts(api, renewed)
    assert accepts(api, short)

    with api.deployment.between.answering("DescribeServices", rolling):
        task = api.set_up()
    assert "is still being deployed" in task.log("keep")
    assert accepts(api, short)

    api.set_up()
    assert (api.token, api.rollout()) == (renewed, rollout)
    wait_until(lambda: not accepts(api, short))
    assert not accepts(api, first)
    assert accepts(api, renewed)


def test_run_task_makes_a_new_token_at_once_and_leaves_others_tokens_alone(api: Installation) -> None:
    old, rollout = api.token, api.rollout()
    asked_for = {"name": "theirs", "expiresIn": "24h"}
    status, theirs = admin(api).call("POST", f"/tenants/{TENANT}/api-tokens", asked_for)
    assert status == 200, theirs
    deployment = api.deployment
    service = deployment.service(deployment.hatchet, "setup")
    rotate = {"name": "database", "environment": [{"name": "ROTATE", "value": "yes"}]}
    with api.agent.follow_run_task(deployment.hatchet) as tasks:
        (asked,) = deployment.aws.client("ecs").run_task(
            cluster=deployment.hatchet,
            taskDefinition=service["taskDefinition"],
            launchType="FARGATE",
            networkConfiguration=service["networkConfiguration"],
            overrides={"containerOverrides": [rotate]},
        )["tasks"]
        wait_until(lambda: asked["taskArn"] in tasks)
        tasks[asked["taskArn"]].wait_running(SECONDS)
    assert api.token != old
    assert api.rollout() != rollout
    api.set_up()
    assert api.tokens() == [("scythe-aws", "t"), ("theirs", "f"), ("scythe-aws", "f")]
    assert accepts(api, theirs["token"])


def test_a_set_up_that_read_an_older_token_revokes_none_that_is_in_use(api: Installation) -> None:
    older = api.token
    api.set_up().stop()
    api.set_up(ROTATE="yes").stop()
    newer = api.token

    def before(answer: Values) -> Values:
        """What the secret held when this set-up read it, before the other one's was stored."""
        return {**answer, "SecretString": older} if answer.get("SecretString") == newer else answer

    with api.deployment.between.answering("GetSecretValue", before):
        api.set_up()
    assert api.token == newer
    assert api.tokens() == [("scythe-aws", "f"), ("scythe-aws", "f")]
    # The next one, which reads what is in use, revokes the one before.
    api.set_up()
    assert api.tokens() == [("scythe-aws", "t"), ("scythe-aws", "f")]
    assert accepts(api, newer)


def test_workers_start_anew_once_the_engine_has_the_addresses_of_their_token(api: Installation) -> None:
    rollout = api.rollout()

    def elsewhere(answer: Values) -> Values:
        """The engine and the API as they were before the domain was another."""
        text = json.dumps(answer).replace("http://localhost:8080", "https://before.example.org")
        changed: Values = json.loads(text)
        return changed

    with api.deployment.between.answering("DescribeTaskDefinition", elsewhere):
        task = api.set_up(ROTATE="yes")
        assert "does not have the addresses of this token yet" in task.log("token")
        time.sleep(3)
        assert api.rollout() == rollout
    wait_until(lambda: api.rollout() != rollout)
    wait_until(lambda: "starts anew with it" in task.log("workers"))

    def is_marked() -> bool:
        versions = api.versions("hatchet-client-token")
        return versions.get("WORKERS_ROLLED") == versions["AWSCURRENT"]

    wait_until(is_marked)
