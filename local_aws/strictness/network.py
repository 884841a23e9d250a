"""Values of a VPC's parts: address ranges, routes, endpoints, launch templates."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from collections import Counter
from typing import Any

from local_aws.strictness.held import backend, endpoints, security_groups, subnets
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"

LARGEST, SMALLEST = 16, 28
"""Prefix lengths of the largest and the smallest block of a VPC or a subnet."""

MOST_USER_DATA = 16_384


def _block(text: object) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(str(text), strict=False)
    except ValueError:
        return None


def _vpc_range(request: Request) -> str | None:
    text = request.parameters.get("CidrBlock")
    block = _block(text)
    if text is None or (block and LARGEST <= block.prefixlen <= SMALLEST):
        return None
    return f"The CIDR '{text}' is invalid."


def _subnet_range(request: Request) -> str | None:
    text = request.parameters.get("CidrBlock")
    block, vpc = _block(text), backend(request).vpcs.get(request.parameters.get("VpcId"))
    if text is None or vpc is None:
        return None
    if not block or not LARGEST <= block.prefixlen <= SMALLEST:
        return f"The CIDR '{text}' is invalid."
    return None


def _interface_elsewhere(request: Request) -> str | None:
    found = subnets(request, [str(request.parameters.get("SubnetId"))])
    for group in security_groups(request, request.parameters.get("Groups") or []):
        if found and group.vpc_id != found[0].vpc_id:
            return f"You have specified two resources that belong to different networks: {group.id}, {found[0].id}"
    return None


def _associated(request: Request) -> str | None:
    table_id, subnet = request.parameters.get("RouteTableId"), request.parameters.get("SubnetId")
    for table in list(backend(request).route_tables.values()):
        if subnet and table.id != table_id and subnet in table._associations.values():
            return (
                f"the specified association for route table {table_id} conflicts with an existing association"
            )
    return None


def _table_elsewhere(request: Request) -> str | None:
    table = backend(request).route_tables.get(request.parameters.get("RouteTableId"))
    found = subnets(request, [str(request.parameters.get("SubnetId"))])
    if table and found and table.vpc_id != found[0].vpc_id:
        return f"route table {table.id} and subnet {found[0].id} belong to different networks"
    return None


def _route_there(request: Request) -> str | None:
    table = backend(request).route_tables.get(request.parameters.get("RouteTableId"))
    destination = request.parameters.get("DestinationCidrBlock")
    if table and any(route.destination_cidr_block == destination for route in table.routes if destination):
        return f"The route identified by {destination} already exists."
    return None


def _endpoints(request: Request) -> list[Any]:
    asked = request.parameters
    return [
        endpoint
        for endpoint in endpoints(request)
        if (endpoint.vpc_id, endpoint.service_name) == (asked.get("VpcId"), asked.get("ServiceName"))
    ]


def _gateway_endpoint_there(request: Request) -> str | None:
    asked = set(request.parameters.get("RouteTableIds") or [])
    for endpoint in _endpoints(request):
        for table in asked & set(endpoint.route_table_ids or []):
            prefixes = endpoint.destination_prefix_list_id
            return f"route table {table} already has a route with destination-prefix-list-id {prefixes}"
    return None


def _private_dns_taken(request: Request) -> str | None:
    if not request.parameters.get("PrivateDnsEnabled"):
        return None
    if any(endpoint.private_dns_enabled for endpoint in _endpoints(request)):
        domain = ".".join(reversed(str(request.parameters.get("ServiceName")).split(".")))
        return (
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
            f"{domain} in the VPC {request.parameters.get('VpcId')}"
        )
    return None


def _private_dns_impossible(request: Request) -> str | None:
    vpc = backend(request).vpcs.get(request.parameters.get("VpcId"))
    if vpc is None or not request.parameters.get("PrivateDnsEnabled"):
        return None
    if vpc.enable_dns_support in (True, "true") and vpc.enable_dns_hostnames in (True, "true"):
        return None
    return (
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
        f"for {vpc.id}"
    )


def _zone_twice(request: Request) -> str | None:
    zones = Counter(
        subnet.availability_zone for subnet in subnets(request, request.parameters.get("SubnetIds") or [])
    )
    for subnet in subnets(request, request.parameters.get("SubnetIds") or []):
        if zones[subnet.availability_zone] > 1:
            return (
                f"Found another VPC endpoint subnet in the availability zone of {subnet.id}. VPC endpoint subnets "
                "should be in different availability zones supported by the VPC endpoint service."
            )
    return None


def _endpoint_policy(request: Request) -> str | None:
    text = request.parameters.get("PolicyDocument")
    try:
        document = json.loads(text) if text else {}
    except ValueError:
        document = None
    return None if isinstance(document, dict) else "Invalid policy document"


def _user_data(request: Request) -> str | None:
    text = (request.parameters.get("LaunchTemplateData") or {}).get("UserData", "")
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        return "Invalid BASE64 encoding of user data."
    return f"User data is limited to {MOST_USER_DATA} bytes" if size > MOST_USER_DATA else None


def _rule(
    name: str, operations: tuple[str, ...] | str, condition: str, code: str, refuses: Any, page: str = ""
) -> Rule:
    names = (operations,) if isinstance(operations, str) else operations
    return Rule(
        name,
        tuple(f"ec2.{each}" for each in names),
        condition,
        code,
        page or f"{_API}/API_{names[0]}.html",
        refuses,
    )


RULES = (
    _rule(
        "vpc_range", "CreateVpc", "A VPC larger than /16 or smaller than /28", "InvalidVpc.Range", _vpc_range
    ),
    _rule(
        "subnet_range", "CreateSubnet", "A subnet larger than /16 or smaller than /28",
        "InvalidSubnet.Range", _subnet_range,
    ),
    _rule(
        "interface_of_another_vpc", "CreateNetworkInterface", "A security group of another VPC than the subnet's",
        "InvalidParameterValue", _interface_elsewhere,
    ),
    _rule(
        "subnet_with_a_route_table", "AssociateRouteTable", "A subnet that is associated with another route table",
        "Resource.AlreadyAssociated", _associated,
    ),
    _rule(
        "route_table_of_another_vpc", "AssociateRouteTable", "A route table of another VPC than the subnet's",
        "InvalidParameterValue", _table_elsewhere,
    ),
    _rule(
        "route_that_exists", "CreateRoute", "A second route to one destination", "RouteAlreadyExists", _route_there
    ),
    _rule(
        "gateway_endpoint_that_exists", "CreateVpcEndpoint", "A second gateway endpoint of one service in a route table",
        "RouteAlreadyExists", _gateway_endpoint_there,
    ),
    _rule(
        "private_dns_taken", "CreateVpcEndpoint", "A second endpoint of one service with private DNS",
        "InvalidParameter", _private_dns_taken,
    ),
    _rule(
        "private_dns_impossible", "CreateVpcEndpoint", "Private DNS in a VPC without DNS support or host names",
        "InvalidParameter", _private_dns_impossible,
    ),
    _rule(
        "zone_of_an_endpoint_twice", "CreateVpcEndpoint", "Two subnets of one zone for an interface endpoint",
        "DuplicateSubnetsInSameZone", _zone_twice,
    ),
    _rule(
        "policy_of_an_endpoint", ("CreateVpcEndpoint", "ModifyVpcEndpoint"), "A policy that is no JSON object",
        "InvalidPolicyDocument", _endpoint_policy,
    ),
    _rule(
        "user_data", ("CreateLaunchTemplate", "CreateLaunchTemplateVersion"),
        "User data over 16 KiB, or that is no Base64", "InvalidUserData.Malformed", _user_data,
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html",
    ),
)  # fmt: skip
