"""Client tokens: when one is made anew, and how long those before it are good."""

from __future__ import annotations

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
