"""What a real engine has queued and running by its own database, sampled while a test runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.hatchet.engine import Hatchet

EVERY_SECONDS = 0.5

COUNTED = """
SELECT task.step_readable_id, count(*), count(queued.task_id), count(running.task_id)
FROM v1_task AS task
LEFT JOIN v1_queue_item AS queued ON queued.task_id = task.id AND queued.task_inserted_at = task.inserted_at
LEFT JOIN v1_task_runtime AS running ON running.task_id = task.id AND running.task_inserted_at = task.inserted_at
GROUP BY task.step_readable_id
"""


@dataclass(frozen=True)
class Counts:
    """How many attempts have been queued, begun and ended so far: none of them ever falls, without retries."""

    queued: int = 0
    begun: int = 0
    ended: int = 0


@dataclass(frozen=True)
class Sample:
    """The counts of all tasks, at some moment between two times."""

    began: float
    ended: float
    counts: Mapping[str, Counts]


@dataclass(frozen=True)
class Bounds:
    """The least and the most that a figure may have been."""

    least: int
    most: int

    def __contains__(self, value: int) -> bool:
        return self.least <= value <= self.most


class Truth:
    """The samples so far."""

    def __init__(self, hatchet: Hatchet) -> None:
        self._hatchet = hatchet
        self._samples: list[Sample] = []
        self._over = threading.Event()

    def between(self, task: str, first: float, last: float) -> tuple[Bounds, Bounds]:
        """What a task may have had queued, and running, at any moment between two times.

        By the samples before and after these, so that it holds whatever came and went between.
        """
        samples = list(self._samples)
        before = next(item for item in reversed(samples) if item.ended <= first).counts.get(task, Counts())
        after = next(item for item in samples if item.began >= last).counts.get(task, Counts())
        return (
            Bounds(max(0, before.queued - after.begun), after.queued - before.begun),
            Bounds(max(0, before.begun - after.ended), after.begun - before.ended),
        )

    def has_after(self, moment: float) -> bool:
        """Whether there is a sample that was begun after a time."""
        return bool(self._samples) and self._samples[-1].began >= moment

    def sample(self) -> None:
        """Take samples until told to stop."""
        while not self._over.wait(EVERY_SECONDS):
            began = time.time()
            rows = self._hatchet.query(COUNTED)
            counts = {
                name: Counts(int(all_), int(all_) - int(queued), int(all_) - int(queued) - int(running))
                for name, all_, queued, running in rows
            }
            self._samples.append(Sample(began, time.time(), counts))

    def stop(self) -> None:
        """End the sampling."""
        self._over.set()


@contextmanager
def truth(hatchet: Hatchet) -> Iterator[Truth]:
    """Samples that are taken while the block lasts."""
    it = Truth(hatchet)
    thread = threading.Thread(target=it.sample)
    thread.start()
    try:
        yield it
    finally:
        it.stop()
        thread.join()
