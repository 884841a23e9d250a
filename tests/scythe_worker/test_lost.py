"""Tasks whose workers are gone: counted, and one at a time."""

from __future__ import annotations

import asyncio

import pytest

from scythe_worker.lost import Turns
from scythe_worker.retries import FROM_WITHIN, GIVEN_BACK, Event, Retries, failures_before, lost_before


def history(*kinds: tuple[str, int]) -> list[Event]:
    return [Event(kind, attempt, "") for kind, attempt in kinds]


@pytest.mark.parametrize(
    ("events", "attempt", "count"),
    [
        (history(("STARTED", 0), ("REASSIGNED", 0), ("STARTED", 1)), 1, 1),
        (history(("REASSIGNED", 0), ("STARTED", 1), ("REASSIGNED", 1)), 2, 1),
        (history(("STARTED", 0), ("FAILED", 0), ("STARTED", 1), ("TIMED_OUT", 1)), 2, 0),
        (history(("REASSIGNED", 2), ("STARTED", 2), ("REASSIGNED", 0), ("STARTED", 0)), 2, 1),
        ([], 3, 0),
    ],
)
def test_only_what_ran_counts(events: list[Event], attempt: int, count: int) -> None:
    assert lost_before(events, attempt) == count
    assert Retries(lambda _: events, complete=0, answer=0).lost("task", attempt) == count


def test_a_worker_that_a_task_has_stopped_counts_and_one_that_ecs_has_stopped_does_not() -> None:
    by_ecs = f"{GIVEN_BACK}: the worker was told to stop"
    ends = enumerate([FROM_WITHIN, by_ecs, FROM_WITHIN, "ValueError: none"])
    begun = [Event("STARTED", attempt, "") for attempt in range(4)]
    ended = [Event("FAILED", attempt, message) for attempt, message in ends]
    assert lost_before([*begun, *ended], 4) == 2
    # What waited for its turn had not begun.
    assert lost_before(ended, 4) == 0
    assert failures_before([*begun, *ended], 4).count == 0


def test_an_engine_that_does_not_tell_holds_up_nothing() -> None:
    def away(_: str) -> list[Event]:
        raise OSError

    assert Retries(away, complete=0, answer=0).lost("task", 3) == 0


def test_suspects_take_turns() -> None:
    async def main() -> list[str]:
        turns, ran = Turns(), list[str]()

        async def run(key: str) -> None:
            try:
                await asyncio.wait_for(turns.take(key), 0.05 if key == "impatient" else 5)
                ran.append(f"{key} begins")
                await asyncio.sleep(0.1)
                ran.append(f"{key} ends")
            except TimeoutError:
                ran.append(f"{key} waits no longer")
            finally:
                turns.leave(key)

        await asyncio.gather(run("first"), run("impatient"), run("second"))
        return ran

    assert asyncio.run(main()) == [
        "first begins",
        "impatient waits no longer",
        "first ends",
        "second begins",
        "second ends",
    ]
