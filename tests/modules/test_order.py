"""What must be there before a fleet's tasks start, and what may not change at once, in the configuration's graph."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from environments.loading import load_all
from main import synthesize
from modules.worker_fleet.scaling import Capacity
from ops.export.constructs import modules_of, unwritten_app
from tests.deployments.spanning import ACCOUNT, environments

Template = dict[str, Any]
ADDRESS = re.compile(r"\b((?:aws_[a-z0-9_]+|local)\.[A-Za-z0-9_-]+)")


class Graph:
    """Who waits for whom in a template."""

    def __init__(self, template: Template) -> None:
        self.resources = {
            f"{kind}.{name}": body
            for kind, named in template.get("resource", {}).items()
            for name, body in named.items()
        }
        self._nodes = {
            **self.resources,
            **{f"local.{name}": body for name, body in template.get("locals", {}).items()},
        }

    def of(self, kind: str) -> dict[str, Any]:
        return {address: body for address, body in self.resources.items() if address.startswith(f"{kind}.")}

    def reads(self, body: object) -> set[str]:
        return {found for found in ADDRESS.findall(json.dumps(body)) if found in self._nodes}

    def before(self, address: str) -> set[str]:
        """All that comes before something."""
        seen: set[str] = set()
        ahead = [address]
        while ahead:
            new = self.reads(self._nodes[ahead.pop()]) - seen
            seen |= new
            ahead += new
        return seen


def missed(graph: Graph) -> Iterator[tuple[str, str]]:
    """Each service with a policy of its roles, or a network rule for its security group, that it does not wait for."""
    for service, body in graph.of("aws_ecs_service").items():
        closure = graph.before(service)
        (task,) = graph.reads(body["task_definition"]) & graph.of("aws_ecs_task_definition").keys()
        definition = graph.resources[task]
        roles = graph.reads([definition["execution_role_arn"], definition["task_role_arn"]])
        groups = graph.reads(body["network_configuration"]["security_groups"])
        wanted = {
            address
            for kind, argument, owners in (
                ("aws_iam_role_policy", "role", roles),
                ("aws_iam_role_policy_attachment", "role", roles),
                ("aws_vpc_security_group_egress_rule", "security_group_id", groups),
                # What lets its members in elsewhere.
                ("aws_vpc_security_group_ingress_rule", "referenced_security_group_id", groups),
            )
            for address, item in graph.of(kind).items()
            if graph.reads(item.get(argument)) & owners
        }
        assert wanted
        yield from ((service, address) for address in wanted - closure)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> list[Graph]:
    """The stacks of the environments that span the choices, and the exported modules."""
    folder = tmp_path_factory.mktemp("spanning")
    subnets = {
        f"{kind}_subnet_ids": [f"subnet-000000{part}{i}" for i in "12"]
        for part, kind in enumerate(("public", "private"))
    }
    token = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:theirs-AbCdEf"
    files = []
    for data in environments({"vpc_id": "vpc-01234567", **subnets}, token, "Z0123456789ABC"):
        files.append(folder / f"{data['name']}.yaml")
        files[-1].write_text(yaml.safe_dump(data))
    with unwritten_app() as app:
        modules = [Graph(dict(module.synthesis)) for module in modules_of(app).values()]
    synthesize(load_all(files), folder / "out")
    written = (folder / "out").glob("stacks/*/cdk.tf.json")
    return [*(Graph(json.loads(file.read_text())) for file in sorted(written)), *modules]


def test_services_wait_for_their_rights_and_network_rules(graphs: list[Graph]) -> None:
    services = [service for graph in graphs for service in graph.of("aws_ecs_service")]
    assert len(services) > 40
    assert [item for graph in graphs for item in missed(graph)] == []


def test_services_wait_for_the_clusters_capacity_providers(graphs: list[Graph]) -> None:
    services = [(graph, service) for graph in graphs for service in graph.of("aws_ecs_service")]
    assert len(services) > 4
    for graph, service in services:
        assert graph.of("aws_ecs_cluster_capacity_providers").keys() <= graph.before(service)


def test_what_stands_in_for_a_fleet_has_its_tag_too(graphs: list[Graph]) -> None:
    """Its workers' rights are to the tasks with that tag."""
    pairs = [
        (services[address.removesuffix("_on_demand")], body)
        for services in (graph.of("aws_ecs_service") for graph in graphs)
        for address, body in services.items()
        if address.removesuffix("_on_demand") in services.keys() - {address}
    ]
    assert pairs
    for own, other in pairs:
        assert own["tags"]["scythe:fleet"] == other["tags"]["scythe:fleet"]
        assert own["propagate_tags"] == other["propagate_tags"] == "SERVICE"


def test_policies_and_scheduled_actions_of_a_target_come_one_after_the_other(graphs: list[Graph]) -> None:
    targets = [(graph, target) for graph in graphs for target in graph.of("aws_appautoscaling_target")]
    assert len(targets) > 2
    for graph, target in targets:
        kinds = ("aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action")
        closures = {
            address: graph.before(address)
            for kind in kinds
            for address, body in graph.of(kind).items()
            if target in graph.reads(body["resource_id"])
        }
        assert closures
        order = sorted(closures, key=lambda address: len(closures[address] & closures.keys()))
        assert [len(closures[address] & closures.keys()) for address in order] == list(range(len(order)))
        assert all(target in closure for closure in closures.values())


def test_each_of_them_is_one_at_most(graphs: list[Graph]) -> None:
    """Terraform makes the instances of one resource at once."""
    kinds = ("aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action")
    found = [body for graph in graphs for kind in kinds for body in graph.of(kind).values()]
    assert any("max_capacity" in str(body) for body in found)
    assert [body for body in found if "for_each" in body] == []
    assert {str(body.get("count", "1 : 0}")).rpartition(" ? ")[2] for body in found} == {"1 : 0}"}


def test_the_quiet_alarm_decides_as_often_as_those_of_demand(graphs: list[Graph]) -> None:
    alarms = [
        body
        for graph in graphs
        for address, body in graph.of("aws_cloudwatch_metric_alarm").items()
        if address.endswith("no_demand")
    ]
    assert alarms
    assert {alarm["period"] for alarm in alarms} == {10}
    periods = {alarm["evaluation_periods"] for alarm in alarms}
    assert "${local.scaling.quiet_minutes * 6}" in periods and 12 in periods


def test_the_end_of_a_fallback_allows_for_late_counts(graphs: list[Graph]) -> None:
    alarms = {
        address: body for graph in graphs for address, body in graph.of("aws_cloudwatch_metric_alarm").items()
    }
    back = [body for address, body in alarms.items() if address.endswith("_spot_back")]
    missing = [body for address, body in alarms.items() if address.endswith("_spot_missing")]
    # As exported, and of an environment's 4 minutes.
    assert {str(body["datapoints_to_alarm"]) for body in back} == {
        "${max(1, try(local.capacity.fallback.minutes, 1) - 2)}", "2",
    }  # fmt: skip
    assert {body["evaluation_periods"] for body in back if body["datapoints_to_alarm"] == 2} == {4}
    assert not any("datapoints_to_alarm" in body for body in missing)


def test_a_base_needs_a_weight() -> None:
    assert Capacity(on_demand_base=2, on_demand=1).on_demand_base == 2
    with pytest.raises(ValidationError, match="needs a weight, and on_demand is 0"):
        Capacity(on_demand_base=2)
