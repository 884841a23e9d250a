"""Who reaches whom in an environment, by the security groups, rules and routes of its plans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any, NamedTuple

from ops.review.aws_rules.networking import internet_subnets
from ops.review.aws_rules.planned import Planned, Resource

Data = Mapping[str, Any]
EVERYWHERE = IPv4Network("0.0.0.0/0")
PRIVATE = [IPv4Network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")]
NAMES = {"api": "API", "backlog": "backlog service", "rabbitmq": "broker", "setup": "set-up"}
"""Services by another name than their own; no fleet may be called backlog."""

WORKERS = "workers: "
"""The beginning of a fleet's name: each must reach what the table says of workers."""


class Way(NamedTuple):
    """That one opens a connection to a TCP port of another."""

    who: str
    whom: str
    port: int


@dataclass(frozen=True)
class Party:
    """What has network interfaces in the VPC.

    Attributes:
        name: its name in the table.
        groups: its security groups.
        subnets: where its interfaces are.
        ports: where it answers.
        is_public: whether its interfaces have public addresses.
    """

    name: str
    groups: frozenset[str]
    subnets: frozenset[str]
    ports: frozenset[int] = frozenset()
    is_public: bool = False


@dataclass
class Ground:
    """The network of an environment.

    Attributes:
        planned: what its plans say.
        vpc: the VPC's addresses.
        parties: all that is in it.
    """

    planned: Planned
    vpc: IPv4Network = field(init=False)
    parties: list[Party] = field(init=False)

    def __post_init__(self) -> None:
        vpcs = [*self.planned.of("aws_vpc"), *self.planned.of("data.aws_vpc")]
        self.vpc = IPv4Network(vpcs[0].get("cidr_block"))
        self.parties = [*_services(self.planned), *_others(self.planned)]
        self._subnets = self.planned.by("aws_subnet", "id")
        self._internet = internet_subnets(self.planned)
        self._tables = {
            each.get("subnet_id"): each.get("route_table_id")
            for each in self.planned.of("aws_route_table_association")
        }

    def ways(self) -> set[Way]:
        """All connections that somebody may open and another answers."""
        inside = {way for one in self.parties for way in self._inside(one)}
        nat = {way.who for way in inside if way.whom == "NAT instance"}
        outside = {way for one in self.parties for way in self._out(one, nat)}
        return {*inside, *outside, *(way for one in self.parties for way in self._in(one))}

    def _inside(self, one: Party) -> Iterator[Way]:
        for other in self.parties:
            for port in other.ports if other is not one else ():
                out = any(self._is_to(rule, other) for rule in self._rules("egress", one, port))
                if out and any(self._is_to(rule, one) for rule in self._rules("ingress", other, port)):
                    yield Way(one.name, other.name, port)

    def _out(self, one: Party, through_nat: set[str]) -> Iterator[Way]:
        gateways = {
            endpoint.get("prefix_list_id"): set(endpoint.get("route_table_ids") or [])
            for endpoint in self.planned.of("aws_vpc_endpoint")
        }
        for rule in self._rules("egress", one):
            port = rule.get("from_port")
            if (prefixes := rule.get("prefix_list_id")) and self._is_routed(one, gateways.get(prefixes)):
                yield Way(one.name, "S3", port)
            block = rule.get("cidr_ipv4")
            if block and not IPv4Network(block).subnet_of(self.vpc) and self._leads_out(one, through_nat):
                yield Way(one.name, "Internet" if IPv4Network(block) == EVERYWHERE else block, port)

    def _in(self, one: Party) -> Iterator[Way]:
        for port in one.ports:
            for rule in self._rules("ingress", one, port):
                for block in self._blocks(rule):
                    if IPv4Network(block).subnet_of(self.vpc):
                        continue
                    # Private blocks come by peering, VPN or from the VPC itself, which is its owner's affair.
                    if _is_private(IPv4Network(block)) or (one.is_public and one.subnets <= self._internet):
                        yield Way(block, one.name, port)

    def _blocks(self, rule: Resource) -> list[str]:
        """The blocks that a rule names, by itself or by a prefix list of the environment's."""
        lists = self.planned.by("aws_ec2_managed_prefix_list", "id")
        listed = lists.get(rule.get("prefix_list_id"))
        blocks = [
            rule.get("cidr_ipv4"),
            *(entry["cidr"] for entry in (listed.blocks("entry") if listed else ())),
        ]
        return [block for block in blocks if block]

    def _rules(self, way: str, one: Party, port: int | None = None) -> list[Resource]:
        return [
            rule
            for rule in self.planned.of(f"aws_vpc_security_group_{way}_rule")
            if rule.get("security_group_id") in one.groups
            and (port is None or rule.get("from_port") <= port <= rule.get("to_port"))
            and rule.get("ip_protocol") == "tcp"
        ]

    def _is_to(self, rule: Resource, party: Party) -> bool:
        """Whether a rule names a party, by its group or by its addresses."""
        if rule.get("referenced_security_group_id") in party.groups:
            return True
        own = [
            IPv4Network(self._subnets[subnet].get("cidr_block")) if subnet in self._subnets else self.vpc
            for subnet in party.subnets
        ]
        return any(IPv4Network(block).overlaps(each) for block in self._blocks(rule) for each in own)

    def _is_routed(self, one: Party, tables: set[str] | None) -> bool:
        """Whether all of a party's subnets lead to a gateway; the routes of an existing VPC are its owner's."""
        if not one.subnets <= self._subnets.keys():
            return True
        return bool(tables) and all(self._tables.get(subnet) in (tables or ()) for subnet in one.subnets)

    def _leads_out(self, one: Party, through_nat: set[str]) -> bool:
        if not one.subnets <= self._subnets.keys():
            return True
        if one.is_public and one.subnets <= self._internet:
            return True
        routes = [each for each in self.planned.of("aws_route") if each.get("destination_cidr_block") == str(EVERYWHERE)]  # fmt: skip
        gateways = {each.get("route_table_id") for each in routes if each.get("nat_gateway_id")}
        instances = {each.get("route_table_id") for each in routes if each.get("network_interface_id")}
        return self._is_routed(one, gateways) or (one.name in through_nat and self._is_routed(one, instances))


def _is_private(block: IPv4Network) -> bool:
    """Whether no address of a block is on the Internet; Python counts those for documents as private too."""
    return any(block.subnet_of(each) for each in PRIVATE)


def _services(planned: Planned) -> Iterator[Party]:
    tasks = planned.by("aws_ecs_task_definition", "arn")
    for service in planned.of("aws_ecs_service"):
        (network,) = service.blocks("network_configuration")
        name = service.get("name")
        containers = json.loads(tasks[service.get("task_definition")].get("container_definitions"))
        yield Party(
            f"{WORKERS}{name}" if _is_fleet(service) else NAMES.get(name, name),
            frozenset(network["security_groups"]),
            frozenset(network["subnets"]),
            frozenset(port["containerPort"] for each in containers for port in each.get("portMappings", [])),
            bool(network["assign_public_ip"]),
        )


def _is_fleet(service: Resource) -> bool:
    return bool(service.get("cluster").endswith("-workers") and service.get("name") != "backlog")


def _others(planned: Planned) -> Iterator[Party]:
    subnets = {each.get("name"): each.get("subnet_ids") for each in planned.of("aws_db_subnet_group")}
    for each in planned.of("aws_db_instance"):
        placed = frozenset(subnets[each.get("db_subnet_group_name")])
        groups = frozenset(each.get("vpc_security_group_ids"))
        yield Party(
            "database", groups, placed, frozenset([each.get("port")]), each.get("publicly_accessible")
        )
    for each in planned.of("aws_lb"):
        ports = frozenset(item.get("port") for item in planned.of("aws_lb_listener"))
        groups, placed = frozenset(each.get("security_groups")), frozenset(each.get("subnets"))
        yield Party("load balancer", groups, placed, ports, not each.get("internal"))
    for each in planned.of("aws_mq_broker"):
        groups, placed = frozenset(each.get("security_groups")), frozenset(each.get("subnet_ids"))
        # It answers HTTPS at both (Amazon MQ Developer Guide, "Broker").
        yield Party(
            "Amazon MQ", groups, placed, frozenset([443, 5671, 15671]), each.get("publicly_accessible")
        )
    targets = planned.of("aws_efs_mount_target")
    if targets:
        groups = frozenset(group for each in targets for group in each.get("security_groups"))
        yield Party("files", groups, frozenset(each.get("subnet_id") for each in targets), frozenset([2049]))
    interfaces = [each for each in planned.of("aws_vpc_endpoint") if each.get("security_group_ids")]
    if interfaces:
        groups = frozenset(group for each in interfaces for group in each.get("security_group_ids"))
        placed = frozenset(subnet for each in interfaces for subnet in each.get("subnet_ids"))
        yield Party("endpoints", groups, placed, frozenset([443]))
    # It answers nothing: it passes on what comes to it.
    for each in planned.of("aws_network_interface"):
        groups = frozenset(each.get("security_groups"))
        yield Party("NAT instance", groups, frozenset([each.get("subnet_id")]), frozenset([443]), True)
