"""What one can choose about the Hatchet engine: the keys below ``hatchet:``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field

from modules.common.fargate import MEMORY_GIB, fargate_pair
from modules.common.key_settings import key_arn
from modules.common.presence import Presence, agrees, presence_of
from modules.hatchet.authorities import pem
from modules.hatchet.connections import enough_connections
from synthesis.allowed import arn, block, each, email, flag, matching, number, one_of, whole
from synthesis.functions import attempt, given, is_null, is_set, length, prefix_length, split
from synthesis.rules import CrossRule, Fault, Rule, Settings

DOMAIN = matching(
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", "a domain name such as hatchet.example.org"
)
VERSION = matching(
    r"^v[0-9]+\.[0-9]+\.[0-9]+(@sha256:[0-9a-f]{64})?$",
    "a release of Hatchet's such as v0.104.7, or one with its engine's digest, v0.104.7@sha256:<64 hex digits> "
    "(not latest, which moves under one's feet)",
)
PRIVATE = r'"^(10|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\\."'
"""A private block, as a regular expression of Terraform's (RFC 1918, and RFC 6598's shared addresses)."""

IMAGES = (
    "aws-cli",
    "hatchet-admin",
    "hatchet-api",
    "hatchet-engine",
    "hatchet-frontend",
    "hatchet-migrate",
    "postgres",
    "rabbitmq",
)
"""The images of an engine, by the ends of their repositories' names."""

DIGEST = matching("^sha256:[0-9a-f]{64}$", "a digest such as sha256:<64 hex digits>")

SHARED_KEYS = {"mode", "token_secret_arn", "token_secret_key_arn", "existing_token_secret"}
"""What is there whoever runs the engine; all other keys are for self-hosting."""


def message_queue() -> Rule:
    """Where the message queues of Hatchet's engine are (its ``SERVER_MSGQUEUE_KIND``)."""
    kinds = one_of("postgres", "rabbitmq", "amazon_mq")
    allowed = f"{kinds.allowed} (the engine has no broker on ElastiCache)"
    return Rule(allowed, kinds.check, kinds.schema)


def who_may_come_in() -> Rule:
    """A block that a load balancer is open to; the whole Internet only where its name is said."""
    any_ = block()
    return Rule(
        f"{any_.allowed}, of /8 or longer; the whole Internet is 0.0.0.0/0",
        lambda value: any_.check(value) & ((value == "0.0.0.0/0") | (prefix_length(value) >= 8)),
        any_.schema,
    )


class Database(Settings):
    """Hatchet's PostgreSQL on RDS."""

    engine_version: Annotated[
        str, matching(r"^1[5-8](\.[0-9]{1,2})?$", 'a version of PostgreSQL from "15" to "18"')
    ] = Field(default="16", description="PostgreSQL's version; a major one alone follows its minor releases.")
    instance_class: Annotated[
        str, matching(r"^db\.[a-z0-9]+\.[a-z0-9]+$", "an RDS class such as db.t4g.small")
    ] = Field(default="db.t4g.small", description="RDS's class; db.t4g.small costs about $0.77 a day.")
    storage_gb: Annotated[int, whole(20, 65536)] = Field(
        default=20, description="GiB of storage to begin with."
    )
    max_storage_gb: Annotated[int, whole(20, 65536)] | None = Field(
        default=None, description="GiB that RDS may let the storage grow to. Default: five times storage_gb."
    )
    multi_az: Annotated[bool, flag()] = Field(
        default=False, description="Whether a standby waits in another Availability Zone, at twice the price."
    )
    backup_days: Annotated[int, whole(0, 35)] = Field(default=7, description="Days to keep backups; 0: none.")
    deletion_protection: Annotated[bool, flag()] = Field(
        default=True, description="Whether RDS refuses to delete the database; destroy needs it false."
    )
    final_snapshot: Annotated[bool, flag()] = Field(
        default=True, description="Whether a snapshot of the database stays when it is destroyed."
    )
    password_version: Annotated[int, whole(1, 1_000_000)] = Field(
        default=1,
        description="Raise it to rotate the password, which also deploys what connects to the database anew.",
    )
    ca_certificate: Annotated[str, pem()] | None = Field(
        default=None,
        description="The authority of the database's certificate in PEM, without which nothing connects. Default: the "
        "region's rds-ca-rsa2048-g1, which comes with the project for most regions.",
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        CrossRule(
            ("max_storage_gb",),
            "is not at least 10 % more than storage_gb; must be, or left out",
            lambda it: given(it.max_storage_gb, lambda most: most * 10 >= it.storage_gb * 11, otherwise=True),
        ),
    )
    """Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling"."""


class RabbitMq(Settings):
    """RabbitMQ as a task on Fargate, its data on EFS."""

    cpu: Annotated[float, one_of(*(cpu for cpu in MEMORY_GIB if cpu >= 0.5))] = Field(
        default=1, description="vCPU of its task; a health check takes a good part of the smallest."
    )
    memory: Annotated[float, number(0.5, 120)] = Field(default=2, description="GiB of its task.")

    rules: ClassVar[tuple[CrossRule, ...]] = (fargate_pair(),)


class AmazonMq(Settings):
    """RabbitMQ on Amazon MQ."""

    instance_type: Annotated[
        str, matching(r"^mq\.[a-z0-9]+\.[a-z0-9]+$", "a type of Amazon MQ's such as mq.m7g.large")
    ] = Field(
        default="mq.m7g.medium",
        description="Amazon MQ's instance type; AWS advises mq.m7g.large and larger for production.",
    )


class Service(Settings):
    """A part of Hatchet as an ECS service on Fargate."""

    cpu: Annotated[float, one_of(*MEMORY_GIB)] = Field(default=0.5, description="vCPU of a task.")
    memory: Annotated[float, number(0.5, 120)] = Field(default=1, description="GiB of a task.")
    count: Annotated[int, whole(1, 20)] = Field(
        default=1, description="Tasks; two survive the loss of a zone."
    )
    architecture: Annotated[str, one_of("x86_64", "arm64")] = Field(
        default="arm64", description="The processor; Hatchet's images have both, arm64 is about 20 % cheaper."
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (fargate_pair(),)


def _for_domain(key: str) -> CrossRule:
    return CrossRule(
        (key,),
        "is for the name in domain; leave it out or set domain",
        lambda it: is_set(it.domain) | is_null(getattr(it, key)),
    )


class HatchetSettings(Settings):
    """The engine: Hatchet Cloud, or one of our own in the same VPC."""

    mode: Annotated[str, one_of("cloud", "self_hosted")] = Field(
        default="cloud",
        description="Hatchet Cloud, or an engine of our own: about $3.60 a day at its smallest.",
    )
    token_secret_arn: Annotated[str, arn("secretsmanager", resource="secret:[A-Za-z0-9/_+=.@-]+")] | None = (
        Field(
            default=None,
            description="A secret that exists and holds Hatchet's client token. Default: one is made, and "
            "scythe-aws token, or the engine's own set-up, fills it.",
        )
    )
    existing_token_secret: Presence = presence_of("token_secret_arn", "the secret exists rather than is made")
    token_secret_key_arn: Annotated[str, key_arn()] | None = Field(
        default=None,
        description="The KMS key that encrypts the secret in token_secret_arn. Default: Secrets Manager's own.",
    )
    version: Annotated[str, VERSION] = Field(default="v0.104.7", description="Hatchet's release.")
    domain: Annotated[str, DOMAIN] | None = Field(
        default=None,
        description="The engine's public name. Default: none, and it is reached inside the VPC alone. Changing it voids all tokens.",
    )
    enable_https: Presence = presence_of("domain", "the load balancer serves domain, over HTTPS")
    certificate_arn: Annotated[str, arn("acm", resource="certificate/[0-9a-f-]+")] | None = Field(
        default=None, description="ACM's certificate for the domain, in the environment's region."
    )
    zone_id: (
        Annotated[str, matching("^[A-Z0-9]{4,32}$", "a hosted zone's id such as Z0123456789ABC")] | None
    ) = Field(
        default=None, description="The domain's Route 53 zone: the certificate and the records are made."
    )
    create_certificate: Presence = presence_of("zone_id", "the certificate and the records are made")
    allowed_cidrs: Annotated[list[str], each(who_may_come_in(), 0, 20, what="blocks")] = Field(
        default=[], description="Who may reach the load balancer: the allocators, the dashboard's readers."
    )
    admin_email: Annotated[str, email()] | None = Field(
        default=None,
        description="The first user of the dashboard. Default: Hatchet's own, admin@example.com.",
    )
    sign_up: Annotated[bool, flag()] = Field(
        default=False,
        description="Whether anyone who reaches the dashboard can register; true only while those register whom the admin "
        "invites.",
    )
    broker: Annotated[str, message_queue()] = Field(
        default="postgres",
        description="The message queue: the database itself, RabbitMQ on ECS, or RabbitMQ on Amazon MQ.",
    )
    database: Database = Field(default=Database(), description="Hatchet's PostgreSQL on RDS.")
    rabbitmq: RabbitMq = Field(default=RabbitMq(), description="RabbitMQ's size, with broker: rabbitmq.")
    amazon_mq: AmazonMq = Field(default=AmazonMq(), description="The broker, with broker: amazon_mq.")
    engine: Service = Field(
        default=Service(cpu=1, memory=2), description="The engine, which workers talk to."
    )
    api: Service = Field(default=Service(), description="The REST API.")
    dashboard: Service = Field(default=Service(cpu=0.25, memory=0.5), description="The dashboard's files.")
    image_registry: Annotated[str, one_of("upstream", "ecr")] | None = Field(
        default=None,
        description="Where the engine's images come from. Default: the environment's ECR where the private subnets "
        "have no way out, else upstream.",
    )
    image_digests: dict[Annotated[str, one_of(*IMAGES)], Annotated[str, DIGEST]] = Field(
        default={},
        description="The digests of the engine's images by their names, from scythe-aws image digests; an image without "
        "one is read by its tag, which whoever owns its registry can move.",
    )
    token_days: Annotated[int, whole(4, 3650)] = Field(
        default=90,
        description="Days that a client token which the set-up makes is valid (90 is Hatchet's own default).",
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        CrossRule(
            ("token_secret_key_arn",),
            "is the key of the secret in token_secret_arn; leave it out or set token_secret_arn (kms.secrets is the key "
            "of a secret that is made)",
            lambda it: is_set(it.token_secret_arn) | is_null(it.token_secret_key_arn),
        ),
        agrees("existing_token_secret", "token_secret_arn"),
        agrees("enable_https", "domain"),
        agrees("create_certificate", "zone_id"),
        _for_domain("certificate_arn"),
        _for_domain("zone_id"),
        CrossRule(
            ("allowed_cidrs",),
            "is for the load balancer at domain; leave it out or set domain (without one nobody comes in)",
            lambda it: is_set(it.domain) | (length(it.allowed_cidrs) == 0),
        ),
        CrossRule(
            ("certificate_arn",),
            "is missing; with domain it must be the domain's certificate, or zone_id its Route 53 zone",
            lambda it: is_null(it.domain) | is_set(it.certificate_arn) | is_set(it.zone_id),
        ),
        CrossRule(
            ("certificate_arn",),
            "does not go with zone_id, which has a certificate made; leave out one of them",
            lambda it: is_null(it.certificate_arn) | is_null(it.zone_id),
        ),
        CrossRule(
            ("image_digests",),
            "has a digest of hatchet-engine, and version another one; leave it out of one of them",
            lambda it: attempt(
                lambda: it.image_digests["hatchet-engine"] == split("@", it.version)[1], otherwise=True
            ),
        ),
        enough_connections(),
    )

    def faults(self) -> Iterable[Fault]:
        """What the cross rules find, and keys that do not belong to the mode or the broker."""
        yield from super().faults()
        for key in sorted(self.model_fields_set - SHARED_KEYS if self.mode == "cloud" else ()):
            yield Fault(
                (key,),
                "is for self-hosting alone; leave it out or set mode: self_hosted",
                (("mode",), (key,)),
            )
        of_others = {"rabbitmq", "amazon_mq"} - {self.broker} if self.mode == "self_hosted" else set()
        for key in sorted(self.model_fields_set & of_others):
            yield Fault(
                (key,),
                f"does not go with broker: {self.broker}; leave it out",
                (("broker",), (key,)),
            )
