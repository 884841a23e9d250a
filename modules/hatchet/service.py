"""A part of self-hosted Hatchet: an ECS service on Fargate, its task definition, roles and security group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cdktf import ITerraformDependable, Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceDeploymentCircuitBreaker,
    EcsServiceNetworkConfiguration,
    EcsServiceServiceRegistries,
)
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinition,
    EcsTaskDefinitionRuntimePlatform,
    EcsTaskDefinitionVolume,
)
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.service_discovery_service import (
    ServiceDiscoveryService,
    ServiceDiscoveryServiceDnsConfig,
    ServiceDiscoveryServiceDnsConfigDnsRecords,
    ServiceDiscoveryServiceHealthCheckCustomConfig,
)
from constructs import Construct

from modules.cluster.cluster import ClusterAttributes
from modules.common.security_group import create_security_group, ways_out
from modules.common.task_roles import TaskRoles
from modules.hatchet.container import Container, documents
from modules.hatchet.settings import Service
from modules.hatchet.targets import GRACE_SECONDS, Target, groups_of, load_balancers
from modules.network.attributes import NetworkAttributes
from synthesis.expression import Expression, flag, made, number, only_where, strings, text
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress


@dataclass(frozen=True)
class Surroundings:
    """What all parts of an engine share.

    Attributes:
        label: what names and tags them.
        cluster: where they run.
        network: the network that they are in.
        subnet_ids: the private subnets that have Fargate, which all of them are in.
        log_group: the log group that they write to.
        namespace: of Cloud Map, in which the VPC finds them.
        in_ecr: whether their images are in the environment's ECR.
        secrets_key_arn: the ARN of the KMS key that encrypts their secrets; null for none.
        logs_key_arn: the ARN of the KMS key that encrypts the log group; null for none.
    """

    label: Label
    cluster: ClusterAttributes
    network: NetworkAttributes
    subnet_ids: Expression
    log_group: Expression
    namespace: Expression
    in_ecr: Expression
    secrets_key_arn: Expression
    logs_key_arn: Expression

    @property
    def log_group_name(self) -> str:
        """The log group's name, as plans show it before it is there."""
        return log_group_name(self.label)

    def host(self, name: str) -> str:
        """The name by which the VPC finds a part."""
        return f"{name}.{text(self.namespace.name)}"


def log_group_name(label: Label) -> str:
    """The name of the log group of all of Hatchet."""
    return f"/scythe/{text(label.name)}/hatchet"


@dataclass(frozen=True)
class Rollout:
    """How a part is deployed.

    Attributes:
        alone: never two tasks at a time: the old one ends before the new one starts.
        after: what must be there before.
        minutes: what a deployment may take until it counts as failed.
    """

    alone: bool = False
    after: Sequence[ITerraformDependable] = field(default_factory=list)
    minutes: int = 15


class HatchetService(Construct):
    """A service that an apply waits for, so that one that does not come up is the apply's error.

    Where a deployment fails, ECS goes back to the task definition before, which `create_before_destroy` keeps until
    all is well; the postcondition makes that an error too.

    Costs: Fargate's price of its tasks: $0.0405 a vCPU-hour and $0.0044 a GiB-hour, a fifth less for arm64
    (us-east-1).

    Attributes:
        security_group: of its tasks; nothing comes in that is not let in by `modules.common.port.Port`.
        roles: of its tasks; what they use is granted by its owner.
        service: of ECS.
        task_definition_arn: of its task definition.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str | None = None,
        surroundings: Surroundings,
        size: Service,
        count: Expression | int,
        containers: Sequence[Container],
        volumes: Sequence[EcsTaskDefinitionVolume] = (),
        targets: Sequence[Target] = (),
        is_found: bool = False,
        exec_: Expression | None = None,
        exists: Expression | None = None,
    ) -> None:
        """Make all but the service itself, which `deploy` makes once its roles have their rights.

        Args:
            scope: Hatchet.
            id_: its place there.
            name: the part's name; its id by default.
            surroundings: what it shares with others.
            size: vCPU, memory and processor.
            count: how many tasks.
            containers: what they run.
            volumes: what the containers share or keep.
            targets: the target groups that they are in.
            is_found: whether the VPC finds it by name.
            exec_: whether ECS Exec may open sessions; None for never.
            exists: whether there is such a part; None for always.
        """
        super().__init__(scope, id_)
        self._name, self._surroundings, self._count, self._exists = name or id_, surroundings, count, exists
        self._targets, self._exec = targets, exec_
        self.roles = TaskRoles(
            self,
            "Roles",
            label=surroundings.label,
            name=f"hatchet-{self._name}",
            images=[container.image for container in containers],
            log_group_name=surroundings.log_group_name,
            logs_key_arn=surroundings.logs_key_arn,
            exists=exists,
            in_ecr=surroundings.in_ecr,
        )
        if exec_ is not None:
            self.roles.allow_exec(exec_)
        self.security_group = self._create_security_group()
        self._registry = self._create_registry() if is_found else None
        self.task_definition_arn = self._create_task_definition(size, containers, volumes)

    def deploy(self, rollout: Rollout) -> EcsService:
        """Make the service."""
        surroundings = self._surroundings
        service = EcsService(
            self,
            "Service",
            count=only_where(self._exists),
            name=self._name,
            cluster=text(surroundings.cluster.arn),
            task_definition=text(self.task_definition_arn),
            desired_count=self._count if isinstance(self._count, int) else number(self._count),
            launch_type="FARGATE",
            platform_version="LATEST",
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            deployment_maximum_percent=100 if rollout.alone else 200,
            deployment_minimum_healthy_percent=0 if rollout.alone else 100,
            availability_zone_rebalancing="DISABLED",
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            enable_execute_command=False if self._exec is None else flag(self._exec),
            network_configuration=EcsServiceNetworkConfiguration(
                subnets=strings(surroundings.subnet_ids),
                security_groups=[text(made(self.security_group, self._exists).id)],
                assign_public_ip=False,
            ),
            service_registries=self._registry,
            wait_for_steady_state=True,
            timeouts={"create": f"{rollout.minutes}m", "update": f"{rollout.minutes}m"},
            lifecycle=TerraformResourceLifecycle(postcondition=[self._came_up()]),
            # What its first tasks need to start, and its last ones to end.
            depends_on=[*rollout.after, *self.roles.policies(), *ways_out(self.security_group)],
            tags=surroundings.label.tagged(),
        )
        if self._targets:
            listed = groups_of(self._targets)
            # ECS refuses it for a service without a target group.
            service.health_check_grace_period_seconds = number(
                f"length({listed}) > 0 ? {GRACE_SECONDS} : null"
            )
            service.add_override("dynamic.load_balancer", load_balancers(listed))
        return service

    def _came_up(self) -> Postcondition:
        return Postcondition(
            condition=text(f"self.task_definition == {self.task_definition_arn}"),
            error_message=f"the new tasks of {self._name} did not come up, and ECS went back to those before: "
            f"the log group {self._surroundings.log_group_name} and the service's events say why",
        )

    def _create_security_group(self) -> SecurityGroup:
        surroundings = self._surroundings
        group = create_security_group(
            self,
            "SecurityGroup",
            label=surroundings.label,
            name=f"hatchet-{self._name}",
            description=f"Hatchet {self._name}",
            vpc_id=surroundings.network.vpc_id,
            count=only_where(self._exists),
        )
        surroundings.network.allow_way_out(group, f"Hatchet {self._name}", private=True, where=self._exists)
        return group

    def _create_registry(self) -> EcsServiceServiceRegistries:
        service = ServiceDiscoveryService(
            self,
            "Discovery",
            count=only_where(self._exists),
            name=self._name,
            dns_config=ServiceDiscoveryServiceDnsConfig(
                namespace_id=text(self._surroundings.namespace.id),
                routing_policy="MULTIVALUE",
                dns_records=[ServiceDiscoveryServiceDnsConfigDnsRecords(type="A", ttl=10)],
            ),
            # ECS takes stopped tasks out some time after their service is gone, and a name with instances is refused.
            force_destroy=True,
            # By its container health check ECS says which task is found.
            health_check_custom_config=ServiceDiscoveryServiceHealthCheckCustomConfig(failure_threshold=1),
            tags=self._surroundings.label.tagged(),
        )
        return EcsServiceServiceRegistries(registry_arn=text(made(service, self._exists).arn))

    def _create_task_definition(
        self, size: Service, containers: Sequence[Container], volumes: Sequence[EcsTaskDefinitionVolume]
    ) -> Expression:
        label = self._surroundings.label
        task = EcsTaskDefinition(
            self,
            "TaskDefinition",
            count=only_where(self._exists),
            family=f"{text(label.name)}-hatchet-{self._name}",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=text(f"{hcl(size.cpu)} * 1024"),
            memory=text(f"{hcl(size.memory)} * 1024"),
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture=text(f"upper({hcl(size.architecture)})")
            ),
            execution_role_arn=text(made(self.roles.execution, self._exists).arn),
            task_role_arn=text(made(self.roles.task, self._exists).arn),
            volume=list(volumes),
            container_definitions=documents(containers, self._surroundings.log_group.name, self.roles.region),
            tags=label.tagged(),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        if writers := [container.writes for container in containers if container.writes]:
            suppress(task, {"CKV_AWS_336": "; ".join(writers)})
        return made(task, self._exists).arn
