"""The rules that settings are made of: numbers, choices, names, addresses, ARNs."""

from __future__ import annotations

import json

from synthesis.functions import contains, floor, is_ipv4_block, length, matches, not_
from synthesis.lists import all_of, is_distinct
from synthesis.rules import Rule


def whole(smallest: int, largest: int) -> Rule:
    """A whole number within bounds."""
    return Rule(
        f"a whole number from {smallest} to {largest}",
        lambda value: (value >= smallest) & (value <= largest) & (floor(value) == value),
        {"minimum": smallest, "maximum": largest},
    )


def number(smallest: float, largest: float) -> Rule:
    """A number within bounds."""
    return Rule(
        f"a number from {smallest} to {largest}",
        lambda value: (value >= smallest) & (value <= largest),
        {"minimum": smallest, "maximum": largest},
    )


def one_of(*values: str | float) -> Rule:
    """One of a few values."""
    listed = ", ".join(json.dumps(value).strip('"') for value in values[:-1])
    return Rule(
        f"{listed} or {json.dumps(values[-1]).strip(chr(34))}",
        lambda value: contains(values, value),
        {"enum": list(values)},
    )


def flag() -> Rule:
    """True or false."""
    return Rule("true or false", lambda _: True)


def text(shortest: int = 1, longest: int = 1000) -> Rule:
    """Any text of one line."""
    return matching(
        rf"^[^\x00-\x1f\x7f]{{{shortest},{longest}}}$",
        f"text of one line, at most {longest} characters (in quotes)",
    )


def matching(pattern: str, allowed: str, *, unless: str | None = None) -> Rule:
    """Text that a regular expression matches, and another does not.

    Both are in the syntax that Python, Terraform (RE2) and JSON Schema (ECMA 262) share.
    """
    if unless is None:
        return Rule(allowed, lambda value: matches(pattern, value), {"pattern": pattern})
    return Rule(
        allowed,
        lambda value: matches(pattern, value) & not_(matches(unless, value)),
        {"pattern": pattern, "not": {"pattern": unless}},
    )


def private_block(shortest: int, longest: int) -> Rule:
    """An IPv4 block of a private range, as a VPC has."""
    octets = r"(10|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."
    prefixes = "|".join(str(length) for length in range(shortest, longest + 1))
    return _block(
        rf"^{octets}[0-9.]+/({prefixes})$",
        f"an IPv4 block of a private range from /{shortest} to /{longest} without host bits, such as 10.0.0.0/16",
    )


def block() -> Rule:
    """Any IPv4 block, as a security group's rule has."""
    return _block(
        r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])$",
        "an IPv4 block without host bits, such as 203.0.113.0/24",
    )


def _block(pattern: str, allowed: str) -> Rule:
    return Rule(allowed, lambda value: matches(pattern, value) & is_ipv4_block(value), {"pattern": pattern})


def duration() -> Rule:
    """A duration as Hatchet's engine reads it (hatchet-sdk: hours, minutes or seconds)."""
    return matching(
        "^[1-9][0-9]{0,5}[hms]$", "a duration such as 10h, 30m or 90s (hours, minutes or seconds)"
    )


def arn(*services: str, resource: str = ".+") -> Rule:
    """The ARN of a resource of one of these services."""
    names = "|".join(services)
    pattern = rf"^arn:aws[a-z-]*:({names}):[a-z0-9-]+:[0-9]{{12}}:{resource}$"
    example = f"arn:aws:{services[0]}:<region>:<account>:..."
    return matching(pattern, f"an ARN such as {example}")


def policy_arn() -> Rule:
    """The ARN of a managed policy of IAM's, an account's own or one of AWS's."""
    return matching(
        r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,128}$",
        "the ARN of an IAM policy such as arn:aws:iam::<account>:policy/...",
    )


def email() -> Rule:
    """An e-mail address."""
    return matching(r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", "an e-mail address")


def each(rule: Rule, fewest: int = 0, most: int = 1000, *, what: str) -> Rule:
    """A list without repetition, each element of which obeys a rule."""
    return Rule(
        f"a list of {_count(fewest, most)}{what}, each {rule.allowed}",
        lambda values: (
            (length(values) >= fewest if fewest else True)
            & (length(values) <= most)
            & is_distinct(values)
            & all_of(values, rule.check)
        ),
        {
            "minItems": fewest,
            "maxItems": most,
            "uniqueItems": True,
            "items": {"type": "string", **rule.schema},
        },
    )


def _count(least: int, most: int) -> str:
    return f"{least} to {most} " if least else f"at most {most} "


NAME = matching(
    "^[a-z]([a-z0-9]|-[a-z0-9]){0,23}$",
    "a name of at most 24 lower-case letters, digits and single hyphens that begins with a letter",
    unless="^.{25}",
)
"""An environment's name begins the names of all that it makes.

24 letters leave room in the shortest of AWS's limits: S3's 63 for ``<name>-scythe-<account>-<region>``
(up to 38 beside the name), a load balancer's 32 for ``<name>-hatchet``. Lower case is what S3 and ECR take;
RDS takes no digit at the beginning and no two hyphens.
"""
