"""Application Load Balancers, their listeners and target groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network

from ops.review.aws_rules.containers import allows
from ops.review.aws_rules.networking import internet_subnets
from ops.review.aws_rules.planned import Found, Planned, Resource, Rule, document
from ops.review.aws_rules.tasks import containers

LIMITS = {"interval": (5, 300), "timeout": (2, 120), "healthy_threshold": (2, 10), "unhealthy_threshold": (2, 10)}  # fmt: skip


def balancer_subnets(planned: Planned) -> Found:
    """A load balancer has subnets in two zones at least, one in each, with room: a /27.

    User Guide for Application Load Balancers, "Subnets for your load balancer"; one that the Internet reaches needs
    subnets that lead to an internet gateway ("Create an Application Load Balancer").
    """
    subnets = planned.by("aws_subnet", "id")
    public = internet_subnets(planned)
    for balancer in planned.of("aws_lb"):
        given = balancer.get("subnets")
        if given is None:
            continue
        zones = Counter(subnets[each].get("availability_zone") if each in subnets else each for each in given)
        if len(zones) < 2 or max(zones.values()) > 1:
            yield balancer, f"has subnets in {dict(zones)}; must be one in each of two zones at least"
        for subnet in given:
            block = subnets[subnet].get("cidr_block") if subnet in subnets else None
            if block and IPv4Network(block).prefixlen > 27:
                yield balancer, f"has the subnet {block}; must be a /27 at least"
            if subnet in subnets and balancer.get("internal") is False and subnet not in public:
                yield balancer, f"is public in {subnets[subnet].address}, which leads to no internet gateway"


def balancer_settings(planned: Planned) -> Found:
    """Times and health checks of load balancers and target groups keep their limits.

    Elastic Load Balancing API Reference, ``LoadBalancerAttribute`` (idle_timeout 1 to 4,000), ``TargetGroupAttribute``
    (deregistration delay 0 to 3,600), ``CreateTargetGroup``, ``Matcher`` (gRPC 0 to 99, HTTP 200 to 499); a check's
    interval is longer than its timeout ("Health checks for Application Load Balancer target groups", User Guide).
    """
    for balancer in planned.of("aws_lb"):
        if not 1 <= (balancer.get("idle_timeout") or 60) <= 4000:
            yield balancer, f"idle_timeout is {balancer.get('idle_timeout')}; must be 1 to 4000"
    for group in planned.of("aws_lb_target_group"):
        if not 0 <= int(group.get("deregistration_delay") or 0) <= 3600:
            yield (
                group,
                f"deregistration_delay is {group.get('deregistration_delay')}; must be at most 3600",
            )
        for check in group.blocks("health_check"):
            for key, (least, most) in LIMITS.items():
                if check.get(key) is not None and not least <= check[key] <= most:
                    yield group, f"health_check.{key} is {check[key]}; must be {least} to {most}"
            if (check.get("timeout") or 0) >= (check.get("interval") or 300):
                yield (
                    group,
                    f"a check takes {check['timeout']} of {check['interval']} seconds; must be less than all",
                )
            codes = [int(code) for code in re.findall(r"\d+", check.get("matcher") or "")]
            least, most = (0, 99) if group.get("protocol_version") == "GRPC" else (200, 499)
            if any(not least <= code <= most for code in codes):
                yield group, f"health_check.matcher is {check['matcher']}; must be {least} to {most}"


def served(planned: Planned) -> Found:
    """A service's target groups take addresses, belong to a load balancer, and lead to a port of its container.

    Amazon ECS API Reference, ``CreateService`` and ``LoadBalancer`` (awsvpc takes the target type ip; a target group
    without a load balancer is refused; the port is one of the container's; at most 5 target groups).
    """
    groups = planned.by("aws_lb_target_group", "arn")
    tasks = planned.by("aws_ecs_task_definition", "arn")
    listening = {arn for _, arn in _forwarded(planned)}
    for service in planned.of("aws_ecs_service"):
        targets = service.blocks("load_balancer")
        if len(targets) > 5:
            yield service, f"has {len(targets)} target groups; must have at most 5"
        task = tasks.get(str(service.get("task_definition")))
        for target in targets:
            arn = target.get("target_group_arn")
            if arn in groups and groups[arn].get("target_type") != "ip":
                yield service, f"{groups[arn].address} takes {groups[arn].get('target_type')}; must take ip"
            if arn in groups and arn not in listening:
                yield service, f"{groups[arn].address} is behind no listener; must be"
            named = {each["name"]: each for each in containers(task)} if task else None
            if named is None:
                continue
            container = named.get(str(target.get("container_name")), {})
            ports = {port["containerPort"] for port in container.get("portMappings") or []}
            if target.get("container_port") not in ports:
                yield (
                    service,
                    f"sends to {target.get('container_name')}:{target.get('container_port')}, which is not there",
                )


def graces(planned: Planned) -> Found:
    """A service with target groups gives its tasks time before it kills them for their health, others have no such time.

    Amazon ECS API Reference, ``CreateService`` (healthCheckGracePeriodSeconds: 0 to 2,147,483,647, only for services
    with a load balancer; left out it is 0, and tasks that are slow to start are killed again and again).
    """
    for service in planned.of("aws_ecs_service"):
        grace, targets = service.get("health_check_grace_period_seconds"), service.blocks("load_balancer")
        if targets and not grace:
            yield service, "has a target group and no health_check_grace_period_seconds; must have one"
        if grace and not targets:
            yield service, f"has {grace} seconds of grace and no target group; must be left out"


def _forwarded(planned: Planned) -> Iterator[tuple[Resource, str | None]]:
    """Listeners and rules with the target groups that they lead to."""
    for listener in planned.of("aws_lb_listener"):
        yield from (
            (listener, action.get("target_group_arn")) for action in listener.blocks("default_action")
        )
    for rule in planned.of("aws_lb_listener_rule"):
        yield from ((rule, action.get("target_group_arn")) for action in rule.blocks("action"))


def listeners(planned: Planned) -> Found:
    """A listener has a port of its own, TLS a certificate of its region and a policy, gRPC is behind TLS.

    Elastic Load Balancing API Reference, ``CreateListener``, ``CreateRule`` (priority 1 to 50,000, once); User Guide
    for Application Load Balancers, "Target groups" (gRPC: HTTPS listeners alone) and "HTTPS listeners" (certificates
    of ACM in the same Region).
    """
    used = Counter(
        (each.get("load_balancer_arn"), each.get("port")) for each in planned.of("aws_lb_listener")
    )
    for listener in planned.of("aws_lb_listener"):
        balancer, port = listener.get("load_balancer_arn"), listener.get("port")
        if balancer and used[balancer, port] > 1:
            yield listener, f"{used[balancer, port]} listeners have port {port}; must be one"
        certificate = listener.get("certificate_arn")
        if listener.get("protocol") == "HTTPS" and not (certificate and listener.get("ssl_policy")):
            yield listener, "is HTTPS; must have certificate_arn and ssl_policy"
        if balancer and certificate and certificate.split(":")[3] != balancer.split(":")[3]:
            yield listener, f"has the certificate {certificate}; must be of the load balancer's region"
    groups = planned.by("aws_lb_target_group", "arn")
    for listener, arn in _forwarded(planned):
        grpc = arn in groups and groups[arn].get("protocol_version") == "GRPC"
        if grpc and listener.kind == "aws_lb_listener" and listener.get("protocol") != "HTTPS":
            yield listener, f"forwards gRPC over {listener.get('protocol')}; must be HTTPS"
    rules = planned.of("aws_lb_listener_rule")
    priorities = Counter((rule.get("listener_arn"), rule.get("priority")) for rule in rules)
    for rule in rules:
        priority = rule.get("priority")
        if not 1 <= (priority or 1) <= 50_000 or priorities[rule.get("listener_arn"), priority] > 1:
            yield rule, f"priority is {priority}; must be 1 to 50000, once for each listener"


def access_logs(planned: Planned) -> Found:
    """The bucket of access logs lets Elastic Load Balancing write below the prefix, and has S3's own keys.

    User Guide for Application Load Balancers, "Enable access logs for your Application Load Balancer".
    """
    buckets = planned.by("aws_s3_bucket", "id")
    policies = {
        each.get("bucket"): document(each.get("policy")) for each in planned.of("aws_s3_bucket_policy")
    }
    keys = {
        each.get("bucket"): [
            default.get("sse_algorithm")
            for rule in each.blocks("rule")
            for default in rule.get("apply_server_side_encryption_by_default") or []
        ]
        for each in planned.of("aws_s3_bucket_server_side_encryption_configuration")
    }
    for balancer in planned.of("aws_lb"):
        for logs in balancer.blocks("access_logs"):
            name = logs.get("bucket")
            if not logs.get("enabled") or name not in buckets or not balancer.get("arn"):
                continue
            _, partition, _, region, account, _ = balancer.get("arn").split(":", 5)
            prefix = f"{logs['prefix']}/" if logs.get("prefix") else ""
            statements = [
                statement
                for statement in policies.get(name, {}).get("Statement", [])
                if statement["Effect"] == "Allow"
                and "logdelivery.elasticloadbalancing.amazonaws.com"
                in (statement.get("Principal") or {}).get("Service", [])
            ]
            written = (
                f"arn:{partition}:s3:::{name}/{prefix}AWSLogs/{account}/elasticloadbalancing/{region}/log"
            )
            if not allows(statements, "s3:PutObject", written):
                yield balancer, f"may not write {written}; the bucket's policy must allow it"
            if "aws:kms" in keys.get(name, []):
                yield balancer, f"logs to {name}, which is encrypted with KMS; must be AES256"


RULES: tuple[Rule, ...] = (
    balancer_subnets,
    balancer_settings,
    served,
    graces,
    listeners,
    access_logs,
)
