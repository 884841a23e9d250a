"""The order of things in a VPC: what may not be deleted while something uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_aws.strictness.held import (
    backend,
    endpoints,
    security_groups,
    services,
    subnets,
    with_gateway,
)
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"


def _interfaces(request: Request) -> list[Any]:
    return list(backend(request, "ec2").enis.values())


def _instances(request: Request) -> list[Any]:
    reservations = list(backend(request, "ec2").reservations.values())
    return [
        instance
        for reservation in reservations
        for instance in reservation.instances
        if instance._state.name != "terminated"
    ]


def _load_balancers(request: Request) -> list[Any]:
    return list(backend(request, "elbv2").load_balancers.values())


def _task_networks(request: Request) -> Iterator[dict[str, Any]]:
    """The network configurations of services that run tasks: each task has a network interface."""
    for found in list(backend(request, "ecs").clusters.values()):
        for service in services(request, found.name):
            if service.desired_count and service.network_configuration:
                yield service.network_configuration.get("awsvpcConfiguration") or {}


def _subnets_in_use(request: Request) -> Iterator[str]:
    """Subnets with network interfaces, those included that moto does not make."""
    yield from (interface.subnet.id for interface in _interfaces(request))
    yield from (instance.subnet_id for instance in _instances(request))
    yield from (subnet.id for balancer in _load_balancers(request) for subnet in balancer.subnets)
    for endpoint in endpoints(request):
        yield from endpoint.subnet_ids or []
    for gateway in list(backend(request, "ec2").nat_gateways.values()):
        if gateway.state != "deleted":
            yield gateway.subnet_id
    for network in _task_networks(request):
        yield from network.get("subnets") or []
    for broker in list(backend(request, "mq").brokers.values()):
        yield from broker.subnet_ids or []
    for database in list(backend(request, "rds").databases.values()):
        if group := database.db_subnet_group:
            yield from (
                each.id for each in group.subnets if each.availability_zone == database.availability_zone
            )


def _groups_in_use(request: Request) -> Iterator[str]:
    """Security groups of network interfaces, those included that moto does not make."""
    yield from (group.id for interface in _interfaces(request) for group in interface.group_set)
    yield from (group.id for instance in _instances(request) for group in instance.security_groups)
    for balancer in _load_balancers(request):
        yield from balancer.security_groups or []
    for endpoint in endpoints(request):
        yield from endpoint.security_group_ids or []
    for network in _task_networks(request):
        yield from network.get("securityGroups") or []
    for broker in list(backend(request, "mq").brokers.values()):
        yield from broker.security_groups or []
    for database in list(backend(request, "rds").databases.values()):
        yield from database.vpc_security_group_ids or []
    for target in list(backend(request, "efs").mount_targets_by_id.values()):
        yield from target.security_groups or []


def _subnet_in_use(request: Request) -> str | None:
    name = request.parameters.get("SubnetId")
    if name in set(_subnets_in_use(request)):
        return f"The subnet '{name}' has dependencies and cannot be deleted."
    return None


def _main_route_table(request: Request) -> str | None:
    name = request.parameters.get("RouteTableId")
    table = backend(request).route_tables.get(name)
    if table and table.main_association_id:
        return f"The routeTable '{name}' has dependencies and cannot be deleted."
    return None


def _referenced(request: Request) -> str | None:
    name = request.parameters.get("GroupId")
    referring = {
        peer.get("GroupId")
        for group in security_groups(request)
        if group.id != name
        for rule in [*group.ingress_rules, *group.egress_rules]
        if (peer := rule.source_group)
    }
    if name in referring or name in set(_groups_in_use(request)):
        return f"resource {name} has a dependent object"
    return None


def _prefix_list_in_use(request: Request) -> str | None:
    name = request.parameters.get("PrefixListId")
    rules = (
        rule for group in security_groups(request) for rule in (*group.ingress_rules, *group.egress_rules)
    )
    if any(rule.prefix_list_id == name for rule in rules):
        return f"The prefix list {name} is in use: remove the references to it first"
    return None


def _too_many_entries(request: Request) -> str | None:
    most, entries = request.parameters.get("MaxEntries"), request.parameters.get("Entries") or []
    if most is not None and len(entries) > int(most):
        return f"You have reached the maximum number of entries ({most}) for the prefix list"
    return None


def _default_group(request: Request) -> str | None:
    name = request.parameters.get("GroupId")
    if any(group.name == "default" for group in security_groups(request, [str(name)])):
        return f'the specified group: "{name}" name: "default" cannot be deleted by a user'
    return None


def _vpc_in_use(request: Request) -> str | None:
    name = request.parameters.get("VpcId")
    ec2 = backend(request)
    held = (
        any(group.vpc_id == name and group.name != "default" for group in security_groups(request)),
        any(gateway.vpc and gateway.vpc.id == name for gateway in list(ec2.internet_gateways.values())),
        any(endpoint.vpc_id == name for endpoint in endpoints(request)),
        any(
            gateway.vpc_id == name and gateway.state != "deleted"
            for gateway in list(ec2.nat_gateways.values())
        ),
    )
    return f"The vpc '{name}' has dependencies and cannot be deleted." if any(held) else None


def _mapped_addresses(request: Request) -> str | None:
    name = request.parameters.get("VpcId")
    ec2 = backend(request)
    mapped = {address.eni.subnet.vpc_id for address in list(ec2.addresses) if address.eni}
    mapped |= {
        balancer.vpc_id for balancer in _load_balancers(request) if balancer.scheme == "internet-facing"
    }
    public = {
        subnet
        for network in _task_networks(request)
        if network.get("assignPublicIp") == "ENABLED"
        for subnet in network.get("subnets") or []
    }
    mapped |= {subnet.vpc_id for subnet in subnets(request, public)}
    if name not in mapped:
        return None
    return (
        f"Network {name} has some mapped public address(es). Please unmap those public address(es) before "
        "detaching the gateway."
    )


def _address(request: Request) -> Any | None:
    name = request.parameters.get("AllocationId")
    return next((each for each in list(backend(request).addresses) if each.allocation_id == name), None)


def _address_in_use(request: Request) -> str | None:
    found = _address(request)
    return f"Address {found.public_ip} is in use." if found and found.association_id else None


def _address_taken(request: Request) -> str | None:
    found = _address(request)
    if found and found.association_id and not request.parameters.get("AllowReassociation"):
        return (
            f"resource {found.allocation_id} is already associated with associate-id {found.association_id}"
        )
    return None


def _attached_interface(request: Request) -> str | None:
    name = request.parameters.get("NetworkInterfaceId")
    found = backend(request).enis.get(name)
    used = any(name in endpoint.network_interface_ids for endpoint in endpoints(request))
    if found and (found.instance or used):
        return f"Network interface '{name}' is currently in use."
    return None


def _has_gateway(request: Request, subnet_id: object) -> bool:
    found = subnets(request, [str(subnet_id)])
    return not found or found[0].vpc_id in with_gateway(request)


def _no_way_out(request: Request) -> str | None:
    """AWS says so a moment later, in the NAT gateway's state."""
    subnet = request.parameters.get("SubnetId")
    if request.parameters.get("ConnectivityType") == "private" or _has_gateway(request, subnet):
        return None
    return f"Network {subnets(request, [str(subnet)])[0].vpc_id} has no Internet gateway attached"


def _no_gateway(request: Request) -> str | None:
    interface = backend(request).enis.get(request.parameters.get("NetworkInterfaceId"))
    if interface is None or _has_gateway(request, interface.subnet.id):
        return None
    return f"Network {interface.subnet.vpc_id} is not attached to any internet gateway"


def _gateway_elsewhere(request: Request) -> str | None:
    name, table_id = request.parameters.get("GatewayId"), request.parameters.get("RouteTableId")
    gateway = backend(request).internet_gateways.get(name)
    table = backend(request).route_tables.get(table_id)
    if gateway is None or table is None or (gateway.vpc and gateway.vpc.id == table.vpc_id):
        return None
    return f"route table {table_id} and network gateway {name} belong to different networks"


def _second_gateway(request: Request) -> str | None:
    vpc = request.parameters.get("VpcId")
    gateways = list(backend(request).internet_gateways.values())
    if any(gateway.vpc and gateway.vpc.id == vpc for gateway in gateways):
        return f"Network {vpc} already has an internet gateway attached"
    return None


def _rule(name: str, operation: str, condition: str, code: str, refuses: Any, page: str = "") -> Rule:
    return Rule(name, (f"ec2.{operation}",), condition, code, page or f"{_API}/API_{operation}.html", refuses)


RULES = (
    _rule(
        "subnet_in_use", "DeleteSubnet",
        "A subnet with network interfaces: of instances, endpoints, NAT gateways, load balancers, tasks, databases, "
        "brokers or mount targets",
        "DependencyViolation", _subnet_in_use,
    ),
    _rule(
        "main_route_table", "DeleteRouteTable",
        "A VPC's main route table", "DependencyViolation", _main_route_table,
    ),
    _rule(
        "security_group_in_use", "DeleteSecurityGroup",
        "A security group that another group's rule or a network interface refers to",
        "DependencyViolation", _referenced,
    ),
    _rule(
        "default_security_group", "DeleteSecurityGroup",
        "A VPC's default security group", "CannotDelete", _default_group,
    ),
    _rule(
        "prefix_list_in_use", "DeleteManagedPrefixList",
        "A prefix list that a security group's rule names", "DependencyViolation", _prefix_list_in_use,
    ),
    _rule(
        "prefix_list_entries", "CreateManagedPrefixList",
        "More entries than the prefix list's maximum", "PrefixListMaxEntriesExceeded", _too_many_entries,
    ),
    _rule(
        "vpc_in_use", "DeleteVpc",
        "A VPC with security groups, gateways or endpoints", "DependencyViolation", _vpc_in_use,
    ),
    _rule(
        "mapped_addresses", "DetachInternetGateway",
        "The gateway of a VPC with public addresses: Elastic IPs, load balancers, tasks",
        "DependencyViolation", _mapped_addresses,
    ),
    _rule(
        "address_in_use", "ReleaseAddress",
        "An Elastic IP that is associated", "InvalidIPAddress.InUse", _address_in_use,
    ),
    _rule(
        "address_taken_by_another", "CreateNatGateway",
        "An Elastic IP that is associated", "Resource.AlreadyAssociated", _address_taken,
    ),
    _rule(
        "interface_in_use", "DeleteNetworkInterface",
        "A network interface of an instance or an endpoint", "InvalidParameterValue", _attached_interface,
    ),
    _rule(
        "nat_gateway_without_way_out", "CreateNatGateway",
        "A public NAT gateway in a VPC without an internet gateway", "Gateway.NotAttached", _no_way_out,
        "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    ),
    _rule(
        "address_without_gateway", "AssociateAddress",
        "An Elastic IP for a VPC without an internet gateway", "Gateway.NotAttached", _no_gateway,
        f"{_API}/errors-overview.html",
    ),
    _rule(
        "second_gateway", "AttachInternetGateway", "A second internet gateway of a VPC",
        "InvalidParameterValue", _second_gateway,
    ),
    _rule(
        "gateway_of_another_vpc", "CreateRoute",
        "A route to an internet gateway that is not attached to the table's VPC",
        "InvalidParameterValue", _gateway_elsewhere,
    ),
)  # fmt: skip
