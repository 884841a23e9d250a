"""What each release promised, one JSON file for each; the export ships them, and a test holds the constructs to the newest.

``python -m ops.export.releases`` records the newest release of the changelog. Until that is published, renew it whenever a
test says so. Afterwards never: add a `Move`, or keep what is promised until the next major version.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from ops.export.changelog import releases
from ops.export.interface import Interface, Interfaces, interfaces

FOLDER = Path(__file__).parent

RECORD = "python -m ops.export.releases"
"""The command that records the newest release."""


def recorded(version: str) -> dict[str, Interface]:
    """What a release promised.

    Raises:
        FileNotFoundError: nobody recorded it.
    """
    told = json.loads(path_of(version).read_text(encoding="utf-8"))
    return {
        name: Interface(each["addresses"], each["inputs"], tuple(each["outputs"]))
        for name, each in told["modules"].items()
    }


def path_of(version: str) -> Path:
    """Where a release is recorded."""
    return FOLDER / f"{version}.json"


def shipped() -> dict[str, str]:
    """The records as the exported repository has them, by their paths."""
    return {f"releases/{path.name}": path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}


def record(version: str, promised: Interfaces) -> str:
    """The text of a release's record."""
    modules = {name: asdict(interface) for name, interface in promised.items()}
    return json.dumps({"version": version, "modules": modules}, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Record the newest release."""
    newest = releases()[0]
    path_of(newest).write_text(record(newest, interfaces()), encoding="utf-8")
    print(path_of(newest))
