"""The simulator's rules, against the examples in AWS's documentation."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from benchmarks.autoscaling.clock import Clock
from benchmarks.autoscaling.cloudwatch import AlarmRule, CloudWatch, Metric, state
from benchmarks.autoscaling.fargate import RECONCILE, Conditions, Launches, Service
from benchmarks.autoscaling.metric_math import evaluate
from benchmarks.autoscaling.scaling import Step, StepPolicy, Target, TargetTracking
from benchmarks.autoscaling.work import Piece, Queue
from scythe_worker.protection import IDLE_SECONDS, MOST_MINUTES

INFINITE = float("inf")
RETAIN = "retain"

# Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data", "How alarm state is evaluated
# when data is missing": both tables, with the columns MISSING, IGNORE, BREACHING, NOT BREACHING.
TABLES = [
    (3, "0 - X - X", "OK", "OK", "OK", "OK"),
    (3, "0 - - - -", "OK", "OK", "OK", "OK"),
    (3, "- - - - -", "INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
    (3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    (3, "- - X - -", "ALARM", RETAIN, "ALARM", "OK"),
    (2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    (2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    (2, "0 - X - -", "OK", "OK", "ALARM", "OK"),
    (2, "- - - - 0", "OK", "OK", "ALARM", "OK"),
    (2, "- - - X -", "ALARM", RETAIN, "ALARM", "OK"),
]


@pytest.mark.parametrize(
    ("to_alarm", "points", "treat", "expected"),
    [
        (row[0], row[1], treat, row[place])
        for row in TABLES
        for place, treat in enumerate(("missing", "ignore", "breaching", "notBreaching"), 2)
    ],
)
@pytest.mark.parametrize("before", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_missing_data_as_in_cloudwatchs_tables(
    to_alarm: int, points: str, treat: str, expected: str, before: Any
) -> None:
    parsed = [{"X": True, "0": False, "-": None}[point] for point in points.split()]
    assert state(parsed, 3, to_alarm, treat, before) == (before if expected == RETAIN else expected)


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_a_recent_breach_alone_is_no_alarm_yet(points: str) -> None:
    """The same page: "the alarm does not go immediately into ALARM state" with Datapoints to Alarm of 3."""
    parsed = [{"X": True, "0": False, "-": None}[point] for point in points.split()]
    assert state(parsed, 3, 3, "missing", "OK") == "OK"


def test_datapoints_in_order() -> None:
    """AWS re:Post, "How can I be sure that CloudWatch alarms trigger actions?": 3 of 3 over 45 percent."""
    values = [61.123, 57.847, 60.503, 55.473, 41.685, 58.390, 57.846, 61.123]
    states: list[Any] = ["OK"]
    for end in range(3, len(values) + 1):
        states.append(state([value > 45 for value in values[:end]][-5:], 3, 3, "missing", states[-1]))
    assert states[1:] == ["ALARM", "ALARM", "OK", "OK", "OK", "ALARM"]


OUT = StepPolicy(
    "out", "PercentChangeInCapacity", [Step(0, 10, 0), Step(10, 20, 10), Step(20, INFINITE, 30)], 0
)
IN = StepPolicy(
    "in", "PercentChangeInCapacity", [Step(-10, 0, 0), Step(-20, -10, -10), Step(-INFINITE, -20, -30)], 0
)


def test_steps_as_in_the_user_guides_example() -> None:
    """Application Auto Scaling User Guide, "How step scaling works": a capacity of 10, thresholds of 60 and 40."""
    assert [OUT.capacity(value, 50, 10) for value in (50, 59.9)] == [10, 10]
    assert OUT.capacity(60, 50, 10) == 11
    assert OUT.capacity(70, 50, 11) == 14
    assert [IN.capacity(value, 50, 14) for value in (50, 40.1)] == [14, 14]
    assert IN.capacity(40, 50, 14) == 13
    assert IN.capacity(30, 50, 13) == 10


def test_bounds_of_a_step_are_inclusive_and_exclusive_as_documented() -> None:
    """Application Auto Scaling API Reference, ``StepAdjustment``: an alarm with a threshold of 50."""
    above = StepPolicy("a", "ChangeInCapacity", [Step(0, 10, 1), Step(10, INFINITE, 2)], 0)
    below = StepPolicy("b", "ChangeInCapacity", [Step(-10, 0, -1), Step(-INFINITE, -10, -2)], 0)
    assert [above.capacity(value, 50, 0) for value in (50, 59, 60)] == [1, 1, 2]
    assert [below.capacity(value, 50, 9) for value in (50, 41, 40)] == [8, 8, 7]


def test_a_percentage_below_one_task_is_one_task() -> None:
    """Application Auto Scaling User Guide, "Scaling adjustment types": 0.67 is 1, -0.58 is -1, 12.7 is 12, -6.67 is -6."""
    for percent, running, expected in ((67, 1, 2), (-58, 1, 0), (127, 10, 22), (-667, 1, -5)):
        policy = StepPolicy("p", "PercentChangeInCapacity", [Step(0, INFINITE, percent)], 0)
        assert policy.capacity(1, 0, running) == expected


def test_a_target_keeps_its_bounds_and_scales_in_no_deployment() -> None:
    target = Target(2, 10, running=lambda: 0)
    exact = StepPolicy("e", "ExactCapacity", [Step(0, 5, 50), Step(5, INFINITE, 1)], 0)
    target.apply(exact, 0, 0, now=0)
    assert target.desired == 10
    deploying = True
    target.deploying = lambda: deploying
    target.apply(exact, 5, 0, now=60)
    assert target.desired == 10
    deploying = False
    target.apply(exact, 5, 0, now=120)
    assert target.desired == 2


def test_a_cooldown_blocks_scaling_in_but_no_larger_scale_out() -> None:
    """Application Auto Scaling API Reference, ``StepScalingPolicyConfiguration`` (Cooldown)."""
    target = Target(0, 100, running=lambda: 0)
    policy = StepPolicy("e", "ExactCapacity", [Step(0, 1, 2), Step(1, 2, 3), Step(2, INFINITE, 1)], 300)
    target.apply(policy, 0, 0, now=0)
    target.apply(policy, 1, 0, now=10)
    assert target.desired == 3
    target.apply(policy, 2, 0, now=20)
    assert target.desired == 3
    target.apply(policy, 2, 0, now=400)
    assert target.desired == 1


def test_target_tracking_takes_three_minutes_out_and_fifteen_in() -> None:
    tracking = TargetTracking(50)
    assert [tracking.wanted(100, 4) for _ in range(3)] == [None, None, 8]
    tracking = TargetTracking(50)
    assert [tracking.wanted(25, 4) for _ in range(15)] == [None] * 14 + [2]
    assert TargetTracking(50).wanted(100, 0) == 1
    assert TargetTracking(50).wanted(None, 4) is None


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("IF(demand < 10, demand, 0)", {"demand": 9}, 9),
        ("IF(demand < 10, demand, 0)", {"demand": 10}, 0),
        ("IF(demand < 10, demand, 0)", {"demand": None}, None),
        ("IF(demand < 100, demand, 100) - FILL(running, 0)", {"demand": 500, "running": None}, 100),
        ("IF(demand < 100, demand, 100) - FILL(running, 0)", {"demand": 30, "running": 20}, 10),
        ("IF(a > 1 AND b <= 2, a * b, a / b)", {"a": 2, "b": 2}, 4),
        ("a / b", {"a": 1, "b": 0}, None),
    ],
)
def test_metric_math(expression: str, values: dict[str, float | None], expected: float | None) -> None:
    assert evaluate(expression, values) == expected


def test_what_is_not_known_of_metric_math_is_refused() -> None:
    with pytest.raises(ValueError, match="not known here"):
        evaluate("SEARCH(1, 2)", {})


METRIC = Metric("Scythe/test", "Demand", (("Fleet", "a"),), "Maximum", 10)


def _acted(publish: Any, seconds: float, **changes: Any) -> list[tuple[float, float]]:
    """When an alarm's action is called with which value, while a figure is published each ten seconds."""
    clock, acted = Clock(), list[tuple[float, float]]()
    cloudwatch = CloudWatch(clock, Random(1), lambda _, __, value: acted.append((clock.now, value)))
    rule = {
        "name": "a", "metrics": {"m": METRIC}, "expression": "m", "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 1, "evaluation_periods": 1, "datapoints_to_alarm": 1, "treat_missing_data": "missing",
        "actions": ("policy",), **changes,
    }  # fmt: skip
    cloudwatch.watch(AlarmRule(**rule))

    def put() -> None:
        value = publish(clock.now)
        if value is not None:
            cloudwatch.put(METRIC.key, value)

    clock.every(10, 8, put)
    clock.run(lambda: clock.now > seconds)
    return acted


def test_an_action_of_auto_scaling_is_repeated_once_a_minute() -> None:
    """Amazon CloudWatch User Guide, "Alarm actions", "Auto Scaling actions"."""
    acted = _acted(lambda now: 5 if now < 300 else 0, 600)
    assert len(acted) == 5
    assert acted[0][0] < 33
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(acted)]
    assert all(58 <= gap <= 62 for gap in gaps)


def test_missing_data_ends_the_repetitions() -> None:
    acted = _acted(lambda now: 5 if now < 100 else None, 3600)
    assert acted[-1][0] < 100 + 60


def test_a_bucket_of_launches() -> None:
    """Amazon ECS Developer Guide, "AWS Fargate throttling quotas": 100 at once, then 20 a second."""
    launches = Launches(Clock())
    waits = [launches.take() for _ in range(200)]
    assert waits[:100] == [0] * 100
    assert waits[199] == pytest.approx(5)


def _service(conditions: Conditions) -> tuple[Clock, Queue, Service]:
    clock = Clock()
    queue = Queue(clock)
    return clock, queue, Service(clock, Random(1), conditions, Launches(clock), queue, 1)


@pytest.mark.parametrize("is_protected", [True, False])
def test_scale_in_stops_no_protected_task(is_protected: bool) -> None:
    clock, queue, service = _service(Conditions(interruptions=0, is_protected=is_protected))
    queue.add(5, lambda: Piece(600))
    service.set_desired(10)
    clock.run(lambda: clock.now > 200)
    service.set_desired(2)
    assert (service.killed == 0) == is_protected
    assert len(service.tasks) == (5 if is_protected else 2)
    clock.run(lambda: queue.finished == 5 or clock.now > 5000)
    assert (queue.finished, queue.running) == (5, 0)


def test_an_interrupted_piece_runs_elsewhere_once() -> None:
    clock, queue, service = _service(Conditions(interruptions=30))
    queue.add(20, lambda: Piece(60))
    service.set_desired(4)
    clock.run(lambda: queue.finished == 20)
    assert service.interrupted > 0
    assert service.lost_to_spot > 0
    assert (queue.finished, queue.running, queue.queued) == (20, 0, 0)


def test_there_are_no_more_spot_tasks_than_capacity() -> None:
    clock, _, service = _service(Conditions(interruptions=0, spot_capacity=lambda now: 3 if now < 100 else 8))
    service.set_desired(10)
    assert len(service.tasks) == 3
    clock.run(lambda: clock.now > 120)
    assert len(service.tasks) == 8


@pytest.mark.parametrize("pauses", [True, False])
def test_a_rollout_under_load_waits_for_workers_that_take_nothing_new(pauses: bool) -> None:
    """A worker with a queue is never idle for as long as it stays protected: unless it is paused, nothing is replaced."""
    clock, queue, service = _service(Conditions(interruptions=0))
    queue.add(1000, lambda: Piece(600))
    service.set_desired(4)

    def roll() -> None:
        service.roll()
        if pauses:
            for task in service.tasks:
                service.pause(task, paused=True)

    clock.at(1000, roll)
    clock.run(lambda: clock.now > 3000)
    assert service.is_deploying != pauses
    assert bool(service.rolled) == pauses
    assert service.killed == 0
    assert len(service.tasks) == 4
    assert queue.begun == queue.finished + queue.running


def test_a_lost_old_task_is_replaced_by_the_old_revision_while_a_deployment_is_in_progress() -> None:
    clock, queue, service = _service(Conditions(interruptions=0))
    queue.add(1000, lambda: Piece(6000))
    service.set_desired(2)
    clock.run(lambda: service.up == 2)
    service.roll()
    service._interrupt(next(iter(service.tasks)))
    assert {task.generation for task in service.tasks} == {0}


def test_scale_out_during_a_deployment_is_for_both_revisions() -> None:
    clock, queue, service = _service(Conditions(interruptions=0))
    queue.add(1000, lambda: Piece(6000))
    service.set_desired(2)
    clock.run(lambda: service.up == 2)
    service.roll()
    service.set_desired(6)
    assert sorted(task.generation for task in service.tasks) == [0, 0, 0, 0, 1, 1]


def test_a_protection_beyond_the_desired_count_is_refused_and_lapses() -> None:
    """Amazon ECS Developer Guide, "Protect your Amazon ECS tasks from being terminated by scale-in events"."""
    clock, queue, service = _service(Conditions(interruptions=0, limit=600))
    # Each is covered for 600 + 300 + 1800 s by the first call; the third piece would outlast it.
    queue.add(8, lambda: Piece(1100))
    service.set_desired(2)
    clock.run(lambda: service.up == 2)
    service.set_desired(1)
    clock.run(lambda: service.refusals > 0)
    assert service.killed == 0
    clock.run(lambda: service.killed > 0)
    assert len(service.tasks) == 1
    assert clock.now > 600 + 300 + 1800


def test_a_limit_beyond_the_longest_protection_is_covered_in_steps() -> None:
    clock, queue, service = _service(Conditions(interruptions=0, limit=float("inf")))
    queue.add(1, lambda: Piece(3 * MOST_MINUTES * 60.0))
    service.set_desired(1)
    clock.run(lambda: queue.finished == 1)
    assert (service.killed, queue.begun) == (0, 1)


def test_an_idle_task_stays_protected_for_a_while() -> None:
    clock, queue, service = _service(Conditions(interruptions=0))
    queue.add(1, lambda: Piece(100))
    service.set_desired(1)
    clock.run(lambda: queue.finished == 1)
    service.set_desired(0)
    assert len(service.tasks) == 1
    ended = clock.now
    clock.run(lambda: not service.tasks)
    assert IDLE_SECONDS <= clock.now - ended <= IDLE_SECONDS + RECONCILE
