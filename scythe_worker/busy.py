"""The tasks that a fleet needs beyond what its queue fills: those with a busy worker, and those with a paused one.

With several slots the queued and running tasks can need fewer workers than have one now. ECS answers
DEPLOYMENT_BLOCKED to a worker that protects itself while more tasks are protected than desired (Amazon ECS Developer
Guide, "Protect your Amazon ECS tasks from being terminated by scale-in events"), so the demand must not fall below the
busy workers. A paused worker (`scythe_worker.rollout`) takes nothing new: what is queued needs workers beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from scythe_worker import listed as engine
from scythe_worker.backlog_settings import BacklogSettings
from scythe_worker.backlog_stats import AwayError, Figures
from scythe_worker.listed import Listed, of_fleet


class Busy:
    """Keeps demands at or above the numbers of busy workers.

    Asks the engine only while more tasks run than workers are demanded, or while workers are paused: with one slot
    never, nor with a long queue.
    """

    def __init__(self, settings: BacklogSettings) -> None:
        self._settings = settings
        self._slots = {fleet.name: fleet.slots for fleet in settings.fleets}
        self._last: dict[str, int] = {}

    def raised(self, found: Mapping[str, Figures], pausing: Collection[str] = ()) -> dict[str, Figures]:
        """The figures, with demands that keep all busy workers.

        Args:
            found: by fleet.
            pausing: the fleets with paused workers.
        """
        listed: Sequence[Listed] | None = ()
        # One running task keeps at most one worker busy.
        if any(
            of.running > of.demand or (name in pausing and self._slots[name] > 1 and of.running)
            for name, of in found.items()
        ):
            try:
                listed = engine.workers(self._settings)
            except AwayError:
                listed = None
        raised = {name: of.needing(self._least(name, of, listed)) for name, of in found.items()}
        self._last = {name: of.demand for name, of in raised.items()}
        return raised

    def _least(self, name: str, of: Figures, listed: Sequence[Listed] | None) -> int:
        """The fewest workers that a fleet needs.

        Running tasks that no listed worker has are on workers that the engine has not heard of for five seconds. They
        keep as many workers as the last demand had beyond the listed ones. Without a list, the demand falls only as
        far as there are fewer tasks than it had workers.
        """
        last = self._last.get(name, of.running)
        if listed is None:
            return min(of.queued + of.running, last)
        workers = of_fleet(listed, name)
        busy = sum(worker.busy > 0 for worker in workers)
        unseen = max(0, of.running - sum(worker.busy for worker in workers))
        kept = busy + min(unseen, max(0, last - busy))
        paused = [worker.busy for worker in workers if worker.is_paused and worker.busy]
        beside = max(0, of.queued + of.running - sum(paused))
        return max(kept, len(paused) + -(-beside // self._slots[name]))
