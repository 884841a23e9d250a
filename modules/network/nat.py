"""The private subnets' way out: NAT gateways, or one small instance."""

from __future__ import annotations

from functools import partial

from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from constructs import Construct

from modules.network.nat_instance import NatInstance
from modules.network.settings import NetworkSettings
from modules.network.subnets import Layout
from synthesis.expression import Exists, Expression, each, ref, text, where
from synthesis.functions import choose, length
from synthesis.lists import smallest, take
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.typed import Items, Typed


class Nat(Construct):
    """The way out of the private subnets, by ``settings.nat``.

    - ``none``: nothing.
    - ``instance``: `NatInstance`; all zones go through its zone.
    - ``single``: one NAT gateway, $36.50 a month with its address, and $0.045 a GB.
    - ``per_az``: one in each zone; the loss of a zone leaves the others their way out.

    (us-east-1: Amazon VPC pricing.) Another mode changes the routes in place.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: NetworkSettings,
        layout: Layout,
    ) -> None:
        super().__init__(scope, id_)
        mode, zones = settings.nat, Items(str(layout.zones))
        first = take(zones, 1 if layout.exists.condition is None else smallest(1, [length(zones)]))
        chosen = choose(mode == "per_az", zones, choose(mode == "single", first, []))
        gateways = self._create_gateways(label, layout, hcl(chosen)) if hcl(chosen) != "[]" else None
        instance = where(
            is_instance := mode == "instance",
            lambda exists: NatInstance(
                self,
                "instance",
                label=label,
                settings=settings,
                layout=layout,
                exists=layout.exists.also(exists),
            ),
        )
        where(mode != "none", partial(self._create_routes, layout, gateways, instance, is_instance))

    def _create_routes(
        self,
        layout: Layout,
        gateways: Expression | None,
        instance: NatInstance | None,
        is_instance: bool,
        exists: Exists,
    ) -> None:
        tables = layout.private.route_tables
        if exists.condition is not None:
            tables = Expression(
                f"{{ for zone, table in {tables} : zone => table if {hcl(exists.condition)} }}"
            )
        own = Typed(f"try({gateways}[each.key].id, {gateways}[{layout.zones[0]}].id)")
        Route(
            self,
            "Route",
            for_each=each(tables),
            route_table_id="${each.value.id}",
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=None if gateways is None else text(choose(is_instance, None, own)),
            network_interface_id=None if instance is None else text(instance.network_interface_id),
        )

    def _create_gateways(self, label: Label, layout: Layout, zones: str) -> Expression:
        addresses = Eip(
            self,
            "Address",
            for_each=each(f"toset({zones})"),
            domain="vpc",
            tags=label.tagged("nat-${each.key}"),
            depends_on=[layout.internet],
        )
        gateways = NatGateway(
            self,
            "Gateway",
            for_each=each(f"toset({zones})"),
            allocation_id=text(f"{ref(addresses)}[each.key].id"),
            subnet_id=text(f"{layout.public.subnets}[each.key].id"),
            tags=label.tagged("${each.key}"),
            depends_on=[layout.internet],
        )
        return ref(gateways)
