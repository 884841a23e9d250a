"""Rules of security groups."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.strictness.held import security_groups
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"

LAST_PORT = 65_535
MOST_RULES = 60
_PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", "-1")


def _is_block(text: object) -> bool:
    try:
        ipaddress.IPv4Network(str(text))
    except ValueError:
        return False
    return True


def _permissions(request: Request) -> Iterator[Mapping[str, Any]]:
    yield from request.parameters.get("IpPermissions") or []


def _ports(request: Request) -> str | None:
    for permission in _permissions(request):
        if str(permission.get("IpProtocol")) not in ("tcp", "udp", "6", "17"):
            continue
        first, last = permission.get("FromPort", 0), permission.get("ToPort", LAST_PORT)
        for port in (first, last):
            if not 0 <= port <= LAST_PORT:
                return f"Invalid value '{port}' for portRange. Must specify port between 0 and {LAST_PORT}"
        if first > last:
            return f"Invalid value '{first}' for portRange. The from port must be at most the to port."
    return None


def _protocol(request: Request) -> str | None:
    for permission in _permissions(request):
        protocol = str(permission.get("IpProtocol"))
        number = protocol.isdecimal() and int(protocol) <= 255
        if protocol.lower() not in _PROTOCOLS and not number:
            return f"Invalid value '{protocol}' for IP protocol. Unknown protocol."
    return None


def _source(request: Request) -> str | None:
    for permission in _permissions(request):
        for item in permission.get("IpRanges") or []:
            if not _is_block(item.get("CidrIp")):
                return f"CIDR block {item.get('CidrIp')} is malformed"
    return None


def _no_source(request: Request) -> str | None:
    sources = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    for permission in _permissions(request):
        if not any(permission.get(source) for source in sources):
            return "The request must contain a source or destination."
    return None


def _group(request: Request) -> Any | None:
    return next(security_groups(request, [str(request.parameters.get("GroupId"))]), None)


def _many_rules(request: Request) -> str | None:
    group = _group(request)
    if group is None:
        return None
    held = group.ingress_rules if request.operation.endswith("Ingress") else group.egress_rules
    asked = sum(
        len(permission.get(source) or [])
        for permission in _permissions(request)
        for source in ("IpRanges", "PrefixListIds", "UserIdGroupPairs")
    )
    # A prefix list counts with all of its entries; the stacks refer to S3's alone.
    if len(held) + asked > MOST_RULES:
        return "The maximum number of rules per security group has been reached."
    return None


def _peer_elsewhere(request: Request) -> str | None:
    group = _group(request)
    for permission in _permissions(request):
        for pair in permission.get("UserIdGroupPairs") or []:
            peer = next(security_groups(request, [str(pair.get("GroupId"))]), None)
            if group and peer and group.vpc_id != peer.vpc_id:
                return f"You have specified two resources that belong to different networks: {group.id}, {peer.id}"
    return None


def _rule(name: str, condition: str, code: str, refuses: Any, page: str = "") -> Rule:
    operations = ("ec2.AuthorizeSecurityGroupIngress", "ec2.AuthorizeSecurityGroupEgress")
    address = page or f"{_API}/API_AuthorizeSecurityGroupIngress.html"
    return Rule(name, operations, condition, code, address, refuses)


RULES = (
    _rule(
        "ports", f"Ports outside 0 to {LAST_PORT}, or the first above the last",
        "InvalidParameterValue", _ports,
    ),
    _rule("protocol", "A protocol that does not exist", "InvalidParameterValue", _protocol),
    _rule(
        "source", "A source that is no address range, or has host bits",
        "InvalidParameterValue", _source,
    ),
    _rule(
        "no_source", "A rule without a source or destination", "InvalidParameterValue", _no_source
    ),
    _rule(
        "rules_of_a_group", f"More than {MOST_RULES} rules in one direction",
        "RulesPerSecurityGroupLimitExceeded", _many_rules,
        "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    ),
    _rule(
        "peer_of_another_vpc", "A rule that refers to a group of another VPC",
        "InvalidGroup.NotFound", _peer_elsewhere,
    ),
)  # fmt: skip
