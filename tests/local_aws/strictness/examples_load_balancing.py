"""Examples of the rules about load balancers and certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.acm.models import acm_backends

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.in_process import InProcess
from tests.local_aws.strictness.made import (
    balancer,
    certificate,
    forwarding,
    network,
    subnet,
    target_group,
)

Prepared = Callable[[InProcess], Mapping[str, Any]]


def elb(method: str, text: str, prepare: Prepared) -> Example:
    """A request to Elastic Load Balancing with the arguments that `prepare` returns."""
    return Example("elbv2", method, lambda made: made, text, prepare)


def _balancer(aws: InProcess, **changes: Any) -> dict[str, Any]:
    net = network(aws, gateway=True)
    return {"Name": "engine", "Subnets": net.subnets, "SecurityGroups": [net.group], **changes}


def _listener(aws: InProcess, **changes: Any) -> dict[str, Any]:
    net = network(aws, gateway=True)
    group = target_group(aws, net.vpc)
    return {
        "LoadBalancerArn": balancer(aws, net),
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": forwarding(group),
        **changes,
    }


def _listener_twice(aws: InProcess) -> dict[str, Any]:
    arguments = _listener(aws)
    aws.client("elbv2").create_listener(**arguments)
    return arguments


def _taken_group(aws: InProcess) -> dict[str, Any]:
    arguments = _listener_twice(aws)
    net = network(aws, "10.1", gateway=True)
    other = aws.client("elbv2").create_load_balancer(
        Name="api", Subnets=net.subnets, SecurityGroups=[net.group]
    )
    return {**arguments, "LoadBalancerArn": other["LoadBalancers"][0]["LoadBalancerArn"]}


def _protected(aws: InProcess) -> dict[str, Any]:
    arn = balancer(aws)
    aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    return {"LoadBalancerArn": arn}


def _used_certificate(aws: InProcess) -> dict[str, Any]:
    arn = certificate(aws)
    aws.client("acm").describe_certificate(CertificateArn=arn)
    _issue(arn)
    certificates = [{"CertificateArn": arn}]
    arguments = _listener(aws, Protocol="HTTPS", Port=443, Certificates=certificates)
    aws.client("elbv2").create_listener(**arguments)
    return {"CertificateArn": arn}


def _issue(arn: str) -> None:
    _, _, _, region, account, _ = arn.split(":", 5)
    acm_backends[account][region]._certificates[arn].status = "ISSUED"


def _group(aws: InProcess, **changes: Any) -> dict[str, Any]:
    return {
        "Name": "engine",
        "Protocol": "HTTP",
        "Port": 80,
        "VpcId": network(aws).vpc,
        "TargetType": "ip",
        **changes,
    }


def _three_subnets(aws: InProcess) -> dict[str, Any]:
    net = network(aws, gateway=True)
    return {"Name": "engine", "Subnets": [*net.subnets, subnet(aws, net.vpc, "10.0.9.0/24", "a")]}


LOAD_BALANCING_EXAMPLES: Mapping[str, Example] = {
    "load_balancer_name": elb(
        "create_load_balancer",
        "cannot begin with 'internal-'",
        lambda aws: _balancer(aws, Name="internal-engine"),
    ),
    "load_balancer_in_one_zone": elb(
        "create_load_balancer",
        "At least two subnets in two different Availability Zones",
        lambda aws: _balancer(
            aws, Subnets=[network(aws, "10.1", gateway=True).subnets[0]], SecurityGroups=[]
        ),
    ),
    "zone_of_a_load_balancer_twice": elb(
        "create_load_balancer",
        "multiple subnets in the same Availability Zone",
        lambda aws: _three_subnets(aws),
    ),
    "unreachable_load_balancer": elb(
        "create_load_balancer",
        "has no internet gateway",
        lambda aws: {"Name": "engine", "Subnets": network(aws).subnets},
    ),
    "load_balancer_with_a_foreign_group": elb(
        "create_load_balancer",
        "is not in the VPC of the subnets",
        lambda aws: _balancer(aws, SecurityGroups=[network(aws, "10.1").group]),
    ),
    "protected_load_balancer": elb("delete_load_balancer", "deletion protection is enabled", _protected),
    "listener_without_certificate": elb(
        "create_listener",
        "A certificate must be specified for HTTPS listeners",
        lambda aws: _listener(aws, Protocol="HTTPS", Port=443),
    ),
    "listener_with_an_unissued_certificate": elb(
        "create_listener",
        "must have a fully-qualified domain name",
        lambda aws: _listener(
            aws, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate(aws)}]
        ),
    ),
    "listener_that_exists": elb("create_listener", "A listener already exists on this port", _listener_twice),
    "target_group_of_another_load_balancer": elb(
        "create_listener", "cannot be associated with more than one load balancer", _taken_group
    ),
    "health_check_of_a_target_group": elb(
        "create_target_group",
        "Health check timeout '10' must be smaller than the interval '10'",
        lambda aws: _group(aws, HealthCheckTimeoutSeconds=10, HealthCheckIntervalSeconds=10),
    ),
    "matcher_of_a_target_group": elb(
        "create_target_group",
        "code cannot be set for this protocol version",
        lambda aws: _group(aws, ProtocolVersion="GRPC", Matcher={"HttpCode": "200"}),
    ),
    "certificate_in_use": Example(
        "acm", "delete_certificate", lambda made: made, "is in use.", _used_certificate
    ),
}
