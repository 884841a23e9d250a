"""What is wrong with environment files, as their authors read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from synthesis.rules import Path, printable

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class FileFault:
    """One fault of one file.

    Attributes:
        file: the file, as its author names it.
        message: what is wrong; what is allowed.
        key: the path of the key it is about; empty for the file as a whole.
        line: the line it stands on, from 1; 0 where that is not known.
    """

    file: str
    message: str
    key: Path = ()
    line: int = 0

    def __str__(self) -> str:
        place = key_path(self.key) or (f"line {self.line}" if self.line else "")
        return printable(": ".join(part for part in (self.file, place, self.message) if part))


class EnvironmentFileError(Exception):
    """Environment files that cannot be used.

    Attributes:
        faults: all that is wrong with all of the files.
    """

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def key_path(key: Path) -> str:
    """A key's path as people write it, such as ``workers.simulations.scaling.schedule[0].start``."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part if _PLAIN_KEY.fullmatch(part) else json.dumps(part[:128], ensure_ascii=False)}"
    return text.removeprefix(".")
