"""The rules that settings are made of: numbers, choices, names, addresses, ARNs."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from typing import Any

from synthesis.rules import Rule


def whole(least: int, most: int) -> Rule:
    """A whole number within bounds."""
    return Rule(
        f"a whole number from {least} to {most}",
        lambda value: least <= value <= most,
        f"{{value}} >= {least} && {{value}} <= {most} && floor({{value}}) == {{value}}",
        {"minimum": least, "maximum": most},
    )


def number(least: float, most: float) -> Rule:
    """A number within bounds."""
    return Rule(
        f"a number from {least} to {most}",
        lambda value: math.isfinite(value) and least <= value <= most,
        f"{{value}} >= {least} && {{value}} <= {most}",
        {"minimum": least, "maximum": most},
    )


def one_of(*values: str | float) -> Rule:
    """One of a few values."""
    listed = ", ".join(json.dumps(value).strip('"') for value in values[:-1])
    return Rule(
        f"{listed} or {json.dumps(values[-1]).strip(chr(34))}",
        lambda value: value in values,
        f"contains({json.dumps(list(values))}, {{value}})",
        {"enum": list(values)},
    )


def flag() -> Rule:
    """True or false."""
    return Rule("true or false", lambda _: True, "can(tobool({value}))")


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
    wanted, refused = re.compile(pattern), re.compile(unless) if unless else None
    condition = f"can(regex({hcl_pattern(pattern)}, {{value}}))"
    schema: dict[str, Any] = {"pattern": pattern}
    if unless:
        condition += f" && !can(regex({hcl_pattern(unless)}, {{value}}))"
        schema["not"] = {"pattern": unless}
    return Rule(
        allowed,
        # ``$`` of Python's also matches before a final newline.
        lambda value: (
            bool(wanted.search(value))
            and not value.endswith("\n")
            and not (refused and refused.search(value))
        ),
        condition,
        schema,
    )


def private_block(shortest: int, longest: int) -> Rule:
    """An IPv4 block of a private range, as a VPC has."""
    octets = r"(10|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."
    prefixes = "|".join(str(length) for length in range(shortest, longest + 1))
    pattern = rf"^{octets}[0-9.]+/({prefixes})$"
    return Rule(
        f"an IPv4 block of a private range from /{shortest} to /{longest} without host bits, such as 10.0.0.0/16",
        lambda value: re.search(pattern, value) is not None and _is_block(value),
        f"can(regex({hcl_pattern(pattern)}, {{value}})) && try(cidrsubnet({{value}}, 0, 0), null) == {{value}}",
        {"pattern": pattern},
    )


def block() -> Rule:
    """Any IPv4 block, as a security group's rule has."""
    pattern = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])$"
    return Rule(
        "an IPv4 block without host bits, such as 203.0.113.0/24",
        lambda value: re.search(pattern, value) is not None and _is_block(value),
        f"can(regex({hcl_pattern(pattern)}, {{value}})) && try(cidrsubnet({{value}}, 0, 0), null) == {{value}}",
        {"pattern": pattern},
    )


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


def each(rule: Rule, least: int = 0, most: int = 1000, *, what: str) -> Rule:
    """A list without repetition, each element of which obeys a rule."""
    return Rule(
        f"a list of {_count(least, most)}{what}, each {rule.allowed}",
        lambda values: (
            least <= len(values) <= most and len(set(values)) == len(values) and all(map(rule.check, values))
        ),
        f"length({{value}}) >= {least} && length({{value}}) <= {most} && "
        f"length(distinct({{value}})) == length({{value}}) && alltrue([for x in {{value}} : {rule.terraform('x')}])",
        {
            "minItems": least,
            "maxItems": most,
            "uniqueItems": True,
            "items": {"type": "string", **rule.schema},
        },
    )


def named(names: Rule, values: Rule, *, most: int, what: str) -> Rule:
    """A mapping whose keys and values obey rules."""
    return Rule(
        f"a mapping of at most {most} {what}: each key {names.allowed}, each value {values.allowed}",
        lambda items: (
            len(items) <= most and all(names.check(k) and values.check(v) for k, v in items.items())
        ),
        f"length({{value}}) <= {most} && "
        f"alltrue([for k, v in {{value}} : {names.terraform('k')} && {values.terraform('v')}])",
        {
            "maxProperties": most,
            "propertyNames": dict(names.schema),
            "additionalProperties": {"type": "string", **values.schema},
        },
    )


def _is_block(value: str) -> bool:
    try:
        return str(ipaddress.IPv4Network(value)) == value
    except ValueError:
        return False


def hcl_pattern(pattern: str) -> str:
    """A regular expression as Terraform's quoted text."""
    return json.dumps(pattern).replace("${", "$${").replace("%{", "%%{")


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
