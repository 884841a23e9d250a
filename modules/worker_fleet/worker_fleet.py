"""A fleet of Scythe workers: an ECS service on Fargate, its task definition, roles, log and scaling bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceCapacityProviderStrategy,
    EcsServiceDeploymentCircuitBreaker,
    EcsServiceNetworkConfiguration,
)
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinition,
    EcsTaskDefinitionEphemeralStorage,
    EcsTaskDefinitionRuntimePlatform,
    EcsTaskDefinitionVolume,
)
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from modules.client_token.client_token import TokenAttributes
from modules.cluster.cluster import ClusterAttributes
from modules.common.log_group import create_log_group
from modules.common.security_group import create_security_group, ways_out
from modules.hatchet.attributes import HatchetAttributes
from modules.network.attributes import NetworkAttributes
from modules.storage.attributes import StorageAttributes
from modules.worker_fleet.autoscaling import Autoscaling
from modules.worker_fleet.bounds import Bounds
from modules.worker_fleet.container import WRITABLE, container_definitions
from modules.worker_fleet.environment import container_environment
from modules.worker_fleet.fallback import Fallback
from modules.worker_fleet.roles import FLEET_TAG, FleetRoles
from modules.worker_fleet.settings import NO_IMAGE_TAG, FleetSettings
from synthesis.expression import Expression, flag, local, number, ref, shared, strings, text, where
from synthesis.functions import choose, flag_of, given, is_null, is_set, length, upper
from synthesis.lists import concat
from synthesis.literals import hcl
from synthesis.stack import Label, attribute
from synthesis.suppression import suppress
from synthesis.typed import Items


@dataclass(frozen=True)
class FleetAttributes:
    """A fleet, as others know it."""

    service_name: Expression = attribute("Name of the fleet's ECS service.")
    service_arn: Expression = attribute("ARN of the fleet's ECS service.")
    task_definition_arn: Expression = attribute("ARN of the fleet's task definition.")
    task_role_name: Expression = attribute("Name of the role that the fleet's containers have.")
    task_role_arn: Expression = attribute("ARN of the role that the fleet's containers have.")
    execution_role_name: Expression = attribute("Name of the role with which ECS starts the fleet's tasks.")
    execution_role_arn: Expression = attribute("ARN of the role with which ECS starts the fleet's tasks.")
    security_group_id: Expression = attribute("Id of the security group of the fleet's tasks.")
    log_group_name: Expression = attribute("Name of the fleet's log group.")
    log_group_arn: Expression = attribute("ARN of the fleet's log group.")
    waits_for: Expression = attribute(
        "What is missing before the fleet runs tasks: image, token, both or none.", "list(string)"
    )


class WorkerFleet(Construct):
    """A fleet of one role and one size.

    Makes: service, task definition, log group, security group (nothing in, HTTPS out), execution and task
    role, the scalable target with its schedules, alarms and policies, and the fallback to on-demand capacity. It runs no task before there is an image and a token:
    its bounds are 0 until then, so no order of deploying, pushing and storing makes it fail and restart.

    Costs: Fargate's price for the tasks that run; of an idle fleet with a minimum of 0, $1.20 to $2.10 a
    month for its alarms and its metric.

    Attributes:
        attributes: what others need of it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        fleet: str,
        settings: FleetSettings,
        experiments_elsewhere: list[str],
        log_retention_days: Expression,
        logs_key_arn: Expression,
        cluster: ClusterAttributes,
        network: NetworkAttributes,
        storage: StorageAttributes,
        token: TokenAttributes,
        hatchet: HatchetAttributes,
    ) -> None:
        """Make it.

        Args:
            scope: the stack.
            id_: its place there.
            label: what names and tags it.
            fleet: its name.
            settings: the fleet's.
            experiments_elsewhere: a list of the tasks that other fleets name as theirs.
            log_retention_days: for how long its log is kept.
            logs_key_arn: the ARN of the KMS key that encrypts its log; null for none.
            cluster: the workers'.
            network: whose worker subnets it is in.
            storage: where its specs and results are.
            token: Hatchet's client token.
            hatchet: where the engine is.
        """
        super().__init__(scope, id_)
        self._label, self._name, self._settings = label, fleet, settings
        self._log_group_name = f"/scythe/{text(label.name)}/{fleet}"
        none = f"{text(storage.repository_url)}:{NO_IMAGE_TAG}"
        image = Expression(hcl(shared(self, "image", given(settings.image, str, otherwise=none))))
        waits_for = self._create_waits_for(token)
        log_group = self._create_log_group(log_retention_days, logs_key_arn)
        roles = FleetRoles(
            self,
            "Roles",
            label=label,
            fleet=fleet,
            settings=settings,
            image=image,
            log_group_name=self._log_group_name,
            logs_key_arn=logs_key_arn,
            cluster=cluster,
        )
        storage.grant_read_write(roles.task)
        token.grant_read(roles.execution)

        variables = container_environment(
            settings,
            worker_name=f"{text(label.name)}-{fleet}",
            bucket=storage.bucket_name,
            prefix=storage.prefix,
            region=roles.region,
            experiments_elsewhere=experiments_elsewhere,
        )
        group = self._create_security_group(network)
        hatchet.allow_from(group, "Scythe workers")
        task = self._create_task_definition(
            roles,
            container_definitions(
                settings,
                image=image,
                variables={**variables, **hatchet.environment()},
                token_secret_arn=token.token_secret_arn,
                log_group=log_group,
                region=roles.region,
            ),
        )
        make_service = partial(
            self._create_service,
            task=task,
            cluster=cluster,
            network=network,
            group=ref(group),
            after=[*roles.policies(), *ways_out(group)],
        )
        service = ref(make_service(self, fleet, self._capacity(), None))
        self.attributes = FleetAttributes(
            service_name=service.name,
            service_arn=service.id,
            task_definition_arn=task.arn,
            task_role_name=ref(roles.task).name,
            task_role_arn=ref(roles.task).arn,
            execution_role_name=ref(roles.execution).name,
            execution_role_arn=ref(roles.execution).arn,
            security_group_id=ref(group).id,
            log_group_name=log_group.name,
            log_group_arn=log_group.arn,
            waits_for=waits_for,
        )
        runs = length(Items(str(waits_for))) == 0
        bounds = Bounds(
            self,
            "Bounds",
            label=label,
            settings=settings,
            cluster_name=cluster.name,
            service_name=service.name,
            runs=runs,
        )
        autoscaling = Autoscaling(
            self, "Autoscaling", label=label, fleet=fleet, settings=settings, target=bounds.target
        )
        bounds.schedule(after=autoscaling.last)
        where(
            is_set(settings.capacity.fallback),
            lambda exists: Fallback(
                self,
                "on_demand",
                label=label,
                fleet=fleet,
                settings=settings,
                exists=exists,
                cluster_name=cluster.name,
                runs=runs,
                make_service=make_service,
            ),
        )

    def _create_waits_for(self, token: TokenAttributes) -> Expression:
        stored = choose(flag_of(str(token.is_stored(self))), [], ["token"])
        missing = concat(choose(is_null(self._settings.image), ["image"], []), stored)
        return local(self, "waits_for", hcl(missing))

    def _create_log_group(self, retention_days: Expression, key_arn: Expression) -> Expression:
        group = create_log_group(
            self,
            "LogGroup",
            label=self._label,
            name=self._log_group_name,
            retention_days=retention_days,
            key_arn=key_arn,
            unencrypted="CloudWatch's own keys encrypt it; workers log no secret",
            kept="logs of simulations are for the days after them; observability.log_retention_days",
        )
        return ref(group)

    def _create_task_definition(self, roles: FleetRoles, containers: str) -> Expression:
        settings = self._settings
        task = EcsTaskDefinition(
            self,
            "TaskDefinition",
            family=f"{text(self._label.name)}-{self._name}",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=f"{settings.cpu * 1024:g}",
            memory=f"{settings.memory * 1024:g}",
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture=upper(settings.architecture)
            ),
            ephemeral_storage=EcsTaskDefinitionEphemeralStorage(
                size_in_gib=number(settings.ephemeral_storage_gb)
            ),
            execution_role_arn=text(ref(roles.execution).arn),
            task_role_arn=text(ref(roles.task).arn),
            volume=[EcsTaskDefinitionVolume(name=volume) for volume in WRITABLE],
            container_definitions=containers,
            tags=self._label.tagged(),
        )
        suppress(task, {"CKV_AWS_336": "writable only with exec: the agent of ECS Exec writes there"})
        return ref(task)

    def _capacity(self) -> list[EcsServiceCapacityProviderStrategy]:
        capacity = self._settings.capacity
        return [
            EcsServiceCapacityProviderStrategy(
                capacity_provider="FARGATE",
                weight=number(capacity.on_demand),
                base=number(capacity.on_demand_base),
            ),
            EcsServiceCapacityProviderStrategy(
                capacity_provider="FARGATE_SPOT", weight=number(capacity.spot), base=0
            ),
        ]

    def _create_service(
        self,
        scope: Construct,
        name: str,
        capacity: list[EcsServiceCapacityProviderStrategy],
        count: float | None,
        *,
        task: Expression,
        cluster: ClusterAttributes,
        network: NetworkAttributes,
        group: Expression,
        after: list[ITerraformDependable],
    ) -> EcsService:
        service = EcsService(
            scope,
            "Service",
            count=count,
            name=name,
            cluster=text(cluster.arn),
            task_definition=text(task.arn),
            capacity_provider_strategy=capacity,
            # Other weights are then an update; the provider would otherwise replace the service.
            force_new_deployment=True,
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            # Never more tasks than the fleet's max, a rollout included.
            deployment_maximum_percent=100,
            deployment_minimum_healthy_percent=0,
            # Rebalancing would stop simulations to move them (and needs a maximum over 100 %).
            availability_zone_rebalancing="DISABLED",
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            enable_execute_command=flag(self._settings.exec),
            network_configuration=EcsServiceNetworkConfiguration(
                subnets=strings(network.worker_subnet_ids),
                security_groups=[text(group.id)],
                assign_public_ip=flag(network.worker_public_ip),
            ),
            # The autoscaler's.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["desired_count"]),
            # What its first tasks need to start, and its last ones to end.
            depends_on=after,
            tags=self._label.tagged(more={FLEET_TAG: self._name}),
        )
        suppress(
            service,
            {"CKV_AWS_333": "only with network.worker_subnets: public, a way out where nothing can reach in"},
        )
        return service

    def _create_security_group(self, network: NetworkAttributes) -> SecurityGroup:
        group = create_security_group(
            self,
            "SecurityGroup",
            label=self._label,
            name=self._name,
            description="Scythe workers",
            vpc_id=network.vpc_id,
        )
        network.allow_way_out(group)
        return group
