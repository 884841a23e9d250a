"""When a scheduled action runs: the expressions that Application Auto Scaling reads."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from synthesis.functions import beyond_terraform, matches
from synthesis.rules import Rule

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[int, int, list[str], str], ...] = (
    (0, 59, [], r"\*"),
    (0, 23, [], r"\*"),
    (1, 31, [], r"\*|\?|L|LW|[0-9]{1,2}W"),
    (1, 12, _MONTHS, r"\*"),
    (1, 7, _DAYS, r"\*|\?|L|[1-7]L|[1-7A-Z]+#[1-5]"),
    (1970, 2199, [], r"\*"),
)
"""Least, most, names and wildcards of each field (Amazon EventBridge User Guide, "Cron expressions reference")."""

_CRON = re.compile(r"cron\(([!-'*-~]+(?: +[!-'*-~]+)*)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_RATE = re.compile(r"rate\(([1-9][0-9]{0,5}) (minutes?|hours?|days?)\)")


def schedule_expression() -> Rule:
    """A schedule (Application Auto Scaling API Reference, ``PutScheduledAction``)."""
    pattern = r"^(cron\([!-'*-~]+( +[!-'*-~]+){5}\)|at\([0-9T:-]+\)|rate\([0-9]+ [a-z]+\))$"
    return Rule(
        'a schedule such as "cron(0 20 ? * FRI *)" (minutes, hours, day of month, month, day of week, year; '
        'one of the two days is ?), "at(2026-03-01T20:00:00)" or "rate(7 days)"',
        lambda value: matches(pattern, value) & beyond_terraform(is_schedule, value),
        {"pattern": pattern},
    )


def time_zone() -> Rule:
    """An IANA time zone."""
    pattern = "^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"
    return Rule(
        "an IANA time zone such as UTC or Europe/Paris",
        lambda value: matches(pattern, value) & beyond_terraform(_is_zone, value),
        {"pattern": pattern},
    )


def is_schedule(text: str) -> bool:
    """Whether Application Auto Scaling can read the expression."""
    if match := _CRON.fullmatch(text):
        return _is_cron(match[1].split())
    if match := _RATE.fullmatch(text):
        return (match[1] == "1") != match[2].endswith("s")
    return moment(text) is not None


def moment(text: str) -> datetime | None:
    """The moment of an ``at()`` expression; None for any other."""
    match = _AT.fullmatch(text)
    try:
        return datetime.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _is_cron(fields: list[str]) -> bool:
    if len(fields) != len(_FIELDS) or (fields[2] == "?") == (fields[4] == "?"):
        return False
    return all(
        _is_field(part, *allowed)
        for field, allowed in zip(fields, _FIELDS, strict=True)
        for part in field.split(",")
    )


def _is_field(part: str, least: int, most: int, names: list[str], wildcards: str) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 1 <= int(step) <= most):
        return False
    if re.fullmatch(wildcards, span):
        return not slash or span == "*"
    ends = [_position(end, least, names) for end in span.split("-")]
    return len(ends) <= 2 and all(end is not None and least <= end <= most for end in ends)


def _position(text: str, least: int, names: list[str]) -> int | None:
    if text in names:
        return names.index(text) + least
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return name not in {"Factory", "localtime"}
