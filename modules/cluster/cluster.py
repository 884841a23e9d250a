"""The ECS cluster that services run in."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.ecs_cluster import EcsCluster, EcsClusterSetting
from cdktf_cdktf_provider_aws.ecs_cluster_capacity_providers import EcsClusterCapacityProviders
from constructs import Construct

from modules.expression import Expression, ref, text
from modules.stack import Label
from modules.suppression import suppress


class Cluster(Construct):
    """An ECS cluster with Fargate and Fargate Spot.

    Costs: nothing. Container Insights stays off: it bills a dozen custom metrics for each task.

    Attributes:
        arn: of the cluster.
        name: of the cluster.
    """

    def __init__(self, scope: Construct, id_: str, *, label: Label, name: str) -> None:
        super().__init__(scope, id_)
        cluster = EcsCluster(
            self,
            "Cluster",
            name=f"{text(label.name)}-{name}",
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
        self.arn: Expression = ref(cluster).arn
        # By way of the association, so that what names the cluster waits for its capacity providers.
        self.name: Expression = ref(capacity).cluster_name
