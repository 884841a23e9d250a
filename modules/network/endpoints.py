"""VPC endpoints: S3's gateway always, interface endpoints of AWS services by choice."""

from __future__ import annotations

from functools import partial

from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from constructs import Construct

from modules.common.account import Account
from modules.common.policies import Condition, Statement, policy
from modules.common.security_group import create_security_group
from modules.network.settings import CHINAS_OWN_ENDPOINTS, FARGATE_ENDPOINTS, NetworkSettings
from modules.network.subnets import Layout
from synthesis.expression import Exists, Expression, each, ref, strings, text, where
from synthesis.functions import choose, contains, length, raw, startswith
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.typed import Typed, typed

WITH_POLICY = frozenset(FARGATE_ENDPOINTS) - {"ssmmessages"}
"""Services whose own guides say that their endpoints take a policy; for others none is set."""


class Endpoints(Construct):
    """The endpoints of a VPC.

    Their policies let the account's own principals through and nobody else, so that no code in the VPC sends data away
    with foreign keys (data-perimeter-policy-examples of aws-samples, "VPC endpoint policy examples").

    The gateway endpoint of S3 costs nothing. An interface endpoint costs $0.01 an hour in each
    Availability Zone and $0.01 a GB (AWS PrivateLink pricing, us-east-1).

    Attributes:
        security_group_id: of the interface endpoints; empty without any. It has no rule of its own:
            `NetworkAttributes.allow_way_out` lets a peer in.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: NetworkSettings,
        layout: Layout,
        region: str,
    ) -> None:
        super().__init__(scope, id_)
        self._account = Account(self)
        tables = layout.public.route_tables, layout.private.route_tables
        VpcEndpoint(
            self,
            "s3",
            count=layout.exists.count,
            vpc_id=text(layout.vpc.id),
            service_name=f"com.amazonaws.{region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=strings(
                f"[for table in concat(values({tables[0]}), values({tables[1]})) : table.id]"
            ),
            policy=self._of_s3(region, settings.has_way_out),
            tags=label.tagged("s3"),
        )
        self.security_group_id = Expression('""')
        where(
            length(services(settings)) > 0, partial(self._create_interfaces, label, settings, layout, region)
        )

    def _create_interfaces(
        self, label: Label, settings: NetworkSettings, layout: Layout, region: str, exists: Exists
    ) -> None:
        group = create_security_group(
            self,
            "endpoints",
            label=label,
            name="endpoints",
            description="Interface endpoints of AWS services",
            vpc_id=layout.vpc.id,
            count=exists.count,
        )
        self.security_group_id = (
            ref(group).id if exists.condition is None else Expression(f'join("", {ref(group)}[*].id)')
        )
        VpcEndpoint(
            self,
            "interface",
            for_each=each(f"toset({hcl(services(settings))})"),
            vpc_id=text(layout.vpc.id),
            service_name=f"{_beginning(region)}.{region}.${{each.key}}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            # A service may be missing where Fargate is; what needs it is only in the others.
            subnet_ids=strings(
                f"[for zone, subnet in {layout.private.subnets} : subnet.id "
                f"if contains({layout.fargate_zones}, zone)]"
            ),
            security_group_ids=[text(self.security_group_id)],
            # Left out it is the default one, which lets everything through.
            policy=text(
                f"contains({hcl(sorted(WITH_POLICY))}, each.key) ? {_bare(policy(self._by_own()))} : null"
            ),
            tags=label.tagged("${each.key}"),
        )

    def _by_own(self) -> Statement:
        """What the account's own principals may do, which their own policies bound."""
        own = Condition("StringEquals", "aws:PrincipalAccount", [self._account.id])
        return Statement(["*"], ["*"], [own], everyone=True)

    def _of_s3(self, region: str, has_way_out: bool) -> str:
        """The policy of S3's gateway: nobody writes with foreign keys, or without any, to anybody's bucket.

        ECR hands out image layers as signed links to its own bucket (Amazon ECR User Guide, "Amazon ECR interface VPC
        endpoints", minimum Amazon S3 bucket permissions). Where there is a way out, everybody's buckets can be read:
        public data, and Amazon Linux's packages for a NAT instance.
        """
        layers = f"arn:{self._account.partition}:s3:::prod-{region}-starport-layer-bucket/*"
        read = Statement(
            ["s3:GetObject", "s3:ListBucket"],
            Expression(hcl(choose(has_way_out, ["*"], [layers]))),
            everyone=True,
        )
        return policy(self._by_own(), read)


def _bare(argument: str) -> str:
    """The expression of an argument that is one."""
    return argument.removeprefix("${").removesuffix("}")


def _beginning(region: str) -> str:
    """What the name of an interface endpoint's service begins with."""
    own = startswith(region, "cn-") & contains(CHINAS_OWN_ENDPOINTS, typed(str, "each.key"))
    beginning: str = choose(own, "cn.com.amazonaws", "com.amazonaws")
    return beginning


def services(settings: NetworkSettings) -> list[str]:
    """The services with an interface endpoint: true is all that tasks need without NAT, or a list."""
    chosen = settings.interface_endpoints
    if not isinstance(chosen, Typed):
        return settings.endpoints()
    every, given = hcl(FARGATE_ENDPOINTS), chosen.hcl
    listed: list[str] = raw(
        list[str],
        f"try(tobool({given}), null) == null ? tolist({given}) : tobool({given}) ? {every} : tolist([])",
    )
    return listed
