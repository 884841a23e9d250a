"""The private subnets' way out: NAT gateways, or one small instance."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from constructs import Construct

from modules.network.nat_instance import NatInstance
from modules.network.settings import NetworkSettings
from modules.network.subnets import Layout
from synthesis.expression import Expression, each, ref, text
from synthesis.stack import Label


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
        mode, zones = settings.nat, layout.zones
        gateways = self._create_gateways(
            label,
            layout,
            f'{mode} == "per_az" ? {zones} : {mode} == "single" ? slice({zones}, 0, min(1, length({zones}))) : []',
        )
        instance = NatInstance(self, "instance", label=label, settings=settings, layout=layout)
        Route(
            self,
            "Route",
            for_each=each(
                f'{{ for zone, table in {layout.private.route_tables} : zone => table if {mode} != "none" }}'
            ),
            route_table_id="${each.value.id}",
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=text(
                f'{mode} == "instance" ? null : try({gateways}[each.key].id, {gateways}[{zones[0]}].id)'
            ),
            network_interface_id=text(instance.network_interface_id),
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
