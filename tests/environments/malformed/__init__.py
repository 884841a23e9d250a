"""Environment files with faults: what each holds, and what each fault's line begins with, the file left out."""

from __future__ import annotations

from tests.environments.malformed.fleets import WRONG_FLEETS
from tests.environments.malformed.text import NOT_YAML
from tests.environments.malformed.values import WRONG_VALUES

FILES: dict[str, tuple[str | bytes, list[str]]] = {**NOT_YAML, **WRONG_VALUES, **WRONG_FLEETS}
