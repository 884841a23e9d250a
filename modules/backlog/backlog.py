"""The backlog service: a small task that registers the experiments, and tells CloudWatch what each fleet has to do."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import ITerraformDependable, Precondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceCapacityProviderStrategy,
    EcsServiceDeploymentCircuitBreaker,
    EcsServiceNetworkConfiguration,
)
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinition,
    EcsTaskDefinitionRuntimePlatform,
    EcsTaskDefinitionVolume,
)
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from modules.backlog.capacity import runs_on_spot
from modules.backlog.container import container_definitions
from modules.backlog.fleets import Image, chosen_image, images_of, services_of
from modules.backlog.registration import MOST_CHARACTERS, fleets_environments
from modules.backlog.settings import GIB, NAME, VCPU, BacklogSettings
from modules.backlog.silence import warn_of_silence
from modules.client_token.client_token import TokenAttributes
from modules.cluster.cluster import ClusterAttributes
from modules.common.log_group import create_log_group
from modules.common.metrics import BacklogMetrics
from modules.common.policies import Condition, Statement
from modules.common.security_group import create_security_group
from modules.common.task_roles import TaskRoles
from modules.hatchet.attributes import HatchetAttributes
from modules.network.attributes import NetworkAttributes
from modules.storage.attributes import StorageAttributes
from modules.worker_fleet.container import WRITABLE
from modules.worker_fleet.settings import NO_IMAGE_TAG, FleetSettings
from synthesis.expression import Expression, flag, number, ref, shared, strings, text
from synthesis.functions import choose, flag_of, given, length, upper
from synthesis.lists import collect, collect_entries, flatten, keys, map_entries
from synthesis.literals import hcl
from synthesis.stack import Label, attribute
from synthesis.suppression import suppress


@dataclass(frozen=True)
class BacklogAttributes:
    """The backlog service, as others know it."""

    service_name: Expression = attribute("Name of the backlog's ECS service.")


class Backlog(Construct):
    """The service that wakes the fleets.

    It runs on Fargate Spot, which costs 30 % of the on-demand price at the least, unless `settings.spot` is false or a
    fleet has ``capacity.fallback`` or ``spot: 0``: such a fleet must wake while Spot has no capacity. When Spot takes
    its task back, ECS starts another one. Fleets keep their tasks in between.

    Each of its tasks first registers the image's experiments (`modules.backlog.registration`): a new image or other
    settings of a fleet deploy it anew. It runs the worker image of a fleet, with that fleet's architecture, since an image may be for one alone: the
    first arm64 fleet's by name, else the first one's that has an image. Like the fleets it runs no task before there is an
    image and a token.

    Makes: service, task definition, log group, security group (nothing in, HTTPS and Hatchet out), two roles,
    and an alarm on its silence.

    Costs (us-east-1): on Spot $3.19 a month on x86_64 and $2.55 on arm64, on demand $10.63 and $8.51. While nothing
    waits, $0.30 a month for each fleet's metric, $0.44 for the requests and $0.10 for the alarm. An hour of work costs
    less than a cent more: four metrics for each fleet, and a request every ten seconds.

    Attributes:
        attributes: what others need of it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: BacklogSettings,
        fleets: dict[str, FleetSettings],
        log_retention_days: Expression,
        logs_key_arn: Expression,
        cluster: ClusterAttributes,
        network: NetworkAttributes,
        storage: StorageAttributes,
        token: TokenAttributes,
        hatchet: HatchetAttributes,
        alarm_topic: str | None,
    ) -> None:
        """Make it.

        Args:
            scope: the stack.
            id_: its place there.
            label: what names and tags it.
            settings: the service's.
            fleets: the settings of all fleets, by name.
            log_retention_days: for how long its log is kept.
            logs_key_arn: the ARN of the KMS key that encrypts its log; null for none.
            cluster: the workers'.
            network: whose worker subnets it is in.
            storage: whose repository an image would be in.
            token: Hatchet's client token.
            hatchet: where the engine is.
            alarm_topic: the name of the SNS topic that hears of its silence; null for none.
        """
        super().__init__(scope, id_)
        self._label, self._metrics, self._fleets = label, BacklogMetrics.of(label), fleets
        images = shared(self, "images", images_of(fleets))
        chosen = shared(self, "image", chosen_image(images, f"{text(storage.repository_url)}:{NO_IMAGE_TAG}"))
        runs = shared(self, "runs", (length(images) > 0) & flag_of(str(token.is_stored(self))))
        log_group_name = f"/scythe/{text(label.name)}/{NAME}"
        roles = TaskRoles(
            self,
            "Roles",
            label=label,
            name=NAME,
            images=[Expression(hcl(chosen.image))],
            log_group_name=log_group_name,
            logs_key_arn=logs_key_arn,
        )
        token.grant_read(roles.execution)
        # Takes no resource (Amazon CloudWatch User Guide, "Using condition keys to limit access to CloudWatch
        # namespaces").
        in_namespace = Condition("StringEquals", "cloudwatch:namespace", [self._metrics.namespace])
        roles.grant(roles.task, "metrics", Statement(["cloudwatch:PutMetricData"], ["*"], [in_namespace]))
        self._allow_rollout(roles, cluster)
        environments = fleets_environments(
            self,
            fleets,
            label=label,
            storage=storage,
            region=roles.region,
            image=chosen.image,
        )
        task = self._create_task_definition(
            chosen,
            roles,
            container_definitions(
                image=chosen.image,
                variables=self._variables(roles.region, hatchet, cluster.name),
                registers={**hatchet.environment(), "SCYTHE_REGISTER_FLEETS": environments.fleets},
                shared=environments.shared,
                token_secret_arn=token.token_secret_arn,
                log_group=self._create_log_group(log_group_name, log_retention_days, logs_key_arn),
                region=roles.region,
            ),
            environments.fits,
        )
        group = self._create_security_group(network)
        hatchet.allow_from(group, "Scythe backlog service")
        provider = choose(runs_on_spot(settings, fleets), "FARGATE_SPOT", "FARGATE")
        service = self._create_service(task, runs, provider, cluster, network, ref(group))
        self.attributes = BacklogAttributes(service_name=service.name)
        topic_arns = given(alarm_topic, lambda name: [roles.arn("sns", name)], otherwise=[])
        warn_of_silence(self, label=label, fleet=keys(fleets)[0], runs=runs, topic_arns=strings(topic_arns))

    def _allow_rollout(self, roles: TaskRoles, cluster: ClusterAttributes) -> None:
        """Let it see which workers ECS waits for (`scythe_worker.rollout`)."""
        services = flatten(collect_entries(self._fleets, services_of))
        arns = collect(services, lambda name: roles.arn("ecs", f"service/{text(cluster.name)}/{name}"))
        own = [Condition("ArnEquals", "ecs:cluster", [cluster.arn])]
        roles.grant(
            roles.task,
            "rollout",
            Statement(["ecs:DescribeServices"], arns, own),
            Statement(["ecs:DescribeTasks"], [roles.arn("ecs", f"task/{text(cluster.name)}/*")], own),
        )

    def _variables(
        self, region: Expression, hatchet: HatchetAttributes, cluster_name: Expression
    ) -> dict[str, object]:
        described = map_entries(
            self._fleets,
            lambda name, fleet: {
                "role": fleet.role,
                "slots": fleet.slots,
                "experiments": fleet.experiments,
                "services": services_of(name, fleet),
            },
        )
        return {
            "AWS_DEFAULT_REGION": region,
            "HATCHET_CLIENT_SERVER_URL": hatchet.environment()["HATCHET_CLIENT_SERVER_URL"],
            "SCYTHE_BACKLOG_CLUSTER": cluster_name,
            "SCYTHE_BACKLOG_FLEETS": Expression(f"jsonencode({hcl(described)})"),
            "SCYTHE_BACKLOG_NAMESPACE": self._metrics.namespace,
        }

    def _create_log_group(self, name: str, retention_days: Expression, key_arn: Expression) -> Expression:
        group = create_log_group(
            self,
            "LogGroup",
            label=self._label,
            name=name,
            retention_days=retention_days,
            key_arn=key_arn,
            unencrypted="CloudWatch's own keys encrypt it; it logs counts alone",
            kept="its log is for the days after; observability.log_retention_days",
        )
        return ref(group)

    def _create_task_definition(
        self, chosen: Image, roles: TaskRoles, containers: str, fits: Expression
    ) -> Expression:
        task = EcsTaskDefinition(
            self,
            "TaskDefinition",
            family=f"{text(self._label.name)}-{NAME}",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(int(VCPU * 1024)),
            memory=str(int(GIB * 1024)),
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture=upper(chosen.architecture)
            ),
            execution_role_arn=text(ref(roles.execution).arn),
            task_role_arn=text(ref(roles.task).arn),
            volume=[EcsTaskDefinitionVolume(name=volume) for volume in WRITABLE],
            container_definitions=containers,
            tags=self._label.tagged(),
            lifecycle=TerraformResourceLifecycle(
                precondition=[
                    Precondition(
                        condition=text(fits),
                        error_message="the environment variables of all fleets together have more than "
                        f"{MOST_CHARACTERS} characters, for which the backlog service's task definition has no room: give "
                        "the fleets fewer, or the same ones, which count once",
                    )
                ]
            ),
        )
        return ref(task)

    def _create_service(
        self,
        task: Expression,
        runs: bool,
        provider: str,
        cluster: ClusterAttributes,
        network: NetworkAttributes,
        group: Expression,
    ) -> Expression:
        service = EcsService(
            self,
            "Service",
            name=NAME,
            cluster=text(cluster.arn),
            task_definition=text(task.arn),
            desired_count=number(choose(runs, 1, 0)),
            capacity_provider_strategy=[
                EcsServiceCapacityProviderStrategy(capacity_provider=provider, weight=1, base=0)
            ],
            # Another provider is then an update; the AWS provider would otherwise replace the service.
            force_new_deployment=True,
            platform_version="LATEST",
            # The new one runs before the old one ends: a second that is published twice is no harm.
            deployment_maximum_percent=200,
            deployment_minimum_healthy_percent=100,
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            availability_zone_rebalancing="DISABLED",
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            network_configuration=EcsServiceNetworkConfiguration(
                subnets=strings(network.worker_subnet_ids),
                security_groups=[text(group.id)],
                assign_public_ip=flag(network.worker_public_ip),
            ),
            depends_on=self._rights(),
            tags=self._label.tagged(),
        )
        suppress(
            service,
            {"CKV_AWS_333": "only with network.worker_subnets: public, a way out where nothing can reach in"},
        )
        return ref(service)

    def _rights(self) -> list[ITerraformDependable]:
        """The roles' policies and the network rules that a task needs from its start."""
        kinds = (IamRolePolicy, VpcSecurityGroupEgressRule, VpcSecurityGroupIngressRule)
        return [right for right in self.node.find_all() if isinstance(right, kinds)]

    def _create_security_group(self, network: NetworkAttributes) -> SecurityGroup:
        group = create_security_group(
            self,
            "SecurityGroup",
            label=self._label,
            name=NAME,
            description="Scythe backlog service",
            vpc_id=network.vpc_id,
        )
        network.allow_way_out(group, "Backlog service")
        return group
