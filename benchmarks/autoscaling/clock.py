"""What happens when."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Clock:
    """Events in the order of their time, in seconds.

    Attributes:
        now: the time of the event that happens.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, time: float, event: Callable[[], None]) -> None:
        """Let an event happen at a time, or now where that is past."""
        heapq.heappush(self._events, (max(time, self.now), next(self._numbers), event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Let an event happen after some seconds."""
        self.at(self.now + seconds, event)

    def every(self, seconds: float, first: float, event: Callable[[], None]) -> None:
        """Let an event happen again and again."""

        def again() -> None:
            event()
            self.after(seconds, again)

        self.at(first, again)

    def run(self, until: Callable[[], bool]) -> None:
        """Let events happen until a condition holds after one of them."""
        while self._events and not until():
            self.now, _, event = heapq.heappop(self._events)
            event()
