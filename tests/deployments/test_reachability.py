"""Who reaches whom is what docs/hatchet.md says, no more and no less."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from environments.loading import load
from environments.schema import Environment
from ops.review.aws_rules.planned import Planned
from tests.deployments.conftest import Run, Runs
from tests.deployments.reachability import WORKERS, Ground, Way
from tests.support.project import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

HOSTED = ("hosted", "prod", "zoned")
each_environment = pytest.mark.parametrize("name", HOSTED)
TASKS = ("workers", "backlog service", "engine", "API", "dashboard", "set-up", "broker")


def _holds_vpc(environment: Environment, ground: Ground) -> bool:
    allowed = environment.hatchet.allowed_cidrs
    return not allowed or any(IPv4Network(block).overlaps(ground.vpc) for block in allowed)


CONDITIONS: Mapping[str, Callable[[Environment, Ground], bool]] = {
    "always": lambda environment, ground: True,
    "with a domain": lambda environment, ground: environment.hatchet.domain is not None,
    "without a domain": lambda environment, ground: environment.hatchet.domain is None,
    "`broker: rabbitmq`": lambda environment, ground: environment.hatchet.broker == "rabbitmq",
    "`broker: amazon_mq`": lambda environment, ground: environment.hatchet.broker == "amazon_mq",
    "with a way out": lambda environment, ground: not environment.network.is_closed,
    "with interface endpoints": lambda environment, ground: bool(environment.network.endpoints()),
    "`nat: instance`": lambda environment, ground: (
        environment.network.nat == "instance" and environment.network.existing is None
    ),
    "the VPC within `allowed_cidrs`": _holds_vpc,
}
"""What stands in the table's column When; several at once are separated by commas."""


class Row(NamedTuple):
    """A row of the table."""

    who: list[str]
    whom: list[str]
    ports: list[int]
    when: list[str]


def table() -> list[Row]:
    text = (ROOT / "docs/hatchet.md").read_text()
    section = text.partition("\n## Who reaches whom\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    assert head[:4] == ["Who", "Whom", "Port", "When"]
    listed = [[[item.strip() for item in cell.split(",")] for cell in row[:4]] for row in rows]
    return [Row(who, whom, [int(port) for port in ports], when) for who, whom, ports, when in listed]


def described(environment: Environment, ground: Ground) -> set[Way]:
    """What the table says of an environment."""
    names = {party.name for party in ground.parties}

    def meant(name: str) -> set[str]:
        if name == "all tasks":
            return set().union(*map(meant, TASKS))
        if name == "workers":
            return {each for each in names if each.startswith(WORKERS)}
        if name == "`allowed_cidrs`":
            return set(environment.hatchet.allowed_cidrs)
        return {name} if name in {*names, "Internet", "S3"} else set()

    return {
        Way(who, whom, port)
        for row in table()
        if all(CONDITIONS[condition](environment, ground) for condition in row.when)
        for given in product(row.who, row.whom, row.ports)
        for who, whom, port in product(meant(given[0]), meant(given[1]), [given[2]])
    }


def environment_of(run: Run) -> Environment:
    return load(Path(run.folder, "environments", f"{run.name}.yaml"))


def ground_of(plans: Mapping[str, Any]) -> Ground:
    return Ground(Planned(plans.values()))


@each_environment
def test_all_that_is_open_is_in_the_table_and_nothing_else(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    ground = ground_of(run.plans())
    found, said = ground.ways(), described(environment_of(run), ground)
    assert {"open, and not in the table": found - said, "in the table, and closed": said - found} == {
        "open, and not in the table": set(),
        "in the table, and closed": set(),
    }


def test_every_row_and_every_condition_of_the_table_is_tried(runs: Runs) -> None:
    grounds = [(environment_of(runs.runs[name]), ground_of(runs.runs[name].plans())) for name in HOSTED]
    untried = [
        row
        for row in table()
        if not any(all(CONDITIONS[each](*ground) for each in row.when) for ground in grounds)
    ]
    assert untried == []
    assert {each for row in table() for each in row.when} == set(CONDITIONS)
    parties = {party.name for _, ground in grounds for party in ground.parties}
    written = {name for row in table() for name in [*row.who, *row.whom]}
    outside = {"all tasks", "workers", "`allowed_cidrs`", "Internet", "S3"}
    assert written - outside <= parties


@each_environment
def test_no_rule_can_be_left_out_unnoticed_and_none_opens_nothing(runs: Runs, name: str) -> None:
    plans = runs.runs[name].plans()
    ways = ground_of(plans).ways()
    assert [address for address, fewer in _without_each_rule(plans) if ground_of(fewer).ways() == ways] == []


def _without_each_rule(plans: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part, plan in plans.items():
        resources = plan["planned_values"]["root_module"].get("resources", [])
        for rule in resources:
            if rule["type"].startswith("aws_vpc_security_group_"):
                rest = [each for each in resources if each is not rule]
                fewer = {**plan, "planned_values": {"root_module": {"resources": rest}}}
                yield rule["address"], {**plans, part: fewer}


@each_environment
def test_every_rule_that_opens_more_is_noticed(runs: Runs, name: str) -> None:
    run = runs.runs[name]
    plans = run.plans()
    ground = ground_of(plans)
    ways = ground.ways()
    for one, other in product(ground.parties, repeat=2):
        for port in other.ports if other is not one else ():
            new = Way(one.name, other.name, port)
            opened = _with_rules(plans, min(one.groups), min(other.groups), port)
            assert ground_of(opened).ways() == {*ways, new}


def _with_rules(plans: Mapping[str, Any], peer: str, group: str, port: int) -> Mapping[str, Any]:
    values = {"from_port": port, "to_port": port, "ip_protocol": "tcp"}
    more = [
        {
            "address": f"aws_vpc_security_group_{way}_rule.more", "mode": "managed",
            "type": f"aws_vpc_security_group_{way}_rule",
            "values": {**values, "security_group_id": own, "referenced_security_group_id": to},
        }
        for way, own, to in (("egress", peer, group), ("ingress", group, peer))
    ]  # fmt: skip
    resources = [*plans["network"]["planned_values"]["root_module"].get("resources", []), *more]
    return {
        **plans,
        "network": {**plans["network"], "planned_values": {"root_module": {"resources": resources}}},
    }


@each_environment
def test_the_groups_have_no_rules_but_these(runs: Runs, name: str) -> None:
    plans = copy.deepcopy(runs.runs[name].plans())
    planned = Planned(plans.values())
    for way in ("ingress", "egress"):
        for group in planned.of("aws_security_group"):
            own = [
                rule.get("from_port")
                for rule in planned.of(f"aws_vpc_security_group_{way}_rule")
                if rule.get("security_group_id") == group.get("id")
            ]
            held = [
                rule["from_port"]
                for rule in group.get(way) or []
                for kind in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
                for _ in rule[kind]
            ]
            assert sorted(held) == sorted(own), f"{group.address} {way}"
    closed = planned.of("aws_default_security_group")
    assert all(not group.get(way) for group in closed for way in ("ingress", "egress"))
