"""What there is to do: experiments, and Hatchet's queues."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeVar

from benchmarks.autoscaling.clock import Clock


@dataclass(frozen=True)
class Experiment:
    """One allocation: a scatter_gather that starts simulations, and gathers what they give.

    Attributes:
        simulations: how many.
        seconds: what each takes on average.
        spread: how far they differ: from 1 - spread to 1 + spread times that.
        at: when it is allocated.
        branches: the scatter_gather tasks that share it out, beside the first one.
        rate: the simulations that each of these puts into the queue a second.
        gather: seconds that the results take at the end.
    """

    simulations: int
    seconds: float
    spread: float = 0.5
    at: float = 0
    branches: int = 10
    rate: float = 100
    gather: float = 10


@dataclass(eq=False, slots=True)
class Piece:
    """A task of Hatchet's.

    Attributes:
        seconds: what it takes; None where it ends when somebody says so.
        start: called each time that it begins.
        end: called once it is done.
    """

    seconds: float | None
    start: Callable[[], None] | None = None
    end: Callable[[], None] | None = None


class Worker(Protocol):
    """What runs pieces; each with the time when it began."""

    work: dict[Piece, float]


W = TypeVar("W", bound=Worker)


class Service(Protocol[W]):
    """Workers with slots that a queue fills."""

    def idle_slot(self) -> W | None:
        """Return a worker with a slot to fill."""

    def give(self, worker: W, piece: Piece, /) -> None:
        """Give a worker a piece of work."""

    def done(self, worker: W, piece: Piece, /) -> None:
        """Take a piece of work that is done from a worker."""


class Queue:
    """One role's queue, and the services whose workers take from it.

    Attributes:
        queued: the pieces that wait.
        running: those that workers have.
        begun: how often a worker was given one.
        finished: those that are done.
        first_queued: when the first one was queued; None before.
        first_started: when the first one began.
        last_finished: when the latest one was done.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._again: deque[Piece] = deque()
        self._fresh: deque[tuple[int, Callable[[], Piece]]] = deque()
        self._services: list[Service[Any]] = []
        self._holders: dict[Piece, tuple[Service[Any], Worker]] = {}
        self.queued = self.running = self.begun = self.finished = 0
        self.first_queued: float | None = None
        self.first_started: float | None = None
        self.last_finished: float | None = None

    def serve(self, service: Service[Any]) -> None:
        """Let a service's workers take from it."""
        self._services.append(service)

    def add(self, count: int, make: Callable[[], Piece]) -> None:
        """Queue pieces, which are made when they begin."""
        if self.first_queued is None:
            self.first_queued = self._clock.now
        self.queued += count
        self._fresh.append((count, make))
        self.dispatch()

    def again(self, pieces: Iterable[Piece]) -> None:
        """Queue pieces that were given back, before all others."""
        for piece in pieces:
            del self._holders[piece]
            self.running -= 1
            self.queued += 1
            self._again.appendleft(piece)

    def dispatch(self) -> None:
        """Hand out what waits to free slots."""
        for service in self._services:
            while self.queued and (worker := service.idle_slot()) is not None:
                self._begin(self._next(), service, worker)

    def end(self, piece: Piece) -> None:
        """Say that a piece without a length of its own is done; one that waits after it was given back, too."""
        if piece in self._holders:
            self._finish(piece)
        elif piece in self._again:
            self._again.remove(piece)
            self.queued -= 1
            self.last_finished = self._clock.now

    def _finish(self, piece: Piece) -> None:
        service, worker = self._holders.pop(piece)
        self.running -= 1
        self.finished += 1
        self.last_finished = self._clock.now
        service.done(worker, piece)
        if piece.end is not None:
            piece.end()
        self.dispatch()

    def _next(self) -> Piece:
        self.queued -= 1
        if self._again:
            return self._again.popleft()
        count, make = self._fresh[0]
        if count == 1:
            self._fresh.popleft()
        else:
            self._fresh[0] = (count - 1, make)
        return make()

    def _begin(self, piece: Piece, service: Service[Any], worker: Worker) -> None:
        service.give(worker, piece)
        self._holders[piece] = (service, worker)
        self.running += 1
        self.begun += 1
        if self.first_started is None:
            self.first_started = self._clock.now
        if piece.start is not None:
            piece.start()
        if piece.seconds is not None:
            self._clock.after(piece.seconds, lambda: self._ended(piece, worker))

    def _ended(self, piece: Piece, worker: Worker) -> None:
        holder = self._holders.get(piece)
        if (
            holder is not None
            and holder[1] is worker
            and self._clock.now >= worker.work[piece] + (piece.seconds or 0)
        ):
            self._finish(piece)


class Run:
    """An experiment that is played: fan, then leaf, then gather.

    A scatter_gather holds its slot until all that it started is done (scythe-engine, ``scatter_gather``).
    """

    def __init__(
        self, experiment: Experiment, clock: Clock, random: Random, fan: Queue, leaf: Queue, done: Callable[[], None]
    ) -> None:  # fmt: skip
        self._experiment, self._clock, self._random = experiment, clock, random
        self._fan, self._leaf, self._done = fan, leaf, done
        self._left = experiment.simulations
        self._held: list[Piece] = []
        self._is_shared_out = False
        clock.at(experiment.at, lambda: fan.add(1, lambda: self._holding(self._share_out)))

    def _holding(self, start: Callable[[], None]) -> Piece:
        piece = Piece(None, start)
        self._held.append(piece)
        return piece

    def _share_out(self) -> None:
        # Begun again, its simulations are there already.
        if self._is_shared_out:
            return
        self._is_shared_out = True
        branches = max(1, min(self._experiment.branches, self._experiment.simulations))
        share, rest = divmod(self._experiment.simulations, branches)
        for number in range(branches):
            count = share + (number < rest)
            self._clock.after(1, lambda count=count: self._fan.add(1, lambda: self._branch(count)))  # type: ignore[misc]

    def _branch(self, count: int) -> Piece:
        left = [count]

        def put() -> None:
            some = min(left[0], max(1, int(self._experiment.rate)))
            left[0] -= some
            if some:
                self._leaf.add(some, self._simulation)
            if left[0]:
                self._clock.after(1, put)

        return self._holding(put)

    def _simulation(self) -> Piece:
        experiment = self._experiment
        factor = 1 + experiment.spread * self._random.uniform(-1, 1)
        return Piece(experiment.seconds * factor, end=self._simulated)

    def _simulated(self) -> None:
        self._left -= 1
        if not self._left:
            self._clock.after(self._experiment.gather, self._gathered)

    def _gathered(self) -> None:
        for piece in self._held:
            self._fan.end(piece)
        self._done()
