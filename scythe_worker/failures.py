"""How a failure is told, whatever an experiment raises: clean, short, without secrets.

An exception's own methods are the experiment's code. They run here and nowhere else.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass

from scythe_worker.redaction import redacted

LONGEST_TEXT, LONGEST_TRACE = 4_000, 16_000
"""Characters of an exception's text and of its traceback. The engine's messages are 4 MB at most, and its dashboard
shows both."""

LOOKED_AT = 64_000
"""Characters at each end of a text that are looked at: a text may have gigabytes."""

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal acts on, PostgreSQL refuses (NUL) or UTF-8 cannot write (lone surrogates)."""


@dataclass(frozen=True)
class Told:
    """An exception in words.

    Attributes:
        kind: its type's name.
        text: its text.
        trace: its traceback, the exceptions behind it included.
    """

    kind: str
    text: str
    trace: str


def told(error: BaseException) -> Told:
    """What an exception says of itself. Never raises."""
    # Not type(error).__name__, which a metaclass may define.
    kind = " ".join(clean(type.__dict__["__name__"].__get__(type(error)), 200).split())
    try:
        text = clean(str(error), LONGEST_TEXT)
    except BaseException as unreadable:
        text = f"(its text cannot be read: {clean(type(unreadable).__name__, 200)})"
    try:
        trace = clean("".join(traceback.format_exception(error)), LONGEST_TRACE)
    except BaseException as unreadable:
        trace = f"(its traceback cannot be read: {clean(type(unreadable).__name__, 200)})"
    return Told(kind, text, trace)


def line(error: BaseException, longest: int) -> str:
    """An exception's type and text on one line."""
    it = told(error)
    text = " ".join(it.text.split())
    return f"{it.kind}: {text if len(text) <= longest else text[:longest] + '...'}"


def clean(text: str, longest: int) -> str:
    """A text without secrets and control characters, its middle left out where it is longer than that."""
    # A subclass of str may have methods of its own.
    text = str.__str__(text)
    left_out = len(text) - 2 * LOOKED_AT
    if left_out > 0:
        text = text[:LOOKED_AT] + text[-LOOKED_AT:]
    text = CONTROLS.sub(_escaped, redacted(text))
    more = len(text) - longest
    if more <= 0:
        return text
    return f"{text[: longest // 2]}\n... {more + max(left_out, 0)} characters left out ...\n{text[-longest // 2 :]}"


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")
