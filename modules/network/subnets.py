"""A tier of subnets: one per Availability Zone, each with its own route table."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.subnet import Subnet
from constructs import Construct

from synthesis.expression import Exists, Expression, each, ref, text
from synthesis.stack import Label


class Subnets(Construct):
    """The subnets of one tier, by zone. A table each, whatever the routes: another way out replaces none.

    Attributes:
        subnets: by zone.
        route_tables: by zone.
    """

    def __init__(
        self, scope: Construct, id_: str, *, label: Label, zones: Expression, vpc: Expression, cidr: str
    ) -> None:
        """Make a subnet and a route table in each zone.

        Args:
            scope: the network.
            id_: the tier, ``public`` or ``private``.
            label: what names and tags them.
            zones: the names of the zones, in their order.
            vpc: the VPC.
            cidr: the expression of a subnet's addresses, in which ``i`` is its zone's place.
        """
        super().__init__(scope, id_)
        # A zone less: what uses its subnet or table, as an endpoint does, is changed before they are deleted.
        last_to_go = TerraformResourceLifecycle(create_before_destroy=True)
        subnets = Subnet(
            self,
            "Subnet",
            for_each=each(f"{{ for i, zone in {zones} : zone => {cidr} }}"),
            vpc_id=text(vpc.id),
            availability_zone="${each.key}",
            cidr_block="${each.value}",
            tags=label.tagged(f"{id_}-${{each.key}}"),
            lifecycle=last_to_go,
        )
        self.subnets = ref(subnets)
        tables = RouteTable(
            self,
            "RouteTable",
            for_each=each(self.subnets),
            vpc_id=text(vpc.id),
            tags=label.tagged(f"{id_}-${{each.key}}"),
            lifecycle=last_to_go,
        )
        self.route_tables = ref(tables)
        RouteTableAssociation(
            self,
            "RouteTableAssociation",
            for_each=each(self.subnets),
            subnet_id="${each.value.id}",
            route_table_id=text(f"{self.route_tables}[each.key].id"),
        )


@dataclass(frozen=True)
class Layout:
    """The parts of a VPC that its ways out are built on.

    Attributes:
        exists: where it is made.
        vpc: the VPC.
        zones: the names of its zones, in their order.
        fargate_zones: the names of the region's zones that have Fargate.
        public: the public tier.
        private: the private tier.
        internet: the public tier's routes to the internet, which what has a public address waits for.
    """

    exists: Exists
    vpc: Expression
    zones: Expression
    fargate_zones: Expression
    public: Subnets
    private: Subnets
    internet: Route
