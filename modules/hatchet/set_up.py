"""The set-up of a self-hosted engine: keys, database, first user, client token, again at each deployment and each day.

It is an ECS service of one task. Its steps are containers that each wait for the one before to end well; the last
stays for a day and ends, so that ECS starts all of it anew. The task is up, and so an apply goes on to the engine,
only when every step has ended well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cdktf_cdktf_provider_aws.ecs_task_definition import EcsTaskDefinitionVolume
from constructs import Construct

from modules.client_token.client_token import TokenAttributes
from modules.common.keys import use_of
from modules.common.policies import Condition, Statement
from modules.common.script import script
from modules.hatchet.amazon_mq import AmazonMq
from modules.hatchet.container import Container
from modules.hatchet.database import HatchetDatabase
from modules.hatchet.environment import Addresses
from modules.hatchet.images import ADMIN, AWS_CLI, MIGRATE, POSTGRES, UPSTREAM
from modules.hatchet.secrets import Secrets
from modules.hatchet.service import HatchetService, Surroundings
from modules.hatchet.settings import HatchetSettings, Service
from synthesis.expression import Expression, text
from synthesis.literals import hcl

VCPU = 0.25
"""Of the task; its steps wait most of the time."""

VOLUME = "setup"
"""What the steps hand on to each other; at a path of its name."""

A_DAY = 24 * 60 * 60
LEAST_HOURS = 60
"""A token is renewed when a third of its life is left, and never later than this: set-ups are a day apart, so that one
may fail, and what it begins has some hours to end."""
LOCK = 4907128390
"""PostgreSQL's advisory lock that set-ups take turns by; any number that goose's own lock is not."""

FIRST_VERSION = "scythe-aws-first-version-of-secret"
"""The id of a secret's first version: 32 to 64 characters (AWS Secrets Manager API, ``ClientRequestToken``)."""

TOKEN_NAME = "scythe-aws"  # noqa: S105  # its name in Hatchet's dashboard
ADMIN_EMAIL = "admin@example.com"
"""Hatchet's own, where ``hatchet.admin_email`` names nobody."""


ROLL = ["CLUSTER", "TOKEN_SECRET", "WORKERS_CLUSTER", "SERVER_GRPC_BROADCAST_ADDRESS", "SERVER_URL"]
"""The variables of what starts the workers anew."""

SCRIPTS = Path(__file__).with_name("set_up")


class SetUp(HatchetService):
    """The task that gets an engine ready, with the rights that its steps need.

    Never two at a time: the service has one task, and its steps on the database take a lock there.

    Costs: about $0.24 a day for a quarter of a vCPU that waits (us-east-1, arm64).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        surroundings: Surroundings,
        settings: HatchetSettings,
        images: Mapping[str, Expression],
        addresses: Addresses,
        database: HatchetDatabase,
        amazon_mq: AmazonMq,
        secrets: Secrets,
        token: TokenAttributes,
        workers_cluster: str,
    ) -> None:
        self._images, self._label = images, surroundings.label
        self._secrets_key_arn = surroundings.secrets_key_arn
        self._shared = {
            "ADMIN_EMAIL": Expression(f'coalesce({settings.admin_email}, "{ADMIN_EMAIL}")'),
            "ADMIN_SECRET": secrets.admin_arn,
            "CLUSTER": surroundings.cluster.arn,
            "DATABASE_PASSWORD_VERSION": Expression(f"tostring({settings.database.password_version})"),
            "DATABASE_CERTIFICATE": database.certificate,
            "DATABASE_URL": database.url(f"/{VOLUME}/database.pem"),
            "FIRST_VERSION": Expression(hcl(FIRST_VERSION)),
            "KEYS_SECRET": secrets.keys_arn,
            "LOCK": Expression(hcl(str(LOCK))),
            "RENEW_BEFORE": Expression(hcl(f"${{max({settings.token_days} * 8, {LEAST_HOURS})}} hours")),
            "ROTATE": Expression(hcl("")),
            "TOKEN_LIFE": Expression(hcl(f"${{{settings.token_days} * 24}}h")),
            "TOKEN_NAME": Expression(hcl(TOKEN_NAME)),
            "TOKEN_SECRET": token.token_secret_arn,
            "TMPDIR": Expression(hcl(f"/{VOLUME}")),
            "WORKERS_CLUSTER": Expression(hcl(workers_cluster)),
            **addresses.of_tokens(),
            **amazon_mq.variables,
        }
        password = {"PGPASSWORD": database.password_secret_arn}

        def read(*names: str) -> list[str]:
            return ["sh", "-euc", script(scope, *(SCRIPTS / f"{name}.sh" for name in names))]

        containers = [
            self._step("migrations", MIGRATE, ["cp", "/hatchet/hatchet-migrate", f"/{VOLUME}/"], []),
            self._step("keys", ADMIN, read("keys"), ["ADMIN_EMAIL"]),
            self._step(
                "keep",
                AWS_CLI,
                read("broker", "keep"),
                ["ADMIN_SECRET", "FIRST_VERSION", "KEYS_SECRET", "TOKEN_SECRET", "WORKERS_CLUSTER",
                 *amazon_mq.variables],
                after=["keys"],
                secrets={"BROKER_PASSWORD": amazon_mq.credentials.value_from("password")},
            ),
            self._step(
                "database",
                POSTGRES,
                read("database"),
                ["DATABASE_CERTIFICATE", "DATABASE_PASSWORD_VERSION", "DATABASE_URL", "LOCK", "RENEW_BEFORE", "ROTATE", "TOKEN_LIFE",
                 "TOKEN_NAME", *addresses.of_tokens()],
                after=["migrations", "keep"],
                secrets=password,
            ),
            self._step(
                "token",
                AWS_CLI,
                read("roll", "token"),
                ROLL,
                after=["database"],
            ),
            # An engine's new addresses are deployed after this set-up: until then workers could do nothing with a token
            # that names them.
            self._step("workers", AWS_CLI, read("roll", "workers"), ROLL, after=["token"]),
            self._step("ready", POSTGRES, ["sleep", str(A_DAY)], [], after=["token"], essential=True),
        ]  # fmt: skip
        super().__init__(
            scope,
            id_,
            surroundings=surroundings,
            size=Service.model_construct(
                cpu=VCPU, memory=0.5, count=1, architecture=settings.engine.architecture
            ),
            count=1,
            containers=containers,
            volumes=[EcsTaskDefinitionVolume(name=VOLUME)],
        )
        self._allow(database, amazon_mq, secrets, token, workers_cluster)

    def _step(
        self,
        name: str,
        image: str,
        command: list[str],
        variables: list[str],
        *,
        after: list[str] | None = None,
        secrets: Mapping[str, Expression] | None = None,
        essential: bool = False,
    ) -> Container:
        return Container(
            name=name,
            image=self._images[image],
            command=command,
            replaces_entry_point=UPSTREAM[image].has_entry_point,
            environment={variable: self._shared[variable] for variable in ["TMPDIR", *variables]},
            secrets=secrets or {},
            # The volume that the steps share is root's (Fargate's are, unless an image declares them).
            user="0:0",
            after=after or [],
            essential=essential,
            stop_seconds=60,
            volumes={VOLUME: f"/{VOLUME}"},
        )

    def _allow(
        self,
        database: HatchetDatabase,
        amazon_mq: AmazonMq,
        secrets: Secrets,
        token: TokenAttributes,
        workers_cluster: str,
    ) -> None:
        roles = self.roles
        roles.allow_secrets(
            database.password_secret_arn, amazon_mq.credentials.arns, key_arn=self._secrets_key_arn
        )
        database.port.allow_from(self.security_group, "Hatchet set-up")
        amazon_mq.management.allow_from(self.security_group, "Hatchet set-up")
        cluster = roles.arn("ecs", f"cluster/{workers_cluster}")
        values = [text(arn) for arn in (secrets.admin_arn, secrets.keys_arn, token.token_secret_arn)]
        roles.grant(
            roles.task,
            "keep",
            Statement(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], values),
            Statement(
                ["secretsmanager:ListSecretVersionIds", "secretsmanager:UpdateSecretVersionStage"],
                [text(token.token_secret_arn)],
            ),
            use_of("secretsmanager", self._secrets_key_arn, token.token_secret_key_arn, writes=True),
        )
        roles.grant(
            roles.task,
            "roll_workers",
            Statement(["ecs:DescribeServices"], [roles.arn("ecs", f"service/{workers_cluster}/*")]),
            # Start them anew as they are: with no other task definition, and with no ECS Exec (Service Authorization
            # Reference, "Actions defined by Amazon ECS": both keys are the request's).
            Statement(
                ["ecs:UpdateService"],
                [roles.arn("ecs", f"service/{workers_cluster}/*")],
                [
                    Condition("Null", "ecs:task-definition", ["true"]),
                    Condition("Null", "ecs:enable-execute-command", ["true"]),
                ],
            ),
            Statement(
                ["ecs:DescribeServices"],
                [
                    roles.arn("ecs", f"service/{text(self._label.name)}-hatchet/{part}")
                    for part in ("engine", "api")
                ],
            ),
            # Take no resource (Service Authorization Reference, "Actions defined by Amazon ECS").
            Statement(["ecs:DescribeTaskDefinition"], ["*"]),
            Statement(["ecs:ListServices"], ["*"], [Condition("ArnEquals", "ecs:cluster", [cluster])]),
        )
