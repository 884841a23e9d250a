"""Ends process groups when the process that started them is gone, however it went."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from types import TracebackType


class Guard:
    """A process that waits for this one's end, and then signals the groups that it was told of.

    PR_SET_PDEATHSIG would reach no grandchildren, and would strike when the *thread* ends that started a process.
    """

    def __enter__(self) -> Guard:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # what ends the tests' own group must leave it
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def watch(self, group: int, number: int = signal.SIGKILL) -> None:
        """Have a group signalled at the end."""
        self._say(f"{group} {int(number)}\n")

    def forget(self, group: int) -> None:
        """Leave a group alone that is gone: its number may soon be another's."""
        self._say(f"{group} 0\n")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())  # one short write each: threads do not mix them


def end(group: int, number: int = signal.SIGKILL) -> None:
    """Signal what is left of a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of zombies
        os.killpg(group, number)


def main() -> None:
    groups: dict[int, int] = {}
    for line in sys.stdin:
        group, number = map(int, line.split())
        groups.pop(group, None)
        if number:
            groups[group] = number
    for group, number in groups.items():
        end(group, number)


if __name__ == "__main__":
    main()
