"""Environment files with faults: what each holds, and what each fault's line begins with, the file left out."""

from __future__ import annotations

from tests.malformed.fleets import WRONG_FLEETS
from tests.malformed.text import NOT_YAML
from tests.malformed.values import WRONG_VALUES

FILES: dict[str, tuple[str | bytes, list[str]]] = {**NOT_YAML, **WRONG_VALUES, **WRONG_FLEETS}
