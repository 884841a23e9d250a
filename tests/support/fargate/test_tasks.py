"""The agent that runs a local AWS's tasks on this machine: what ECS and Fargate do, container by container."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_aws import LocalAws
from tests.support.fargate.shells import (
    FOREVER,
    SECONDS,
    after,
    mount,
    register,
    run,
    shell,
    wait_for,
    wait_until,
)
from tests.support.fargate.tasks import Fargate, fargate


@pytest.fixture(scope="module")
def aws(aws: LocalAws) -> LocalAws:
    aws.client("ecs").create_cluster(clusterName="engine")
    return aws


@pytest.fixture
def agent(aws: LocalAws, tmp_path: Path) -> Iterator[Fargate]:
    with fargate(aws, tmp_path, hurry=50) as agent:
        yield agent


def test_containers_start_when_those_before_have_succeeded(agent: Fargate, aws: LocalAws) -> None:
    task = run(
        agent,
        aws,
        shell(
            "engine",
            f"cat /steps/*; {FOREVER}",
            essential=True,
            dependsOn=after(admin="SUCCESS"),
            **mount("steps"),
        ),
        shell(
            "admin",
            "test -e /steps/1 && echo two > /steps/2",
            dependsOn=after(migrate="SUCCESS"),
            **mount("steps"),
        ),
        shell("migrate", "sleep 0.1; echo one > /steps/1", **mount("steps")),
        shell("side", "exit 3"),
        shell("last", FOREVER, dependsOn=after(side="COMPLETE", engine="START")),
        volumes=("steps",),
    )
    task.wait_running(SECONDS)
    assert task.status == "RUNNING"
    for name in ("engine", "last"):
        wait_for(task, name, "up")
    assert task.log("engine").split() == ["one", "two", "up"]
    assert task.exit_codes == {"migrate": 0, "admin": 0, "side": 3}
    taken = task.stop()
    assert taken.keys() == {"engine", "last"}
    assert task.exit_codes == {"migrate": 0, "admin": 0, "side": 3, "engine": 0, "last": 0}
    assert task.stopped_reason == "Task stopped by user"


def test_a_step_that_fails_stops_the_task_before_what_follows(agent: Fargate, aws: LocalAws) -> None:
    task = run(
        agent,
        aws,
        shell("migrate", "echo no database; exit 7"),
        shell("engine", "echo started", essential=True, dependsOn=after(migrate="SUCCESS")),
    )
    assert task.wait_stopped(SECONDS) == {"migrate": 7}
    assert task.log("engine") == ""
    assert task.stopped_reason == "Task failed to start"
    assert "migrate did not exit successfully" in task.reasons["engine"]
    with pytest.raises(AssertionError, match=r"(?s)not RUNNING.*exit code 7.*no database"):
        task.wait_running(SECONDS)


def test_a_step_that_takes_longer_than_its_start_timeout_is_not_awaited(
    agent: Fargate, aws: LocalAws
) -> None:
    task = run(
        agent,
        aws,
        shell("migrate", FOREVER, startTimeout=1),
        shell("engine", "true", essential=True, dependsOn=after(migrate="SUCCESS")),
    )
    assert task.wait_stopped(SECONDS) == {"migrate": 0}
    assert "migrate has timed out" in task.reasons["engine"]


def test_an_essential_containers_end_stops_the_others(agent: Fargate, aws: LocalAws) -> None:
    task = run(
        agent,
        aws,
        shell("api", FOREVER, essential=True),
        shell(
            "engine",
            "until grep -q up ../../api.log; do sleep 0.02; done; exit 4",
            essential=True,
            dependsOn=after(api="START"),
        ),
    )
    assert task.wait_stopped(SECONDS) == {"api": 0, "engine": 4}
    assert task.stopped_reason == "Essential container in task exited"


def test_containers_stop_in_the_reverse_of_their_order(agent: Fargate, aws: LocalAws, tmp_path: Path) -> None:
    noting = "trap 'sleep 0.1; echo {0} >> /ends/order; exit' TERM; echo up; while :; do sleep 0.02; done"
    check = {"command": ["CMD-SHELL", "grep -q up ../../database.log"], "interval": 5}
    task = run(
        agent,
        aws,
        shell("database", noting.format("database"), essential=True, healthCheck=check, **mount("ends")),
        shell("engine", noting.format("engine"), dependsOn=after(database="HEALTHY"), **mount("ends")),
        volumes=("ends",),
    )
    task.wait_healthy(SECONDS)
    wait_for(task, "engine", "up")
    task.stop()
    assert (tmp_path / task.name / "volumes/ends/order").read_text().split() == ["engine", "database"]


def test_what_ignores_sigterm_is_killed_after_its_stop_timeout(agent: Fargate, aws: LocalAws) -> None:
    deaf = "trap '' TERM; echo up; while :; do sleep 0.02; done"
    unaware = "echo up; exec sleep 60"
    # As PID 1 a program without a handler gets no SIGTERM, unless an init process is PID 1.
    task = run(
        agent,
        aws,
        shell("deaf", deaf, essential=True, stopTimeout=2),
        shell("unaware", unaware, stopTimeout=2),
        shell("under-init", unaware, linuxParameters={"initProcessEnabled": True}),
        shell("obedient", FOREVER),
    )
    for name in task.containers:
        wait_for(task, name, "up")
    taken = task.stop("enough")
    assert task.exit_codes == {"deaf": 137, "unaware": 137, "under-init": 143, "obedient": 0}
    assert task.stopped_reason == "enough"
    assert min(taken["deaf"], taken["unaware"]) >= 2 > max(taken["under-init"], taken["obedient"])


def test_a_kill_gives_no_time(agent: Fargate, aws: LocalAws) -> None:
    task = run(agent, aws, shell("engine", f"sleep 300 & echo $!; {FOREVER}", essential=True))
    wait_for(task, "engine", "up")
    child = psutil.Process(int(task.log("engine").split()[0]))
    task.kill()
    assert task.exit_codes == {"engine": 137}
    wait_until(task, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_health_checks(agent: Fargate, aws: LocalAws, tmp_path: Path) -> None:
    check = {"command": ["CMD-SHELL", "test -e /health/ok || exit 1"], "interval": 5, "retries": 2}
    task = run(
        agent,
        aws,
        shell(
            "engine", FOREVER, essential=True, healthCheck={**check, "startPeriod": 300}, **mount("health")
        ),
        shell("hangs", FOREVER, healthCheck={"command": ["CMD", "sleep", "60"], "timeout": 2, "retries": 1}),
        shell("api", "echo started; " + FOREVER, dependsOn=after(engine="HEALTHY")),
        volumes=("health",),
    )
    with pytest.raises(AssertionError, match="not HEALTHY"):
        task.wait_healthy(0.3)
    assert (task.status, task.health["engine"], task.log("api")) == ("PENDING", "UNKNOWN", "")
    ok = tmp_path / task.name / "volumes/health/ok"
    ok.touch()
    task.wait_running(SECONDS)
    assert task.health["engine"] == "HEALTHY"
    ok.unlink()
    wait_until(task, lambda: task.health == {"engine": "UNHEALTHY", "hangs": "UNHEALTHY"})
    assert task.status == "RUNNING"
    task.kill()


def test_a_program_that_is_not_there(agent: Fargate, aws: LocalAws) -> None:
    task = run(agent, aws, {"name": "engine", "image": "x", "command": ["/image/none"], "essential": True})
    assert task.wait_stopped(SECONDS) == {}
    assert task.stopped_reason == "Task failed to start"
    assert task.reasons["engine"].startswith("CannotStartContainerError: ")


PROGRAM = """
import sys, time
from pathlib import Path
from local_aws import LocalAws
from tests.support.fargate.tasks import fargate
aws = LocalAws(sys.argv[1], "us-east-1", Path())
with fargate(aws, Path(sys.argv[2])) as agent:
    task = agent.run("engine", sys.argv[3])
    while not task.log("engine"):
        time.sleep(0.02)
    print(task.log("engine"), end="", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["block", "killed"])
def test_nothing_stays(aws: LocalAws, tmp_path: Path, end: str) -> None:
    arn = register(aws, shell("engine", "sleep 300 & echo $! $$; wait", essential=True))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, aws.endpoint_url, tmp_path, arn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        processes = [psutil.Process(int(number)) for number in tests.stdout.readline().split()]
        assert len(processes) == 2
        if end == "killed":
            tests.kill()
        tests.communicate()
    until = time.monotonic() + SECONDS
    while [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < until, processes
        time.sleep(0.02)
