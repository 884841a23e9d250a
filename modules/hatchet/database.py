"""Hatchet's PostgreSQL on RDS, and its password, which Terraform never knows."""

from __future__ import annotations

from cdktf import Precondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.db_parameter_group import DbParameterGroup, DbParameterGroupParameter
from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from modules.common.account import Account
from modules.common.log_group import create_log_group
from modules.common.port import Port
from modules.common.secret import create_secret
from modules.common.security_group import create_security_group
from modules.hatchet.authorities import BUNDLE, CA, authorities
from modules.hatchet.settings import Database
from modules.network.attributes import NetworkAttributes
from synthesis.ephemeral import ephemeral
from synthesis.expression import Expression, flag, local, number, ref, strings, text
from synthesis.lists import lookup
from synthesis.literals import hcl
from synthesis.stack import Label
from synthesis.suppression import suppress
from synthesis.typed import Typed, typed

NAME = "hatchet"
"""Of the database in the instance, and of its owner."""

PORT = 5432

MOST_GB = 65_536
"""Of gp3 (Amazon RDS User Guide, "Amazon RDS DB instance storage")."""

MAINTENANCE = "sun:03:00-sun:04:00"
"""UTC; Amazon MQ's is another day's, so that never both are away."""

NOT_IN_PASSWORDS = "/@\"' "
"""Amazon RDS User Guide, "Constraints for passwords" of PostgreSQL."""


class HatchetDatabase(Construct):
    """An encrypted PostgreSQL in the private subnets that takes TLS connections alone.

    Its password is drawn by an ephemeral resource into Secrets Manager and read back from there into RDS, so that
    an apply that dies in between leaves nothing that differs. It is in no plan and no state. Another
    ``password_version`` draws a new one.

    Costs: the instance class's price, twice that with ``multi_az``; storage $0.115 a GB-month (gp3, us-east-1).

    Attributes:
        certificate: the PEM certificates that its own is checked against.
        identifier: of the instance.
        password_secret_arn: of the secret that holds the password.
        port: where it answers.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: Database,
        network: NetworkAttributes,
        log_retention_days: Expression,
        secrets_key_arn: Expression,
        logs_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._label, self._settings = label, settings
        self._name = f"{text(label.name)}-{NAME}"
        group = self._create_security_group(network)
        self.port = Port("database", PORT, ref(group).id, "Hatchet database")
        secret, password = self._create_password(secrets_key_arn)
        self.password_secret_arn: Expression = secret.arn
        logs = self._create_log_groups(log_retention_days, logs_key_arn)
        self.certificate = self._choose_certificate()
        instance = self._create_instance(network, group, password, logs)
        self.identifier: Expression = instance.identifier
        self._endpoint = instance.endpoint

    def url(self, certificate: str) -> Expression:
        """Hatchet's ``DATABASE_URL``, without the password, which goes into ``PGPASSWORD``.

        pgx and libpq read it alike: with less than ``verify-full`` both take whatever certificate there is.

        Args:
            certificate: the path at which the reader has `certificate`.
        """
        at = f"postgresql://{NAME}@{text(self._endpoint)}/{NAME}"
        return Expression(hcl(f"{at}?sslmode=verify-full&sslrootcert={certificate}"))

    def _choose_certificate(self) -> Expression:
        region = Account(self).region
        known = authorities()
        if isinstance(region, Typed):
            known = typed(dict[str, str], str(local(self, "authorities", hcl(known))))
        certificate = hcl(lookup(known, region, None))
        return local(
            self, "certificate", f"try(coalesce({self._settings.ca_certificate}, {certificate}), null)"
        )

    def _create_security_group(self, network: NetworkAttributes) -> SecurityGroup:
        return create_security_group(
            self,
            "SecurityGroup",
            label=self._label,
            name="hatchet-database",
            description="Hatchet database",
            vpc_id=network.vpc_id,
        )

    def _create_password(self, key_arn: Expression) -> tuple[Expression, Expression]:
        drawn = ephemeral(
            self,
            "aws_secretsmanager_random_password",
            "database",
            {"password_length": 40, "exclude_characters": NOT_IN_PASSWORDS},
        )
        secret = create_secret(
            self,
            "password",
            label=self._label,
            name="hatchet-database",
            description="Password of Hatchet's database",
            key_arn=key_arn,
            unrotated="rotated with hatchet.database.password_version, which also deploys its readers anew",
        )
        version = SecretsmanagerSecretVersion(
            self,
            "password_value",
            secret_id=text(ref(secret).id),
            secret_string_wo=text(drawn.random_password),
            secret_string_wo_version=number(self._settings.password_version),
        )
        stored = ephemeral(
            self,
            "aws_secretsmanager_secret_version",
            "database",
            {"secret_id": text(ref(version).secret_id)},
        )
        return ref(secret), stored.secret_string

    def _create_log_groups(self, retention_days: Expression, key_arn: Expression) -> list[CloudwatchLogGroup]:
        """RDS makes them itself where they are missing, and never deletes what they hold."""
        groups = []
        for kind in ("postgresql", "upgrade"):
            group = create_log_group(
                self,
                f"{kind}_log",
                label=self._label,
                name=f"/aws/rds/instance/{self._name}/{kind}",
                retention_days=retention_days,
                key_arn=key_arn,
                unencrypted="CloudWatch's own keys encrypt it; PostgreSQL logs errors, not rows",
                kept="observability.log_retention_days says how long it is kept",
            )
            groups.append(group)
        return groups

    def _create_parameter_group(self) -> Expression:
        group = DbParameterGroup(
            self,
            "ParameterGroup",
            name_prefix=f"{self._name}-",
            family=text(f'"postgres${{split(".", {self._settings.engine_version})[0]}}"'),
            description="Hatchet's database: TLS alone, UTC",
            parameter=[
                DbParameterGroupParameter(name="rds.force_ssl", value="1"),
                # Hatchet does not start on another (its DATABASE_ENFORCE_UTC_TIMEZONE).
                DbParameterGroupParameter(name="timezone", value="UTC"),
            ],
            tags=self._label.tagged(),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        return ref(group)

    def _create_instance(
        self,
        network: NetworkAttributes,
        group: SecurityGroup,
        password: Expression,
        logs: list[CloudwatchLogGroup],
    ) -> Expression:
        settings = self._settings
        subnets = DbSubnetGroup(
            self,
            "SubnetGroup",
            name=self._name,
            description="Private subnets of Hatchet's database",
            subnet_ids=strings(network.private_subnet_ids),
            tags=self._label.tagged(),
        )
        # Unique in the account for ever after, so it is chosen anew for each instance.
        snapshot = local(
            self, "final_snapshot", f'"{self._name}-${{formatdate("YYYYMMDDhhmmss", timestamp())}}"'
        )
        instance = DbInstance(
            self,
            "Instance",
            identifier=self._name,
            engine="postgres",
            engine_version=text(settings.engine_version),
            instance_class=text(settings.instance_class),
            db_name=NAME,
            username=NAME,
            password_wo=text(password),
            password_wo_version=number(settings.password_version),
            storage_type="gp3",
            storage_encrypted=True,
            allocated_storage=number(settings.storage_gb),
            # At 0 it does not grow: there is no room for the 10 % that it must have.
            max_allocated_storage=number(
                f"coalesce({settings.max_storage_gb}, {settings.storage_gb} * 11 > {MOST_GB} * 10 ? 0 : "
                f"min({settings.storage_gb} * 5, {MOST_GB}))"
            ),
            multi_az=flag(settings.multi_az),
            db_subnet_group_name=text(ref(subnets).name),
            vpc_security_group_ids=[text(ref(group).id)],
            publicly_accessible=False,
            parameter_group_name=text(self._create_parameter_group().name),
            # RDS's own default, said so that plans show it (Amazon RDS User Guide, "Certificate authorities").
            ca_cert_identifier=CA,
            backup_retention_period=number(settings.backup_days),
            backup_window="01:00-02:00",
            maintenance_window=MAINTENANCE,
            # Of a version that is pinned, a plan after the first of them would ask for a downgrade, which RDS refuses.
            auto_minor_version_upgrade=flag(f'!strcontains({settings.engine_version}, ".")'),
            allow_major_version_upgrade=True,
            # What a plan said that was approved happens then, not in some night.
            apply_immediately=True,
            copy_tags_to_snapshot=True,
            deletion_protection=flag(settings.deletion_protection),
            skip_final_snapshot=flag(f"!{settings.final_snapshot}"),
            final_snapshot_identifier=text(snapshot),
            performance_insights_enabled=True,
            database_insights_mode="standard",
            enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
            tags=self._label.tagged(),
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["final_snapshot_identifier"],
                precondition=[
                    Precondition(
                        condition=text(f"{self.certificate} != null"),
                        error_message=f"no certificate of RDS's is known in this region; database.ca_certificate must have it: {BUNDLE}",
                    )
                ],
            ),
            depends_on=logs,
        )
        suppress(
            instance,
            {
                "CKV_AWS_118": "enhanced monitoring bills metrics per instance; Database Insights is on",
                "CKV_AWS_133": "hatchet.database.backup_days, 7 by default",
                "CKV_AWS_157": "hatchet.database.multi_az: a standby doubles the price",
                "CKV_AWS_161": "Hatchet logs in with a password",
                "CKV_AWS_354": "AWS's own key of RDS encrypts them",
                "CKV_AWS_293": "hatchet.database.deletion_protection, on by default",
            },
        )
        return ref(instance)
