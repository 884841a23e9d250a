"""Hatchet, self-hosted: engine, API, dashboard, and what they stand on."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.ecs_service import EcsService
from cdktf_cdktf_provider_aws.service_discovery_private_dns_namespace import (
    ServiceDiscoveryPrivateDnsNamespace,
)
from constructs import Construct

from modules.client_token.client_token import TokenAttributes
from modules.cluster.cluster import ClusterAttributes
from modules.common.log_group import create_log_group
from modules.common.port import Port
from modules.common.presence import is_given
from modules.hatchet.addresses import choose_addresses
from modules.hatchet.amazon_mq import AmazonMq
from modules.hatchet.attributes import HatchetAccess, HatchetAttributes
from modules.hatchet.client import GRPC, HTTP
from modules.hatchet.container import Container, HealthCheck
from modules.hatchet.database import HatchetDatabase
from modules.hatchet.environment import HEALTH
from modules.hatchet.forwarding import Forwarding
from modules.hatchet.images import API, DASHBOARD, ENGINE
from modules.hatchet.load_balancer import LoadBalancer
from modules.hatchet.rabbitmq import RabbitMq
from modules.hatchet.repositories import Images, RepositoryAttributes
from modules.hatchet.secrets import Secrets
from modules.hatchet.server import Servers
from modules.hatchet.service import HatchetService, Rollout, Surroundings, log_group_name
from modules.hatchet.set_up import SetUp
from modules.hatchet.settings import HatchetSettings
from modules.hatchet.targets import Target
from modules.network.attributes import NetworkAttributes
from synthesis.expression import Expression, local, ref, text
from synthesis.literals import hcl
from synthesis.stack import Label


class Hatchet(Construct):
    """An engine of one's own, in the private subnets.

    Its parts are ECS services that are deployed and sized by themselves. First comes the `SetUp`, at each deployment
    anew: no other part is touched before the database is migrated, and the keys and the client token are there.

    Costs: at its smallest about $3.60 a day (us-east-1; docs/hatchet.md reckons it).

    Attributes:
        attributes: what other stacks need of it.
        access: what people need to reach it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: HatchetSettings,
        cluster: ClusterAttributes,
        network: NetworkAttributes,
        token: TokenAttributes,
        repositories: RepositoryAttributes,
        workers_cluster: str,
        log_retention_days: Expression,
        secrets_key_arn: Expression,
        logs_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        is_public = local(self, "is_public", hcl(is_given(settings.enable_https, settings.domain)))
        self._images = Images(self, settings, repositories.hatchet_repository_urls)
        self._surroundings = self._create_surroundings(
            label, cluster, network, log_retention_days, secrets_key_arn, logs_key_arn
        )
        self._addresses = choose_addresses(settings, self._surroundings, is_public)
        self._secrets = Secrets(self, "Secrets", label=label, key_arn=secrets_key_arn)
        self._database = HatchetDatabase(
            self,
            "database",
            label=label,
            settings=settings.database,
            network=network,
            log_retention_days=log_retention_days,
            secrets_key_arn=secrets_key_arn,
            logs_key_arn=logs_key_arn,
        )
        self._rabbitmq = RabbitMq(
            self, "rabbitmq", surroundings=self._surroundings, settings=settings, images=self._images
        )
        self._amazon_mq = AmazonMq(
            self, "amazon_mq", label=label, settings=settings, network=network,
            secrets_key_arn=secrets_key_arn,
        )  # fmt: skip
        self._brokers = (self._rabbitmq, self._amazon_mq)
        self._balancer = LoadBalancer(
            self, "lb", label=label, settings=settings, network=network, is_public=is_public
        )
        self._servers = Servers(
            settings, self._images, self._addresses, self._database, self._secrets, self._brokers
        )
        engine, api, dashboard = self._create_engine(), self._create_api(), self._create_dashboard()
        set_up = SetUp(
            self,
            "setup",
            surroundings=self._surroundings,
            settings=settings,
            images=self._images,
            addresses=self._addresses,
            database=self._database,
            amazon_mq=self._amazon_mq,
            secrets=self._secrets,
            token=token,
            workers_cluster=workers_cluster,
        )
        forwarding = Forwarding(self, "forward", label=label, is_public=is_public, cluster=cluster)
        self._connect(engine, api, dashboard)
        self._deploy(set_up, engine, api, dashboard)
        self.access = HatchetAccess(
            dashboard_url=self._addresses.url,
            load_balancer_dns_name=self._balancer.dns_name,
            forward_policy_arn=forwarding.policy_arn,
            admin_secret_arn=self._secrets.admin_arn,
        )
        self.attributes = HatchetAttributes(
            engine_address=self._addresses.inside_grpc,
            engine_url=self._addresses.inside_url,
            engine_security_group_id=ref(engine.security_group).id,
            api_security_group_id=ref(api.security_group).id,
        )

    def _create_surroundings(
        self,
        label: Label,
        cluster: ClusterAttributes,
        network: NetworkAttributes,
        log_retention_days: Expression,
        secrets_key_arn: Expression,
        logs_key_arn: Expression,
    ) -> Surroundings:
        group = create_log_group(
            self,
            "LogGroup",
            label=label,
            name=log_group_name(label),
            retention_days=log_retention_days,
            key_arn=logs_key_arn,
            unencrypted="CloudWatch's own keys encrypt it; Hatchet logs no secret",
            kept="observability.log_retention_days says how long it is kept",
        )
        namespace = ServiceDiscoveryPrivateDnsNamespace(
            self,
            "Namespace",
            name=f"{text(label.name)}.scythe.internal",
            description="The parts of Hatchet, for the VPC",
            vpc=text(network.vpc_id),
            tags=label.tagged(),
        )
        return Surroundings(
            label,
            cluster,
            network,
            self._choose_subnets(network),
            ref(group),
            ref(namespace),
            self._images.in_ecr,
            secrets_key_arn,
            logs_key_arn,
        )

    def _choose_subnets(self, network: NetworkAttributes) -> Expression:
        """The private subnets in zones that have Fargate: the workers' own, or those in the zones of the workers'."""
        private, public, workers = (
            network.private_subnet_ids,
            network.public_subnet_ids,
            network.worker_subnet_ids,
        )
        # The subnets of a network that exists are in no order that is known, and none of them is left out.
        return local(
            self,
            "subnets",
            f"[for i, subnet in {private} : subnet if contains({workers}, {network.worker_public_ip} ? "
            f"try({public}[i], {workers}[0]) : subnet)]",
        )

    def _create_engine(self) -> HatchetService:
        health = f"http://127.0.0.1:{HEALTH}/version"
        return HatchetService(
            self,
            "engine",
            surroundings=self._surroundings,
            size=self._settings.engine,
            count=Expression(self._settings.engine.count),
            containers=self._servers.containers("engine", ENGINE, ["/hatchet/hatchet-engine"], health, GRPC),
            volumes=self._servers.volumes,
            targets=[Target(self._balancer.engine.arn, "engine", GRPC, self._addresses.is_public)],
            is_found=True,
        )

    def _create_api(self) -> HatchetService:
        health = f"http://127.0.0.1:{HTTP}/api/v1/version"
        return HatchetService(
            self,
            "api",
            surroundings=self._surroundings,
            size=self._settings.api,
            count=Expression(self._settings.api.count),
            containers=self._servers.containers("api", API, ["/hatchet/hatchet-api"], health, HTTP),
            volumes=self._servers.volumes,
            targets=[Target(self._balancer.api.arn, "api", HTTP)],
            is_found=True,
        )

    def _create_dashboard(self) -> HatchetService:
        is_forwarded = Expression(f"!{self._addresses.is_public}")
        container = Container(
            name="dashboard",
            image=self._images[DASHBOARD],
            command=[
                "/app/hatchet-staticfileserver", "-static-asset-dir", "/app/dist", "-port", str(HTTP)
            ],
            health_check=HealthCheck.get(f"http://127.0.0.1:{HTTP}/"),
            ports=[HTTP],
            user="65534:65534",
            read_only=Expression(f"!({is_forwarded})"),
            # What ECS Exec's agent needs is said nowhere.
            drops=Expression(f"!({is_forwarded})"),
            writes="only where ECS Exec is on, whose agent writes there",
        )  # fmt: skip
        return HatchetService(
            self,
            "dashboard",
            surroundings=self._surroundings,
            size=self._settings.dashboard,
            count=Expression(self._settings.dashboard.count),
            containers=[container],
            targets=[Target(self._balancer.dashboard.arn, "dashboard", HTTP)],
            exec_=is_forwarded,
        )

    def _connect(self, engine: HatchetService, api: HatchetService, dashboard: HatchetService) -> None:
        """Who reaches whom; the table is in docs/hatchet.md."""
        at_engine = Port("engine", GRPC, ref(engine.security_group).id, "Hatchet engine")
        at_api = Port("api", HTTP, ref(api.security_group).id, "Hatchet API")
        at_dashboard = Port("dashboard", HTTP, ref(dashboard.security_group).id, "Hatchet dashboard")
        for server, who in ((engine, "Hatchet engine"), (api, "Hatchet API")):
            self._database.port.allow_from(server.security_group, who)
            for broker in self._brokers:
                broker.port.allow_from(server.security_group, who)
            server.roles.allow_secrets(
                self._secrets.keys_arn,
                self._database.password_secret_arn,
                *(broker.credentials.arns for broker in self._brokers),
                key_arn=self._surroundings.secrets_key_arn,
            )
        at_engine.allow_from(api.security_group, "Hatchet API")
        balancer = self._balancer.security_group
        at_api.allow_from(balancer, "Hatchet load balancer")
        at_dashboard.allow_from(balancer, "Hatchet load balancer")
        Port("engine", GRPC, at_engine.group_id, at_engine.description, self._addresses.is_public).allow_from(
            balancer, "Hatchet load balancer"
        )
        # By the dashboard's tasks ECS Exec forwards ports where there is no domain.
        is_forwarded = Expression(f"!{self._addresses.is_public}")
        self._balancer.port.allow_from(dashboard.security_group, "Forwarded to the dashboard and the API")
        Port("engine", GRPC, at_engine.group_id, at_engine.description, is_forwarded).allow_from(
            dashboard.security_group, "Forwarded to allocators"
        )

    def _deploy(
        self, set_up: SetUp, engine: HatchetService, api: HatchetService, dashboard: HatchetService
    ) -> None:
        broker = self._rabbitmq.deploy()
        password = self._amazon_mq.credentials.value
        ready: EcsService = set_up.deploy(Rollout(alone=True, minutes=30, after=[password]))
        listeners = self._balancer.listeners
        engine.deploy(Rollout(after=[ready, broker, *listeners]))
        api.deploy(Rollout(after=[ready, broker, *listeners]))
        dashboard.deploy(Rollout(after=[ready, *listeners]))
