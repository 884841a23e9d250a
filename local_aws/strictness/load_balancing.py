"""Load balancers, their listeners and target groups; certificates."""

from __future__ import annotations

from collections import Counter
from typing import Any

from local_aws.strictness.held import backend, security_groups, subnets, with_gateway
from local_aws.strictness.rule import Request, Rule

_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference"

SECURE = ("HTTPS", "TLS")


def _subnets(request: Request) -> list[Any]:
    mapped = [mapping.get("SubnetId", "") for mapping in request.parameters.get("SubnetMappings") or []]
    return subnets(request, [*(request.parameters.get("Subnets") or []), *mapped])


def _is_application(request: Request) -> bool:
    return bool(request.parameters.get("Type", "application") == "application")


def _one_zone(request: Request) -> str | None:
    if _is_application(request) and len({subnet.availability_zone for subnet in _subnets(request)}) < 2:
        return "At least two subnets in two different Availability Zones must be specified"
    return None


def _zone_twice(request: Request) -> str | None:
    zones = Counter(subnet.availability_zone for subnet in _subnets(request))
    if len(zones) > 1 and max(zones.values(), default=0) > 1:
        return "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
    return None


def _unreachable(request: Request) -> str | None:
    if request.parameters.get("Scheme", "internet-facing") != "internet-facing":
        return None
    attached = with_gateway(request)
    for subnet in _subnets(request):
        if subnet.vpc_id not in attached:
            return f"VPC {subnet.vpc_id} has no internet gateway"
    return None


def _group_elsewhere(request: Request) -> str | None:
    vpcs = {subnet.vpc_id for subnet in _subnets(request)}
    for group in security_groups(request, request.parameters.get("SecurityGroups") or []):
        if vpcs and group.vpc_id not in vpcs:
            return f"One or more security groups are invalid: {group.id} is not in the VPC of the subnets"
    return None


def _protected(request: Request) -> str | None:
    arn = str(request.parameters.get("LoadBalancerArn"))
    found = backend(request).load_balancers.get(arn)
    if found and found.attrs.get("deletion_protection.enabled") == "true":
        return f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
    return None


def _certificates(request: Request) -> list[str]:
    return [each.get("CertificateArn", "") for each in request.parameters.get("Certificates") or []]


def _no_certificate(request: Request) -> str | None:
    protocol = request.parameters.get("Protocol")
    if protocol in SECURE and not _certificates(request):
        return f"A certificate must be specified for {protocol} listeners"
    return None


def _unissued(request: Request) -> str | None:
    held = backend(request, "acm")._certificates
    for arn in _certificates(request):
        found = held.get(arn)
        if ":acm:" in arn and (found is None or found.status not in ("ISSUED", None)):
            return (
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a "
                "supported key size."
                if found
                else f"Certificate ARN '{arn}' is not valid"
            )
    return None


def _listener_there(request: Request) -> str | None:
    found = backend(request).load_balancers.get(request.parameters.get("LoadBalancerArn"))
    port = str(request.parameters.get("Port"))
    if found and any(str(listener.port) == port for listener in list(found.listeners.values())):
        return f"A listener already exists on this port for this load balancer '{found.arn}'"
    return None


def _group_taken(request: Request) -> str | None:
    """A target group serves one load balancer."""
    own = request.parameters.get("LoadBalancerArn")
    groups = backend(request).target_groups
    for action in request.parameters.get("DefaultActions") or []:
        group = groups.get(action.get("TargetGroupArn"))
        if group and [arn for arn in group.load_balancer_arns if arn != own]:
            return f"The following target groups cannot be associated with more than one load balancer: {group.arn}"
    return None


def _slow_check(request: Request) -> str | None:
    timeout = request.parameters.get("HealthCheckTimeoutSeconds")
    interval = request.parameters.get("HealthCheckIntervalSeconds")
    if timeout is None or interval is None or timeout < interval:
        return None
    return f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"


def _matcher(request: Request) -> str | None:
    grpc = request.parameters.get("ProtocolVersion") == "GRPC"
    matcher = request.parameters.get("Matcher") or {}
    if (grpc and matcher.get("HttpCode")) or (not grpc and matcher.get("GrpcCode")):
        return (
            f"Health check matcher {'HTTP' if grpc else 'GRPC'} code cannot be set for this protocol version"
        )
    return None


def _used_certificate(request: Request) -> str | None:
    arn = str(request.parameters.get("CertificateArn"))
    balancers = list(backend(request, "elbv2").load_balancers.values())
    for balancer in balancers:
        for listener in list(balancer.listeners.values()):
            if arn in [listener.certificate, *(listener.certificates or [])]:
                return f"Certificate {arn} in account {request.account} is in use."
    return None


def _rule(name: str, operation: str, condition: str, code: str, refuses: Any, page: str = "") -> Rule:
    service, _, plain = operation.rpartition(".")
    return Rule(
        name, (f"{service or 'elbv2'}.{plain}",), condition, code, page or f"{_API}/API_{plain}.html", refuses
    )


RULES = (
    _rule(
        "load_balancer_in_one_zone", "CreateLoadBalancer", "An application load balancer in one zone",
        "ValidationError", _one_zone,
    ),
    _rule(
        "zone_of_a_load_balancer_twice", "CreateLoadBalancer", "Two subnets of one zone",
        "InvalidConfigurationRequest", _zone_twice,
    ),
    _rule(
        "unreachable_load_balancer", "CreateLoadBalancer", "An internet-facing one in a VPC without internet gateway",
        "InvalidSubnet", _unreachable,
    ),
    _rule(
        "load_balancer_with_a_foreign_group", "CreateLoadBalancer", "A security group of another VPC",
        "InvalidConfigurationRequest", _group_elsewhere,
    ),
    _rule(
        "protected_load_balancer", "DeleteLoadBalancer", "A load balancer with deletion protection",
        "OperationNotPermitted", _protected,
    ),
    _rule(
        "listener_without_certificate", "CreateListener", "HTTPS or TLS without a certificate",
        "ValidationError", _no_certificate,
    ),
    _rule(
        "listener_with_an_unissued_certificate", "CreateListener",
        "A certificate that does not exist or is not issued yet", "UnsupportedCertificate", _unissued,
    ),
    _rule(
        "listener_that_exists", "CreateListener", "A second listener on one port", "DuplicateListener", _listener_there
    ),
    _rule(
        "target_group_of_another_load_balancer", "CreateListener", "A target group of another load balancer",
        "TargetGroupAssociationLimit", _group_taken,
    ),
    _rule(
        "health_check_of_a_target_group", "CreateTargetGroup", "A health check's timeout that is not below its interval",
        "ValidationError", _slow_check,
    ),
    _rule(
        "matcher_of_a_target_group", "CreateTargetGroup", "HTTP codes for GRPC, or GRPC codes for HTTP",
        "ValidationError", _matcher,
    ),
    _rule(
        "certificate_in_use", "acm.DeleteCertificate", "A certificate that a listener has", "ResourceInUseException",
        _used_certificate, "https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html",
    ),
)  # fmt: skip
