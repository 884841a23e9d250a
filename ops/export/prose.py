"""Docstrings as Markdown for those who read the module, not the class."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises):$")
_COSTS = re.compile(r"^Costs|\$[0-9]", re.MULTILINE)


def prose(class_: type) -> str:
    """What a class says of itself, without what it says of its attributes."""
    paragraphs = (inspect.getdoc(class_) or "").split("\n\n")
    return "\n\n".join(
        map(_markdown, (each for each in paragraphs if not _SECTION.match(each.split("\n")[0])))
    )


def tells_costs(class_: type) -> bool:
    """Whether a class says what it costs."""
    return bool(_COSTS.search(prose(class_)))


def spoken(name: str) -> str:
    """A class's name or an id in words: ``flow_logs`` and ``FlowLogs`` as ``flow logs``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def parts(classes: Mapping[type, list[str]]) -> list[tuple[str, str]]:
    """What those parts of a module that cost something say, each by its name, or its names if there are several."""
    return [
        (", ".join(map(spoken, names if len(names) > 1 else [class_.__name__])), prose(class_))
        for class_, names in classes.items()
        if tells_costs(class_)
    ]


def _markdown(paragraph: str) -> str:
    text = paragraph.replace("``", "`")
    # What lies in this repository is not in the exported one.
    text = re.sub(r" \(`modules\.[\w.]+`\)|; docs/[^)]*(?=\))", "", text)
    text = re.sub(r"`(?:settings|hatchet)\.(\w+)`", r"`\1`", text)
    text = re.sub(r"`([A-Z]\w+)`", lambda name: spoken(name[1]), text)
    # One line to a paragraph, else to an item.
    return re.sub(r"\n(?!- )\s*", " ", text)
