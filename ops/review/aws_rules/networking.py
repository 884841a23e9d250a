"""Addresses, zones, ways out, and the network's quotas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from ops.review.aws_rules.planned import Found, Planned, Resource, Rule

CHINAS_OWN = {"ecr.api", "ecr.dkr", "elasticfilesystem", "monitoring", "sts", "xray"}
"""Services whose interface endpoints in China are named ``cn.com.amazonaws...``."""
WITHOUT_FARGATE = {"apne1-az3", "cac1-az3", "cnn1-az3", "use1-az3", "usw1-az2"}


def subnets_in_vpc(planned: Planned) -> Found:
    """Subnets are blocks of /16 to /28 of their VPC's addresses, and do not overlap.

    Amazon VPC User Guide, "Subnet CIDR blocks".
    """
    blocks: dict[str, IPv4Network] = {}
    for vpc in planned.of("aws_vpc"):
        blocks[vpc.get("id")] = _block(vpc)
        if not 16 <= _block(vpc).prefixlen <= 28:
            yield vpc, f"cidr_block is {_block(vpc)}; must be /16 to /28"
    subnets = [subnet for subnet in planned.of("aws_subnet") if subnet.get("cidr_block")]
    for subnet in subnets:
        own, whole = _block(subnet), blocks.get(subnet.get("vpc_id"))
        if (whole and not own.subnet_of(whole)) or not 16 <= own.prefixlen <= 28:
            yield subnet, f"cidr_block is {own}; must be a /16 to /28 of {whole}"
    for one, other in combinations(subnets, 2):
        if one.get("vpc_id") == other.get("vpc_id") and _block(one).overlaps(_block(other)):
            yield one, f"cidr_block {_block(one)} overlaps {other.address}'s {_block(other)}"


def _block(resource: Resource) -> IPv4Network:
    return IPv4Network(resource.get("cidr_block"), strict=False)


def fargate_zones(planned: Planned) -> Found:
    """No service uses a zone without Fargate.

    Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate".
    """
    known = planned.by("aws_subnet", "id")
    for service, subnets in placed(planned):
        zones = {known[subnet].get("availability_zone_id") for subnet in subnets if subnet in known}
        for zone in sorted(zones & WITHOUT_FARGATE):
            yield service, f"uses the zone {zone}, in which Fargate runs no tasks"


def service_network(planned: Planned) -> Found:
    """A service has at most 16 subnets and 5 security groups.

    Amazon ECS API Reference, ``AwsVpcConfiguration``.
    """
    for service in planned.of("aws_ecs_service"):
        for network in service.blocks("network_configuration"):
            for argument, most in (("subnets", 16), ("security_groups", 5)):
                given = network.get(argument) or []
                if argument == "subnets" and network.get(argument) == []:
                    yield service, "has no subnet; must have one"
                if len(given) > most:
                    yield service, f"has {len(given)} {argument}; must have at most {most}"


def public_tasks(planned: Planned) -> Found:
    """A task with a public address is in subnets that lead to an internet gateway, others are not.

    Amazon ECS Developer Guide, "Amazon ECS task networking options for Fargate": without a public address an
    internet gateway takes a task nowhere.
    """
    public = internet_subnets(planned)
    known = set(planned.by("aws_subnet", "id"))
    for service, subnets in placed(planned):
        for network in service.blocks("network_configuration"):
            wrong = subnets & known - public if network.get("assign_public_ip") else subnets & public
            if wrong:
                yield (
                    service,
                    f"assign_public_ip is {network.get('assign_public_ip')}, which does not go with {sorted(wrong)}",
                )


def internet_subnets(planned: Planned) -> set[str]:
    """The subnets that lead to an internet gateway."""
    tables = {
        route.get("route_table_id")
        for route in planned.of("aws_route")
        if str(route.get("gateway_id") or "").startswith("igw-")
    }
    return {
        association.get("subnet_id")
        for association in planned.of("aws_route_table_association")
        if association.get("route_table_id") in tables
    }


def placed(planned: Planned) -> Iterator[tuple[Resource, set[str]]]:
    """The services with the subnets that they are in."""
    for service in planned.of("aws_ecs_service"):
        for network in service.blocks("network_configuration"):
            yield service, set(network.get("subnets") or [])


def security_group_rules(planned: Planned) -> Found:
    """A security group has at most 60 rules each way.

    Amazon VPC User Guide, "Amazon VPC quotas" (Inbound or outbound rules per security group).
    """
    groups = planned.by("aws_security_group", "id")
    for way in ("egress", "ingress"):
        rules = planned.of(f"aws_vpc_security_group_{way}_rule")
        for group, count in Counter(rule.get("security_group_id") for rule in rules).items():
            if group is not None and count > 60:
                yield groups.get(group, rules[0]), f"has {count} {way} rules; must have at most 60"


def groups_of_interfaces(planned: Planned) -> Found:
    """A network interface has at most 5 security groups, whoever makes it.

    Amazon VPC User Guide, "Amazon VPC quotas" (Security groups per network interface).
    """
    for kind, argument in (
        ("aws_db_instance", "vpc_security_group_ids"),
        ("aws_efs_mount_target", "security_groups"),
        ("aws_lb", "security_groups"),
        ("aws_network_interface", "security_groups"),
        ("aws_vpc_endpoint", "security_group_ids"),
    ):
        for resource in planned.of(kind):
            count = len(resource.get(argument) or [])
            if count > 5:
                yield resource, f"has {count} security groups; must have at most 5"


def addresses(planned: Planned) -> Found:
    """A region has 5 Elastic IP addresses and an Availability Zone 5 NAT gateways, unless AWS raised that.

    Amazon VPC User Guide, "Amazon VPC quotas".
    """
    owned = planned.of("aws_eip")
    if len(owned) > 5:
        yield owned[0], f"there are {len(owned)} Elastic IP addresses; AWS gives 5 unless asked (L-0263D0A3)"


def endpoint_services(planned: Planned) -> Found:
    """An endpoint names a service of its region, in China some under a name of their own.

    AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink"; in China ``aws ec2
    describe-vpc-endpoint-services``.
    """
    zones = {subnet.get("availability_zone") for subnet in planned.of("aws_subnet")}
    regions = {zone[:-1] for zone in zones if zone}
    for endpoint in planned.of("aws_vpc_endpoint"):
        name = endpoint.get("service_name") or ""
        match = re.fullmatch(r"((?:cn\.)?com)\.amazonaws\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.([a-z0-9.-]+)", name)
        if name and not (match and (not regions or match[2] in regions)):
            yield endpoint, f"service_name is {name}; must be com.amazonaws.<the VPC's region>.<service>"
        elif match and endpoint.get("vpc_endpoint_type") == "Interface":
            beginning = "cn.com" if match[2].startswith("cn-") and match[3] in CHINAS_OWN else "com"
            if match[1] != beginning:
                yield endpoint, f"service_name is {name}; must begin with {beginning}.amazonaws"


def endpoints(planned: Planned) -> Found:
    """An interface endpoint has a subnet per zone and a security group, a gateway a route table.

    AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint" (one subnet per Availability
    Zone; private DNS names need DNS support and host names).
    """
    subnets = planned.by("aws_subnet", "id")
    vpcs = planned.by("aws_vpc", "id")
    for endpoint in planned.of("aws_vpc_endpoint"):
        if endpoint.get("vpc_endpoint_type") == "Gateway":
            if endpoint.get("route_table_ids") == []:
                yield endpoint, "is a gateway without a route table; must have one"
            continue
        if endpoint.get("security_group_ids") == []:
            yield endpoint, "is an interface without a security group; must have one"
        given = endpoint.get("subnet_ids") or []
        placed = [subnets[subnet].get("availability_zone") for subnet in given if subnet in subnets]
        if len(set(placed)) < len(placed):
            yield (
                endpoint,
                f"has several subnets in a zone: {sorted(map(str, placed))}; must have one in each",
            )
        vpc = vpcs.get(str(endpoint.get("vpc_id")))
        if vpc and endpoint.get("private_dns_enabled"):
            for argument in ("enable_dns_support", "enable_dns_hostnames"):
                if not vpc.get(argument):
                    yield endpoint, f"has private names, but its VPC has {argument} off; must be on"


RULES: tuple[Rule, ...] = (
    subnets_in_vpc,
    fargate_zones,
    service_network,
    public_tasks,
    security_group_rules,
    groups_of_interfaces,
    addresses,
    endpoint_services,
    endpoints,
)
