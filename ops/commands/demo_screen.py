"""What a demo shows: each step with its time and the command for a real account; what runs, where a terminal is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

_WHO, _WHAT = 18, 40
_VALUE = 100


class Step:
    """A step that runs.

    Attributes:
        result: what is shown once it is done.
    """

    def __init__(self, result: str, progress: Progress, task: TaskID) -> None:
        """Made by `Screen.step`."""
        self.result = result
        self._progress = progress
        self._task = task

    def says(self, line: str) -> None:
        """Show what the step does at the moment; a terminal alone shows it."""
        self._progress.update(self._task, says=line)


class Screen:
    """A terminal, with a line for each running step; or a log of plain lines."""

    def __init__(self) -> None:
        """Write to standard output."""
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn(f"{{task.fields[who]:<{_WHO}}}", markup=False),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[says]}", style="dim", markup=False),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Screen:
        """Show what runs."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave only the lines of what is done."""
        self._progress.stop()

    @property
    def seconds(self) -> float:
        """The time since the beginning."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, who: str, doing: str, done: str, command: str) -> Iterator[Step]:
        """Show a step while it runs, and a line once it is done.

        Args:
            who: the stack.
            doing: what it does, while it does.
            done: what it has done; the step's `Step.result` can say it better.
            command: what a person would type for it against a real account.
        """
        task = self._progress.add_task(doing, total=None, who=who, says="")
        if not self.console.is_terminal:
            self._line(who, f"{doing} ...", "")
        step = Step(done, self._progress, task)
        try:
            yield step
        except BaseException:
            step.result = f"{doing}: not done"
            raise
        finally:
            self._progress.remove_task(task)
            self._line(who, step.result, command)

    def write(self, text: str = "", style: str = "") -> None:
        """Write a line."""
        self.console.print(Text(text, style=style))

    def write_outputs(self, stack: str, outputs: Mapping[str, Any]) -> None:
        """Write a stack's outputs, long ones cut."""
        self.write(stack, "bold")
        for name, value in sorted(outputs.items()):
            shown = value if isinstance(value, str) else json.dumps(value)
            self.write(f"  {name} = {shown if len(shown) <= _VALUE else shown[: _VALUE - 1] + '…'}")

    def _line(self, who: str, what: str, command: str) -> None:
        line = Text(f"{self.seconds:5.1f} s  {who:<{_WHO}} {what:<{_WHAT}}")
        if command:
            line.append(f"  $ {command}", style="cyan")
        line.rstrip()
        self.console.print(line)
