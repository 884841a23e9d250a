"""Examples of the rules about VPCs and load balancers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import (
    attached,
    network,
    subnet,
)

HTTPS = [{"CidrIp": "10.0.0.0/8"}]
Prepared = Callable[[InProcess], Mapping[str, Any]]


def ec2(method: str, text: str, prepare: Prepared) -> Example:
    """A request to EC2 with the arguments that `prepare` returns."""
    return Example("ec2", method, lambda made: made, text, prepare)


def allowed(text: str, **permission: Any) -> Example:
    """A rule of a security group."""
    whole = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": HTTPS, **permission}
    return ec2(
        "authorize_security_group_ingress",
        text,
        lambda aws: {"GroupId": network(aws).group, "IpPermissions": [whole]},
    )


def _subnet_with_interface(aws: InProcess) -> dict[str, Any]:
    name = network(aws).subnets[0]
    aws.client("ec2").create_network_interface(SubnetId=name)
    return {"SubnetId": name}


def _main_table(aws: InProcess) -> dict[str, Any]:
    (table,) = aws.client("ec2").describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [network(aws).vpc]}]
    )["RouteTables"]
    return {"RouteTableId": table["RouteTableId"]}


def _referenced_group(aws: InProcess) -> dict[str, Any]:
    net, client = network(aws), aws.client("ec2")
    other = client.create_security_group(GroupName="engine", Description="engine", VpcId=net.vpc)["GroupId"]
    pair = [{"GroupId": net.group}]
    client.authorize_security_group_ingress(
        GroupId=other,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": pair}],
    )
    return {"GroupId": net.group}


_BLOCKS = {"PrefixListName": "allowed", "AddressFamily": "IPv4"}


def _referenced_prefix_list(aws: InProcess) -> dict[str, Any]:
    client = aws.client("ec2")
    listed = client.create_managed_prefix_list(**_BLOCKS, MaxEntries=1)["PrefixList"]["PrefixListId"]
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "PrefixListIds": [{"PrefixListId": listed}],
    }
    client.authorize_security_group_ingress(GroupId=network(aws).group, IpPermissions=[permission])
    return {"PrefixListId": listed}


def _overfull_prefix_list(_: InProcess) -> dict[str, Any]:
    return {**_BLOCKS, "MaxEntries": 1, "Entries": [{"Cidr": f"10.{number}.0.0/16"} for number in range(2)]}


def _default_group(aws: InProcess) -> dict[str, Any]:
    found = aws.client("ec2").describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [network(aws).vpc]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )
    return {"GroupId": found["SecurityGroups"][0]["GroupId"]}


def _vpc_with_group(aws: InProcess) -> dict[str, Any]:
    client = aws.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client.create_security_group(GroupName="workers", Description="workers", VpcId=vpc)
    return {"VpcId": vpc}


def _gateway_with_address(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    gateway = attached(aws, net.vpc)
    _nat(aws, net.subnets[0])
    return {"InternetGatewayId": gateway, "VpcId": net.vpc}


def _nat(aws: InProcess, name: str) -> str:
    client = aws.client("ec2")
    address: str = client.allocate_address(Domain="vpc")["AllocationId"]
    client.create_nat_gateway(SubnetId=name, AllocationId=address)
    return address


def _address_of_nat(aws: InProcess) -> dict[str, Any]:
    return {"AllocationId": _nat(aws, network(aws, gateway=True).subnets[0])}


def _nat_with_a_taken_address(aws: InProcess) -> dict[str, Any]:
    net = network(aws, gateway=True)
    return {"SubnetId": net.subnets[1], "AllocationId": _nat(aws, net.subnets[0])}


def _interface_of_an_endpoint(aws: InProcess) -> dict[str, Any]:
    net, client = network(aws), aws.client("ec2")
    made = client.create_vpc_endpoint(**_endpoint(net.vpc, net.subnets[:1], private=False))
    return {"NetworkInterfaceId": made["VpcEndpoint"]["NetworkInterfaceIds"][0]}


def _endpoint(vpc: str, subnets: list[str], *, private: bool) -> dict[str, Any]:
    return {
        "VpcId": vpc,
        "ServiceName": "com.amazonaws.us-east-1.logs",
        "VpcEndpointType": "Interface",
        "SubnetIds": subnets,
        "PrivateDnsEnabled": private,
    }


def _nat_without_gateway(aws: InProcess) -> dict[str, Any]:
    address = aws.client("ec2").allocate_address(Domain="vpc")["AllocationId"]
    return {"SubnetId": network(aws).subnets[0], "AllocationId": address}


def _address_without_gateway(aws: InProcess) -> dict[str, Any]:
    client = aws.client("ec2")
    made = client.create_network_interface(SubnetId=network(aws).subnets[0])["NetworkInterface"]
    address = client.allocate_address(Domain="vpc")["AllocationId"]
    return {"NetworkInterfaceId": made["NetworkInterfaceId"], "AllocationId": address}


def _two_gateways(aws: InProcess) -> dict[str, Any]:
    vpc = network(aws, gateway=True).vpc
    other = aws.client("ec2").create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    return {"InternetGatewayId": other, "VpcId": vpc}


def _route_to_a_foreign_gateway(aws: InProcess) -> dict[str, Any]:
    gateway = attached(aws, network(aws, "10.1").vpc)
    return {**_main_table(aws), "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}


def _route_twice(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    gateway = attached(aws, net.vpc)
    table = aws.client("ec2").create_route_table(VpcId=net.vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    aws.client("ec2").create_route(**route)
    return route


def _table(aws: InProcess, vpc: str) -> str:
    name: str = aws.client("ec2").create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return name


def _table_twice(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    first, second = _table(aws, net.vpc), _table(aws, net.vpc)
    aws.client("ec2").associate_route_table(RouteTableId=first, SubnetId=net.subnets[0])
    return {"RouteTableId": second, "SubnetId": net.subnets[0]}


def _foreign_table(aws: InProcess) -> dict[str, Any]:
    return {"RouteTableId": _table(aws, network(aws).vpc), "SubnetId": network(aws, "10.1").subnets[0]}


def _gateway_endpoint_twice(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    endpoint = {
        "VpcId": net.vpc,
        "ServiceName": "com.amazonaws.us-east-1.s3",
        "VpcEndpointType": "Gateway",
        "RouteTableIds": [_table(aws, net.vpc)],
    }
    aws.client("ec2").create_vpc_endpoint(**endpoint)
    return endpoint


def _with_names(aws: InProcess) -> tuple[str, list[str]]:
    net = network(aws)
    aws.client("ec2").modify_vpc_attribute(VpcId=net.vpc, EnableDnsHostnames={"Value": True})
    return net.vpc, net.subnets


def _private_dns_twice(aws: InProcess) -> dict[str, Any]:
    vpc, subnets = _with_names(aws)
    endpoint = _endpoint(vpc, subnets, private=True)
    aws.client("ec2").create_vpc_endpoint(**endpoint)
    return endpoint


def _private_dns_without_names(aws: InProcess) -> dict[str, Any]:
    net = network(aws)
    return _endpoint(net.vpc, net.subnets, private=True)


def _zone_twice(aws: InProcess) -> list[str]:
    net = network(aws)
    return [net.vpc, net.subnets[0], subnet(aws, net.vpc, "10.0.9.0/24", "a")]


def _endpoint_in_one_zone(aws: InProcess) -> dict[str, Any]:
    vpc, *subnets = _zone_twice(aws)
    return _endpoint(vpc, subnets, private=False)


def _full_group(aws: InProcess) -> dict[str, Any]:
    ranges = [{"CidrIp": f"10.{number}.0.0/16"} for number in range(61)]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}
    return {"GroupId": network(aws).group, "IpPermissions": [permission]}


def _foreign_peer(aws: InProcess) -> dict[str, Any]:
    pair = [{"GroupId": network(aws, "10.1").group}]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": pair}
    return {"GroupId": network(aws).group, "IpPermissions": [permission]}


NETWORK_EXAMPLES: Mapping[str, Example] = {
    "subnet_in_use": ec2("delete_subnet", "has dependencies and cannot be deleted", _subnet_with_interface),
    "main_route_table": ec2("delete_route_table", "has dependencies and cannot be deleted", _main_table),
    "security_group_in_use": ec2("delete_security_group", "has a dependent object", _referenced_group),
    "prefix_list_in_use": ec2("delete_managed_prefix_list", "is in use", _referenced_prefix_list),
    "prefix_list_entries": ec2(
        "create_managed_prefix_list", "the maximum number of entries", _overfull_prefix_list
    ),
    "default_security_group": ec2("delete_security_group", "cannot be deleted by a user", _default_group),
    "vpc_in_use": ec2("delete_vpc", "has dependencies and cannot be deleted.", _vpc_with_group),
    "mapped_addresses": ec2(
        "detach_internet_gateway", "has some mapped public address(es)", _gateway_with_address
    ),
    "address_in_use": ec2("release_address", "is in use.", _address_of_nat),
    "address_taken_by_another": ec2("create_nat_gateway", "is already associated", _nat_with_a_taken_address),
    "interface_in_use": ec2("delete_network_interface", "is currently in use.", _interface_of_an_endpoint),
    "nat_gateway_without_way_out": ec2(
        "create_nat_gateway", "has no Internet gateway attached", _nat_without_gateway
    ),
    "address_without_gateway": ec2(
        "associate_address", "is not attached to any internet gateway", _address_without_gateway
    ),
    "second_gateway": ec2(
        "attach_internet_gateway", "already has an internet gateway attached", _two_gateways
    ),
    "gateway_of_another_vpc": ec2(
        "create_route", "belong to different networks", _route_to_a_foreign_gateway
    ),
    "vpc_range": ec2(
        "create_vpc", "The CIDR '10.0.0.0/8' is invalid.", lambda _: {"CidrBlock": "10.0.0.0/8"}
    ),
    "subnet_range": ec2(
        "create_subnet",
        "The CIDR '10.0.200.0/29' is invalid.",
        lambda aws: {"VpcId": network(aws).vpc, "CidrBlock": "10.0.200.0/29"},
    ),
    "ports": allowed("Must specify port between 0 and 65535", ToPort=65536),
    "protocol": allowed("Unknown protocol", IpProtocol="http"),
    "source": allowed("CIDR block 10.0.0.1/8 is malformed", IpRanges=[{"CidrIp": "10.0.0.1/8"}]),
    "no_source": allowed("must contain a source", IpRanges=[]),
    "rules_of_a_group": ec2(
        "authorize_security_group_egress",
        "The maximum number of rules per security group has been reached.",
        _full_group,
    ),
    "peer_of_another_vpc": ec2(
        "authorize_security_group_ingress", "belong to different networks", _foreign_peer
    ),
    "interface_of_another_vpc": ec2(
        "create_network_interface",
        "belong to different networks",
        lambda aws: {"SubnetId": network(aws).subnets[0], "Groups": [network(aws, "10.1").group]},
    ),
    "subnet_with_a_route_table": ec2(
        "associate_route_table", "conflicts with an existing association", _table_twice
    ),
    "route_table_of_another_vpc": ec2(
        "associate_route_table", "belong to different networks", _foreign_table
    ),
    "route_that_exists": ec2("create_route", "already exists", _route_twice),
    "gateway_endpoint_that_exists": ec2(
        "create_vpc_endpoint", "already has a route with destination-prefix-list-id", _gateway_endpoint_twice
    ),
    "private_dns_taken": ec2(
        "create_vpc_endpoint", "there is already a conflicting DNS domain for", _private_dns_twice
    ),
    "private_dns_impossible": ec2(
        "create_vpc_endpoint", "Enabling private DNS requires both", _private_dns_without_names
    ),
    "zone_of_an_endpoint_twice": ec2(
        "create_vpc_endpoint", "Found another VPC endpoint subnet", _endpoint_in_one_zone
    ),
    "policy_of_an_endpoint": ec2(
        "create_vpc_endpoint",
        "Invalid policy document",
        lambda aws: {
            "VpcId": network(aws).vpc,
            "ServiceName": "com.amazonaws.us-east-1.s3",
            "PolicyDocument": "{",
        },
    ),
    "user_data": ec2(
        "create_launch_template",
        "User data is limited to 16384 bytes",
        lambda _: {
            "LaunchTemplateName": "nat",
            "LaunchTemplateData": {"UserData": base64.b64encode(b"x" * 16385).decode()},
        },
    ),
}
