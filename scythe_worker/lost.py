"""Tasks that take their worker down: a segmentation fault, a lack of memory, ``os._exit``, SIGTERM to the worker.

Python cannot catch these. The engine hands what the worker ran to another one, the innocent and the guilty alike, as
often as `SERVER_MAX_INTERNAL_RETRY_COUNT` says. So a task that has lost two workers runs apart from others of its kind,
one after the other, and one that has lost five while it ran fails.
"""

from __future__ import annotations

import asyncio

SUSPECT, GUILTY = 2, 5
"""Workers that a task has lost. Those that ECS stops, as Spot does with a notice, give their tasks back and do not
count; nor do any that stop in order where there is no ECS to ask."""

WAIT_SECONDS = 60.0
"""A suspect that waits for its turn for longer is given back: its time limit in the engine runs meanwhile."""

MESSAGE = (
    "WorkerLost: {count} workers were gone while they ran this task. It may need more memory than a worker has, crash the "
    "interpreter, or stop the worker's process; the log of the last one may say which"
)


class Turns:
    """Lets one suspect run at a time on this worker."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._holder: str | None = None

    async def take(self, key: str) -> None:
        """Wait until no other suspect runs."""
        await self._turn.acquire()
        self._holder = key

    def leave(self, key: str) -> None:
        """End a task's turn, if it has it."""
        if self._holder == key:
            self._holder = None
            self._turn.release()
