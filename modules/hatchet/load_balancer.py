"""The load balancer that people and allocators outside the VPC come through."""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from cdktf_cdktf_provider_aws.ec2_managed_prefix_list import Ec2ManagedPrefixList
from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.lb_listener_rule import (
    LbListenerRule,
    LbListenerRuleAction,
    LbListenerRuleCondition,
    LbListenerRuleConditionPathPattern,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from modules.common.port import Port
from modules.common.security_group import create_security_group, tags_of_rules
from modules.hatchet.access_logs import AccessLogs
from modules.hatchet.certificate import Certificate
from modules.hatchet.client import GRPC, HTTP
from modules.hatchet.settings import PRIVATE, HatchetSettings
from modules.network.attributes import HTTPS, NetworkAttributes
from modules.network.resolution import resolves_names
from synthesis.expression import Expression, flag, local, number, ref, strings, text, when
from synthesis.stack import Label
from synthesis.suppression import suppress

GRPC_HTTPS = 8443
"""Where allocators outside the VPC speak gRPC. A listener of its own: the dashboard's paths cannot clash with it."""

PLAIN = 80
IDLE_SECONDS = 4000
"""The longest that there is. HTTP/2's pings do not count as traffic (Elastic Load Balancing User Guide, "Edit
attributes for your Application Load Balancer"), so a worker's idle stream would be cut after a minute."""

INTERVAL, UNHEALTHY_AFTER = 30, 10
"""Seconds between two checks of all target groups, and failures in a row. ECS replaces tasks that a load balancer finds
unhealthy, and the API is not ready while its database or its broker is away: five minutes outlast a failover of 60 to 120
seconds (Amazon RDS User Guide, "Failing over a Multi-AZ DB instance") and a broker's restart."""

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and newer (the same guide, "Security policies for your Application Load Balancer")."""


class LoadBalancer(Construct):
    """The dashboard and its API, and with a domain also gRPC, at one Application Load Balancer.

    With ``domain``: HTTPS at 443 with HTTP redirected, gRPC over TLS at 8443, from ``allowed_cidrs`` alone. It has
    public addresses where one of those blocks is public. Without ``allowed_cidrs`` the VPC's own addresses may come
    in, without ``domain`` nobody but the dashboard's tasks, by which ECS Exec forwards ports.

    Costs: $0.54 a day and $0.008 for each LCU-hour, its public addresses $0.12 a day each (us-east-1).

    Attributes:
        dns_name: its own name.
        api: the target group of the API.
        dashboard: the target group of the dashboard.
        engine: the target group of the engine; exists with a domain alone.
        listeners: what makes the target groups usable: ECS takes no other.
        port: where plain HTTP is served without a domain.
        security_group: of the load balancer.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: HatchetSettings,
        network: NetworkAttributes,
        is_public: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._label, self._network, self._settings = label, network, settings
        self._has_domain = is_public
        self._has_none = Expression(f"!{self._has_domain}")
        self.security_group = self._create_security_group()
        balancer = self._create_balancer()
        self.dns_name: Expression = balancer.dns_name
        self.api = self._create_group("api", HTTP, "/api/ready")
        self.dashboard = self._create_group("dashboard", HTTP, "/")
        self.engine = self._create_engine_group()
        certificate = Certificate(self, "domain", label=label, settings=settings, balancer=balancer)
        self.listeners = self._create_listeners(balancer, certificate)
        self.port = Port(
            "load_balancer", PLAIN, ref(self.security_group).id, "Hatchet load balancer", self._has_none
        )

    def _create_security_group(self) -> SecurityGroup:
        label, settings = self._label, self._settings
        group = create_security_group(
            self,
            "SecurityGroup",
            label=label,
            name="hatchet-lb",
            description="Hatchet load balancer",
            vpc_id=self._network.vpc_id,
        )
        vpc = DataAwsVpc(self, "vpc", id=text(self._network.vpc_id), lifecycle=resolves_names())
        # A VPC that exists may have several blocks.
        associated = (
            f"[for block in {ref(vpc)}.cidr_block_associations : block.cidr_block "
            'if block.state == "associated"]'
        )
        allowed = local(
            self,
            "allowed_cidrs",
            f"length({settings.allowed_cidrs}) > 0 ? {settings.allowed_cidrs} : "
            f"distinct(concat([{ref(vpc)}.cidr_block], {associated}))",
        )
        has_domain = when(self._has_domain)
        # One list rather than a rule for each block: a plan may not know the blocks yet, or how many a VPC has.
        prefixes = Ec2ManagedPrefixList(
            self,
            "allowed",
            count=has_domain,
            name=f"{text(label.name)}-hatchet-allowed",
            address_family="IPv4",
            max_entries=number(f"length({allowed})"),
            tags=label.tagged(),
        )
        prefixes.add_override(
            "dynamic.entry", {"for_each": text(f"toset({allowed})"), "content": {"cidr": "${entry.value}"}}
        )
        for name, port, what in (
            ("https", HTTPS, "Dashboard and API"),
            ("http", PLAIN, "Redirected to HTTPS"),
            ("grpc", GRPC_HTTPS, "Allocators"),
        ):
            VpcSecurityGroupIngressRule(
                self, f"from_{name}", count=has_domain, security_group_id=text(ref(group).id), description=what,
                prefix_list_id=text(ref(prefixes)[0].id), ip_protocol="tcp", from_port=port, to_port=port,
                tags=tags_of_rules(group),
            )  # fmt: skip
        return group

    def _create_balancer(self) -> Expression:
        label, settings = self._label, self._settings
        # Null where `allowed_cidrs` is empty: all of none are private.
        private = f"alltrue([for block in {settings.allowed_cidrs} : can(regex({PRIVATE}, block))])"
        internal = local(self, "is_internal", f"{self._has_domain} ? {private} : true")
        logs = AccessLogs(self, "logs", label=label)
        balancer = Lb(
            self,
            "Balancer",
            name=f"{text(label.name)}-hatchet",
            load_balancer_type="application",
            internal=flag(internal),
            subnets=strings(
                f"{internal} ? {self._network.private_subnet_ids} : {self._network.public_subnet_ids}"
            ),
            security_groups=[text(ref(self.security_group).id)],
            idle_timeout=IDLE_SECONDS,
            drop_invalid_header_fields=True,
            access_logs=LbAccessLogs(bucket=text(logs.bucket), enabled=True, prefix="hatchet"),
            tags=label.tagged(),
        )
        suppress(
            balancer,
            {
                "CKV_AWS_150": "it holds nothing: destroying it takes an approved plan, and loses a name at most",
                "CKV2_AWS_28": "who may come in is said by hatchet.allowed_cidrs",
                "CKV2_AWS_20": "with a domain HTTP is redirected; without, it is internal and has no certificate",
            },
        )
        return ref(balancer)

    def _create_group(self, name: str, port: int, health: str) -> Expression:
        group = LbTargetGroup(
            self,
            name,
            # 32 letters at most: 24 of the environment's name, and the beginning of this one.
            name=f"{text(self._label.name)}-{name[:7]}",
            port=port,
            protocol="HTTP",
            target_type="ip",
            vpc_id=text(self._network.vpc_id),
            deregistration_delay="20",
            health_check=_check(health, "200"),
            tags=self._label.tagged(),
        )
        suppress(group, {"CKV_AWS_378": "TLS ends at the load balancer, which is in the same VPC"})
        return ref(group)

    def _create_engine_group(self) -> Expression:
        group = LbTargetGroup(
            self,
            "engine",
            count=when(self._has_domain),
            name=f"{text(self._label.name)}-grpc",
            port=GRPC,
            protocol="HTTP",
            protocol_version="GRPC",
            target_type="ip",
            vpc_id=text(self._network.vpc_id),
            deregistration_delay="20",
            # Hatchet has no gRPC health service: it answers "unimplemented", which shows that it answers.
            health_check=_check("/AWS.ALB/healthcheck", "12"),
            tags=self._label.tagged(),
        )
        suppress(group, {"CKV_AWS_378": "TLS ends at the load balancer, which is in the same VPC"})
        return ref(group)[0]

    def _create_listeners(self, balancer: Expression, certificate: Certificate) -> list[ITerraformDependable]:
        arn, domain = text(balancer.arn), when(self._has_domain)
        forward = LbListenerDefaultAction(type="forward", target_group_arn=text(self.dashboard.arn))
        https = LbListener(
            self, "https", count=domain, load_balancer_arn=arn, port=HTTPS, protocol="HTTPS",
            ssl_policy=TLS_POLICY, certificate_arn=text(certificate.arn), default_action=[forward],
            tags=self._label.tagged(),
        )  # fmt: skip
        grpc = LbListener(
            self, "grpc", count=domain, load_balancer_arn=arn, port=GRPC_HTTPS, protocol="HTTPS",
            ssl_policy=TLS_POLICY, certificate_arn=text(certificate.arn),
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=text(self.engine.arn))],
            tags=self._label.tagged(),
        )  # fmt: skip
        redirect = LbListenerDefaultActionRedirect(port=str(HTTPS), protocol="HTTPS", status_code="HTTP_301")
        LbListener(
            self, "redirect", count=domain, load_balancer_arn=arn, port=PLAIN, protocol="HTTP",
            default_action=[LbListenerDefaultAction(type="redirect", redirect=redirect)],
            tags=self._label.tagged(),
        )  # fmt: skip
        http = LbListener(
            self, "http", count=when(self._has_none), load_balancer_arn=arn, port=PLAIN, protocol="HTTP",
            default_action=[forward], tags=self._label.tagged(),
        )  # fmt: skip
        suppress(
            http,
            {
                "CKV_AWS_2": "for forwarded ports alone: without a domain there is no certificate",
                "CKV_AWS_103": "for forwarded ports alone: without a domain there is no certificate",
            },
        )
        listener = Expression(f"{self._has_domain} ? {ref(https)}[0].arn : {ref(http)}[0].arn")
        api = LbListenerRule(
            self,
            "api_paths",
            listener_arn=text(listener),
            priority=1,
            condition=[
                LbListenerRuleCondition(path_pattern=LbListenerRuleConditionPathPattern(values=["/api/*"]))
            ],
            action=[LbListenerRuleAction(type="forward", target_group_arn=text(self.api.arn))],
            tags=self._label.tagged(),
        )
        return [https, grpc, http, api]


def _check(path: str, matcher: str) -> LbTargetGroupHealthCheck:
    return LbTargetGroupHealthCheck(
        path=path,
        matcher=matcher,
        interval=INTERVAL,
        timeout=10,
        healthy_threshold=2,
        unhealthy_threshold=UNHEALTHY_AFTER,
    )
