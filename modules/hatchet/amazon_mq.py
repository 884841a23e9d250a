"""RabbitMQ as a broker of Amazon MQ, whose password Terraform makes once and the set-up replaces."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.mq_broker import (
    MqBroker,
    MqBrokerLogs,
    MqBrokerMaintenanceWindowStartTime,
    MqBrokerUser,
)
from constructs import Construct

from modules.common.port import Port
from modules.common.security_group import create_security_group
from modules.hatchet.credentials import USER, BrokerCredentials
from modules.hatchet.settings import HatchetSettings
from modules.network.attributes import NetworkAttributes
from synthesis.expression import Expression, local, ref, text, when
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress

AMQPS, MANAGEMENT = 5671, 15671
"""Of the engine's connections, and of RabbitMQ's management API, which answers at 443 too (Amazon MQ Developer Guide,
"Amazon MQ for RabbitMQ broker basic elements: Broker")."""

VERSION = "3.13"
"""The last in which a queue is a classic one unless its maker says otherwise, as Hatchet's are; that of 4.2 are quorum
queues (the same guide, "Managing Amazon MQ for RabbitMQ engine versions"). Patches come in the maintenance window."""

FIRST_PASSWORD = "of-no-use-after-the-set-up"  # noqa: S105  # no secret: plans and states show it
"""What the broker is made with, since ``aws_mq_broker`` takes no write-only password: at least 12 letters, without
commas, colons and equals signs (Amazon MQ REST API, ``User``)."""


class AmazonMq(Construct):
    """A broker of one instance in a private subnet, where ``hatchet.broker`` is ``amazon_mq``.

    Its user's password stands in plans and states only until the set-up, which is done before the engine starts, has
    replaced it with one that Secrets Manager holds; until then nobody but the set-up, the engine and the API can reach
    it. Terraform does not look at the user again.

    Costs: the instance type's price and that of its storage (https://aws.amazon.com/amazon-mq/pricing/).

    Attributes:
        credentials: what the engine and the API read to reach it, and what the set-up gives it.
        port: where it answers the engine and the API.
        management: where it answers the set-up.
        variables: what the set-up's step takes, each with the expression of its value, null with another broker.
        address: its name in the network, null with another broker; a new broker has a new one.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: HatchetSettings,
        network: NetworkAttributes,
        secrets_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._exists = Expression(f'{settings.broker} == "amazon_mq"')
        group = create_security_group(
            self,
            "SecurityGroup",
            label=label,
            name="hatchet-amazon-mq",
            description="Hatchet broker on Amazon MQ",
            vpc_id=network.vpc_id,
            count=when(self._exists),
        )
        group_id = ref(group)[0].id
        broker = self._create_broker(label, settings, network, group_id)
        host = Expression(f'regex("^amqps://([^:/]+)", {broker}.instances[0].endpoints[0])[0]')
        self.address = local(self, "address", self._only(host))
        self.credentials = BrokerCredentials(
            self,
            "Credentials",
            label=label,
            name="amazon-mq",
            exists=self._exists,
            scheme="amqps",
            place=f"{text(host)}:{AMQPS}",
            # A broker that takes another's place has a user and an address of its own.
            version=Expression(f"parseint(substr(sha256({broker}.id), 0, 6), 16)"),
            unrotated="its user cannot be changed by Secrets Manager; the broker is for the VPC's engine only",
            key_arn=secrets_key_arn,
        )
        self.port = Port("amazon_mq", AMQPS, group_id, "Hatchet broker", self._exists)
        self.management = Port(
            "amazon_mq_management", MANAGEMENT, group_id, "Hatchet broker management", self._exists
        )
        self.variables = {
            "BROKER_API": self._only(f"https://{text(self.address)}:{MANAGEMENT}/api"),
            "BROKER_FIRST_PASSWORD": self._only(FIRST_PASSWORD),
            "BROKER_USER": self._only(USER),
        }

    def _only(self, value: object) -> Expression:
        """A value where there is such a broker, and null where there is none."""
        return Expression(f"{self._exists} ? {hcl(value)} : null")

    def _create_broker(
        self, label: Label, settings: HatchetSettings, network: NetworkAttributes, group_id: Expression
    ) -> Expression:
        subnet = Expression(f"{network.private_subnet_ids}[0]")
        place = f'trimprefix({subnet}, "subnet-")'
        broker = MqBroker(
            self,
            "Broker",
            count=when(self._exists),
            # One for another subnet is made before this one goes, and no two may have one name.
            broker_name=f"{text(label.name)}-hatchet-{text(place)}",
            engine_type="RabbitMQ",
            engine_version=VERSION,
            host_instance_type=text(settings.amazon_mq.instance_type),
            deployment_mode="SINGLE_INSTANCE",
            subnet_ids=[text(subnet)],
            security_groups=[text(group_id)],
            publicly_accessible=False,
            user=[MqBrokerUser(username=USER, password=FIRST_PASSWORD)],
            # Amazon MQ takes nothing else from 3.13 on.
            auto_minor_version_upgrade=True,
            apply_immediately=True,
            maintenance_window_start_time=MqBrokerMaintenanceWindowStartTime(
                day_of_week="WEDNESDAY", time_of_day="03:00", time_zone="UTC"
            ),
            logs=MqBrokerLogs(general=True),
            tags=label.tagged(),
            lifecycle=TerraformResourceLifecycle(ignore_changes=["user"]),
        )
        suppress(broker, {"CKV_AWS_209": "AWS's own key encrypts it, without a price per month"})
        return ref(broker)[0]
