"""The two roles of a fleet's tasks: what ECS may do to start them, and what they may do."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from modules.cluster.cluster import ClusterAttributes
from modules.common.keys import use_of
from modules.common.policies import Condition, Statement
from modules.common.task_roles import TaskRoles
from modules.worker_fleet.settings import FleetSettings
from synthesis.expression import Expression, text
from synthesis.functions import choose, length, split, strcontains
from synthesis.lists import collect_entries, join, take
from synthesis.literals import hcl
from synthesis.stack import Label

FLEET_TAG = "scythe:fleet"
"""The tag of a fleet's services, and so of their tasks: the fleet's name."""


class FleetRoles(TaskRoles):
    """A fleet's execution role, which also reads the fleet's own secrets, and its task role."""

    def __init__(
        self, scope: Construct, id_: str, *, label: Label, fleet: str, settings: FleetSettings, image: Expression,
        log_group_name: str, logs_key_arn: Expression, cluster: ClusterAttributes,
    ) -> None:  # fmt: skip
        super().__init__(
            scope, id_, label=label, name=fleet, images=[image], log_group_name=log_group_name,
            logs_key_arn=logs_key_arn,
        )  # fmt: skip
        self._allow_values(settings)
        self.allow_exec(settings.exec)
        self._allow_protection(cluster, fleet)

    def _allow_protection(self, cluster: ClusterAttributes, fleet: str) -> None:
        """Let workers keep ECS from stopping them while they run simulations.

        The ECS agent asks with the task's own role (Amazon ECS Developer Guide, "Task scale-in protection"). A task's
        ARN does not name its service, and no condition key of ECS does (Service Authorization Reference, "Condition
        keys for Amazon ECS"): the tag that the fleet's services hand to their tasks tells the fleets apart. A worker
        may not tag anything.
        """
        tasks = self.arn("ecs", f"task/{text(cluster.name)}/*")
        own = Condition("ArnEquals", "ecs:cluster", [cluster.arn])
        fleets = Condition("StringEquals", f"aws:ResourceTag/{FLEET_TAG}", [fleet])
        self.grant(
            self.task,
            "protection",
            Statement(["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], [tasks], [own, fleets]),
        )

    def _allow_values(self, settings: FleetSettings) -> None:
        # An ARN may name a key and a version of the secret; the right is to the secret.
        secrets = collect_entries(
            settings.secrets,
            lambda _, arn: join(":", take(split(":", arn), 7)),
            lambda _, arn: strcontains(arn, ":secretsmanager:"),
        )
        parameters = collect_entries(
            settings.secrets, lambda _, arn: arn, lambda _, arn: strcontains(arn, ":ssm:")
        )
        # Whether there is a policy hangs on the names, which are known before the ARNs of what the same plan makes.
        self.grant(
            self.execution,
            "secrets",
            *_read("secretsmanager:GetSecretValue", secrets, settings),
            *_read("ssm:GetParameters", parameters, settings),
            only_if=length(settings.secrets) > 0,
        )


def _read(action: str, arns: Any, settings: FleetSettings) -> tuple[Statement | None, ...]:
    """Let ECS read values, if there are any, and use the keys that encrypt them."""
    if isinstance(arns, list):
        read = Statement([action], arns) if arns else None
    else:
        read = Statement([action], Expression("arns"), only_with=("arns", Expression(hcl(arns))))
    return read, use_of(action.split(":")[0], choose(length(arns) > 0, settings.secrets_key_arns, []))
