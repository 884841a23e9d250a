"""What moto 5.2.5 gets wrong about AWS Cloud Map."""

from __future__ import annotations

from moto.route53.models import route53_backends
from moto.servicediscovery.models import ServiceDiscoveryBackend

from local_aws.replacing import replace


def correct_service_discovery() -> None:
    """Correct moto's Cloud Map in this process."""
    delete_zone_of_namespace()


def delete_zone_of_namespace() -> None:
    """Delete a namespace's hosted zone with it: its owner cannot.

    https://docs.aws.amazon.com/cloud-map/latest/dg/deleting-namespaces.html
    """
    delete = ServiceDiscoveryBackend.delete_namespace

    def corrected(self: ServiceDiscoveryBackend, namespace_id: str) -> str:
        namespace = self.namespaces.get(namespace_id)
        operation = delete(self, namespace_id)
        if namespace and (zone := (namespace.dns_properties or {}).get("HostedZoneId")):
            route53_backends[self.account_id][self.partition].delete_hosted_zone(zone)
        return operation

    replace(ServiceDiscoveryBackend, "delete_namespace", corrected)
