"""The ECS cluster that services run in."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.ecs_cluster import EcsCluster, EcsClusterSetting
from cdktf_cdktf_provider_aws.ecs_cluster_capacity_providers import EcsClusterCapacityProviders
from constructs import Construct

from synthesis.expression import Expression, ref, text
from synthesis.stack import Label, attribute
from synthesis.suppression import suppress


@dataclass(frozen=True)
class ClusterAttributes:
    """A cluster, as the services in it know it."""

    arn: Expression = attribute("ARN of the cluster.")
    name: Expression = attribute("Name of the cluster.")


class Cluster(Construct):
    """An ECS cluster with Fargate and Fargate Spot.

    Costs: nothing. Container Insights stays off: it bills a dozen custom metrics for each task.

    Attributes:
        attributes: what its services need of it.
    """

    def __init__(self, scope: Construct, id_: str, *, label: Label, part: str) -> None:
        """Make it.

        Args:
            scope: the stack.
            id_: its place there.
            label: what names and tags it.
            part: what its name ends with, such as ``workers``.
        """
        super().__init__(scope, id_)
        cluster = EcsCluster(
            self,
            "Cluster",
            name=f"{text(label.name)}-{part}",
            setting=[EcsClusterSetting(name="containerInsights", value="disabled")],
            tags=label.tagged(),
        )
        suppress(
            cluster,
            {"CKV_AWS_65": "Container Insights bills metrics per task: dollars an hour for a large fleet"},
        )
        capacity = EcsClusterCapacityProviders(
            self,
            "CapacityProviders",
            cluster_name=text(ref(cluster).name),
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
        )
        # Both by way of the association: ECS refuses a service whose capacity providers its cluster does not have yet,
        # and their end while a service has them (Amazon ECS API Reference, PutClusterCapacityProviders).
        associated = Expression(f"[{ref(cluster).arn}, {ref(capacity).id}][0]")
        self.attributes = ClusterAttributes(arn=associated, name=ref(capacity).cluster_name)
