"""RabbitMQ as a task on Fargate, its data on EFS."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ecs_service import EcsService
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinitionVolume,
    EcsTaskDefinitionVolumeEfsVolumeConfiguration,
    EcsTaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfig,
)
from cdktf_cdktf_provider_aws.efs_access_point import (
    EfsAccessPoint,
    EfsAccessPointPosixUser,
    EfsAccessPointRootDirectory,
    EfsAccessPointRootDirectoryCreationInfo,
)
from cdktf_cdktf_provider_aws.efs_file_system import EfsFileSystem
from cdktf_cdktf_provider_aws.efs_file_system_policy import EfsFileSystemPolicy
from cdktf_cdktf_provider_aws.efs_mount_target import EfsMountTarget
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from modules.common.policies import Condition, Statement, policy
from modules.common.port import Port
from modules.hatchet.container import Container, HealthCheck
from modules.hatchet.credentials import USER, BrokerCredentials
from modules.hatchet.images import RABBITMQ
from modules.hatchet.service import HatchetService, Rollout, Surroundings
from modules.hatchet.settings import HatchetSettings, Service
from synthesis.expression import Expression, number, ref, text, when
from synthesis.literals import hcl
from synthesis.suppression import suppress

AMQP, NFS = 5672, 2049
UID = 999
"""Of the user ``rabbitmq`` in Docker's official image, whose files on EFS are then its own."""

NODE = "rabbit@localhost"
"""RabbitMQ keeps its data below its node's name, which is by default the host's: another for each Fargate task."""

DATA = "/var/lib/rabbitmq"

WATERMARK_OF_A_GIB = 644_245_094
"""Bytes of each GiB of the task's memory that the broker may have before it blocks publishers: RabbitMQ's own 60 %
(RabbitMQ, "Memory Alarms"). Said in bytes, since a share would be of what the broker takes for the machine's memory."""


class RabbitMq(Construct):
    """A broker of one node, where ``hatchet.broker`` is ``rabbitmq``.

    Its queues are on an encrypted file system that outlives its tasks, reached by TLS and with the task's own
    rights through an access point. Never two tasks at a time: they would share one node's data.

    Costs: Fargate's price of one task; EFS $0.30 a GB-month, of which there are few (us-east-1).

    Attributes:
        credentials: what the engine and the API read to reach it.
        port: where it answers.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        surroundings: Surroundings,
        settings: HatchetSettings,
        images: Mapping[str, Expression],
    ) -> None:
        super().__init__(scope, id_)
        self._surroundings = surroundings
        self._exists = Expression(f'{settings.broker} == "rabbitmq"')
        self._count = when(self._exists)
        self.credentials = BrokerCredentials(
            self,
            "Credentials",
            label=surroundings.label,
            name="rabbitmq",
            exists=self._exists,
            scheme="amqp",
            place=f"{surroundings.host('rabbitmq')}:{AMQP}",
            version=1,
            unrotated="RabbitMQ takes it at its first start alone; the broker is for the VPC's engine only",
            key_arn=surroundings.secrets_key_arn,
        )
        files, access = self._create_files()
        self._part = HatchetService(
            self,
            "Broker",
            name="rabbitmq",
            surroundings=surroundings,
            size=self._size(settings),
            count=1,
            containers=[self._container(images[RABBITMQ], settings.rabbitmq.memory)],
            volumes=[_volume(files, access)],
            is_found=True,
            exists=self._exists,
        )
        self._grant_files(files, access)
        self._part.roles.allow_secrets(self.credentials.arns, key_arn=surroundings.secrets_key_arn)
        Port("files", NFS, ref(self._group)[0].id, "Its data on EFS").allow_from(
            self._part.security_group, "Hatchet broker", where=self._exists
        )
        self.port = Port(
            "rabbitmq", AMQP, ref(self._part.security_group)[0].id, "Hatchet broker", self._exists
        )

    def deploy(self) -> EcsService:
        """Make the service."""
        # Without its password a task does not start, and after some that did not, ECS gives the deployment up.
        return self._part.deploy(Rollout(alone=True, after=[self._targets, self.credentials.value]))

    def _size(self, settings: HatchetSettings) -> Service:
        own = settings.rabbitmq
        return Service.model_construct(
            cpu=own.cpu, memory=own.memory, count=1, architecture=settings.engine.architecture
        )

    def _container(self, image: Expression, memory: object) -> Container:
        return Container(
            name="rabbitmq",
            image=image,
            command=["docker-entrypoint.sh", "rabbitmq-server"],
            replaces_entry_point=True,
            environment={
                "RABBITMQ_DEFAULT_USER": Expression(hcl(USER)),
                "RABBITMQ_NODENAME": Expression(hcl(NODE)),
                # Read by the tools too: with long names they would look for the node under another one.
                "RABBITMQ_USE_LONGNAME": Expression(hcl("false")),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": Expression(
                    f'"-rabbit vm_memory_high_watermark {{absolute,${{floor({memory} * {WATERMARK_OF_A_GIB})}}}}"'
                ),
            },
            secrets={"RABBITMQ_DEFAULT_PASS": self.credentials.value_from("password")},
            user=f"{UID}:{UID}",
            health_check=HealthCheck(
                ["CMD", "rabbitmq-diagnostics", "--quiet", "check_running"],
                interval=30,
                # Each starts an Erlang machine of its own, beside the broker's.
                timeout=30,
                # A first start on EFS writes many small files; ECS allows no more.
                start_seconds=300,
            ),
            # It closes its queues' files; cut off, it reads them through at the next start.
            stop_seconds=120,
            ports=[AMQP],
            volumes={"data": DATA},
            read_only=False,
            writes="RabbitMQ writes what it makes of its configuration beside it",
            open_files=65536,
        )

    def _create_files(self) -> tuple[Expression, Expression]:
        label, network = self._surroundings.label, self._surroundings.network
        files = EfsFileSystem(
            self,
            "Files",
            count=self._count,
            creation_token=f"{text(label.name)}-hatchet-rabbitmq",
            encrypted=True,
            throughput_mode="elastic",
            tags=label.tagged("hatchet-rabbitmq"),
        )
        suppress(files, {"CKV_AWS_184": "the account's own EFS key encrypts it, without a price per month"})
        id_ = text(ref(files)[0].id)
        access = EfsAccessPoint(
            self,
            "AccessPoint",
            count=self._count,
            file_system_id=id_,
            posix_user=EfsAccessPointPosixUser(uid=UID, gid=UID),
            root_directory=EfsAccessPointRootDirectory(
                path="/rabbitmq",
                creation_info=EfsAccessPointRootDirectoryCreationInfo(
                    owner_uid=UID, owner_gid=UID, permissions="0700"
                ),
            ),
            tags=label.tagged("hatchet-rabbitmq"),
        )
        self._group = SecurityGroup(
            self,
            "files",
            count=self._count,
            name_prefix=f"{text(label.name)}-hatchet-files-",
            description="Hatchet rabbitmq files",
            vpc_id=text(network.vpc_id),
            tags=label.tagged("hatchet-rabbitmq-files"),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        subnets = network.private_subnet_ids
        self._targets = EfsMountTarget(
            self,
            "MountTarget",
            count=number(f"{self._exists} ? length({subnets}) : 0"),
            file_system_id=id_,
            subnet_id=text(f"{subnets}[count.index]"),
            security_groups=[text(ref(self._group)[0].id)],
        )
        return ref(files)[0], ref(access)[0]

    def _grant_files(self, files: Expression, access: Expression) -> None:
        # Without a policy of its own, a file system lets in whoever reaches a mount target (Amazon EFS User Guide,
        # "Using IAM to control access to file systems", default EFS file system policy).
        EfsFileSystemPolicy(
            self,
            "FilesPolicy",
            count=self._count,
            file_system_id=text(files.id),
            policy=policy(
                Statement(
                    effect="Deny",
                    everyone=True,
                    actions=[
                        f"elasticfilesystem:Client{action}" for action in ("Mount", "RootAccess", "Write")
                    ],
                    resources=[text(files.arn)],
                    conditions=[Condition("Bool", "aws:SecureTransport", ["false"])],
                )
            ),
        )
        roles = self._part.roles
        roles.grant(
            roles.task,
            "files",
            Statement(
                ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                [text(files.arn)],
                [Condition("StringEquals", "elasticfilesystem:AccessPointArn", [text(access.arn)])],
            ),
        )


def _volume(files: Expression, access: Expression) -> EcsTaskDefinitionVolume:
    return EcsTaskDefinitionVolume(
        name="data",
        efs_volume_configuration=EcsTaskDefinitionVolumeEfsVolumeConfiguration(
            file_system_id=text(files.id),
            transit_encryption="ENABLED",
            authorization_config=EcsTaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfig(
                access_point_id=text(access.id), iam="ENABLED"
            ),
        ),
    )
