"""What tasks call from subnets without a way out."""

from __future__ import annotations

from collections.abc import Iterator

from ops.review.aws_rules.containers import statements_of
from ops.review.aws_rules.networking import placed
from ops.review.aws_rules.planned import Found, Planned, Resource, Rule
from ops.review.aws_rules.tasks import ECR_IMAGE, containers

ENDPOINTS = {"cloudwatch": "monitoring", "ecr": "ecr.api", "elasticfilesystem": None}
"""By the prefix of IAM's actions the endpoint of a service, where that is called otherwise; None: no call is made."""


def reach(planned: Planned) -> Found:
    """What a task needs to start can be reached from its subnets: image, log and secrets.

    Amazon ECR User Guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)" (ecr.api, ecr.dkr, S3's gateway,
    and logs for awslogs); AWS Secrets Manager User Guide and AWS Systems Manager User Guide, "Using a VPC
    endpoint"; an endpoint leads to its own region.
    """
    for service, task, endpoints in _shut_in(planned):
        for need in sorted(set(_needs(task))):
            if need not in endpoints:
                yield service, f"needs {need}, to which its subnets have neither a way out nor an endpoint"


def _needs(task: Resource) -> Iterator[str]:
    """The endpoints, as ``<region>.<service>``, that stand for what a task reads; images elsewhere by their URI."""
    for container in containers(task):
        image = container["image"]
        if match := ECR_IMAGE.match(image):
            yield from (f"{match[2]}.{service}" for service in ("ecr.api", "ecr.dkr", "s3"))
        else:
            yield image
        options = container.get("logConfiguration", {}).get("options", {})
        if "awslogs-region" in options:
            yield f"{options['awslogs-region']}.logs"
        for secret in container.get("secrets", []):
            _, _, service, region, _ = secret["valueFrom"].split(":", 4)
            yield f"{region}.{service}"


def calls(planned: Planned) -> Found:
    """What a task's own role lets it call can be reached from its subnets.

    AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink" (names of endpoints). A role has no
    rights that its task does not use.
    """
    roles = planned.by("aws_iam_role", "arn")
    for service, task, endpoints in _shut_in(planned):
        role = roles.get(str(task.get("task_role_arn")))
        actions = [
            action
            for statement in (statements_of(planned, role) if role else [])
            for action in statement["Action"]
        ]
        for prefix in sorted({action.partition(":")[0] for action in actions}):
            name = ENDPOINTS.get(prefix, prefix)
            if name and not any(endpoint.partition(".")[2] == name for endpoint in endpoints):
                yield service, f"calls {name}, to which its subnets have neither a way out nor an endpoint"


def _shut_in(planned: Planned) -> Iterator[tuple[Resource, Resource, set[str]]]:
    """Services, their tasks, and the endpoints there are, where all subnets are known and have no way out."""
    tasks = planned.by("aws_ecs_task_definition", "arn")
    endpoints = {
        service
        for endpoint in planned.of("aws_vpc_endpoint")
        if (service := (endpoint.get("service_name") or "").partition("com.amazonaws.")[2])
    }
    open_subnets = set(_open_subnets(planned))
    known = set(planned.by("aws_subnet", "id"))
    for service, subnets in placed(planned):
        public = any(network.get("assign_public_ip") for network in service.blocks("network_configuration"))
        task = tasks.get(str(service.get("task_definition")))
        if task and not public and subnets <= known and not subnets <= open_subnets:
            yield service, task, endpoints


def _open_subnets(planned: Planned) -> Iterator[str]:
    """Subnets with a route to everywhere through a NAT."""
    tables = {
        route.get("route_table_id")
        for route in planned.of("aws_route")
        if route.get("destination_cidr_block") == "0.0.0.0/0"
        and (route.get("nat_gateway_id") or route.get("network_interface_id"))
    }
    for association in planned.of("aws_route_table_association"):
        if association.get("route_table_id") in tables:
            yield association.get("subnet_id")


RULES: tuple[Rule, ...] = (reach, calls)
