"""Who hears of what goes wrong, and of what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.budgets_budget import BudgetsBudget, BudgetsBudgetCostFilter
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import (
    CloudwatchEventTarget,
    CloudwatchEventTargetInputTransformer,
)
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from constructs import Construct

from modules.common.account import Account
from modules.common.policies import Condition, Statement, policy
from modules.common.presence import is_given
from modules.observability.settings import ObservabilitySettings
from synthesis.expression import Expression, ref, text, when
from synthesis.functions import choose
from synthesis.literals import hcl
from synthesis.stack import Label, attribute
from synthesis.suppression import suppress

WARN_AT = {"ACTUAL": 80, "FORECASTED": 100}
"""Percent of the budget at which a mail is sent: of what was spent, and of what the month will come to."""

BUDGETED = "environment"
"""The tag that the budget counts by. The stacks' provider sets it on all resources, the root module likewise."""


def topic_name(environment: str) -> str:
    """The name of an environment's topic of what goes wrong: alarms of stacks that are deployed before it name it."""
    return f"{environment}-alarms"


@dataclass(frozen=True)
class ObservabilityAttributes:
    """Where what goes wrong is told."""

    alarms_topic_arn: Expression = attribute("ARN of the topic of what goes wrong.")


class Observability(Construct):
    """A topic that a mailbox hears, the events that go there, and a budget.

    The events are AWS's own and cost nothing: a service of an environment's clusters whose deployment failed or
    whose tasks do not start (a set-up of Hatchet's that fails is one), and what befalls Hatchet's database.

    Costs: nothing; AWS Budgets takes nothing for a budget without actions.

    Attributes:
        attributes: what others need of it.
    """

    def __init__(self, scope: Construct, id_: str, *, label: Label, settings: ObservabilitySettings) -> None:
        super().__init__(scope, id_)
        self._label, self._settings = label, settings
        self._account = Account(self)
        self._topic_arn = self._create_topic()
        self.attributes = ObservabilityAttributes(alarms_topic_arn=self._topic_arn)
        name = text(label.name)
        # Amazon ECS Developer Guide, "Amazon ECS service deployment state change events" and "service action events".
        self._tell(
            "services",
            "A service of the environment does not come up",
            {
                "source": ["aws.ecs"],
                "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
                "resources": [
                    {"prefix": self._account.arn("ecs", f"service/{name}-{cluster}/")}
                    for cluster in ("hatchet", "workers")
                ],
                "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED", "SERVICE_TASK_START_IMPAIRED"]},
            },
            {"what": "$.detail.eventName", "where": "$.resources[0]", "why": "$.detail.reason"},
            f"Scythe {name}: <what> of <where>. Its events and the log groups /scythe/{name}/ say why. <why>",
        )
        # Amazon RDS User Guide, "Amazon RDS event categories and event messages".
        self._tell(
            "database",
            "Something befalls Hatchet's database",
            {
                "source": ["aws.rds"],
                "detail-type": ["RDS DB Instance Event"],
                "detail": {
                    "SourceArn": [self._account.arn("rds", f"db:{name}-hatchet")],
                    "EventCategories": ["failover", "failure", "low storage"],
                },
            },
            {"what": "$.detail.Message", "where": "$.detail.SourceIdentifier"},
            f"Scythe {name}: <where>: <what>",
        )
        self._create_budget()

    def _create_topic(self) -> Expression:
        topic = SnsTopic(self, "alarms", name=topic_name(text(self._label.name)), tags=self._label.tagged())
        suppress(
            topic,
            {
                "CKV_AWS_26": "the messages name resources alone; AWS's own key of SNS lets EventBridge not in, and an "
                "own one costs $1 a month"
            },
        )
        arn = text(ref(topic).arn)
        # EventBridge supports no Condition in a topic's policy: with one its events are lost without an error (Amazon
        # EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", Amazon SNS permissions).
        events = Statement(["sns:Publish"], [arn], services=["events.amazonaws.com"])
        alarms = Statement(
            ["sns:Publish"],
            [arn],
            [
                Condition("StringEquals", "aws:SourceAccount", [self._account.id]),
                Condition(
                    "ArnLike",
                    "aws:SourceArn",
                    [self._account.arn("cloudwatch", f"alarm:{text(self._label.name)}-*")],
                ),
            ],
            services=["cloudwatch.amazonaws.com"],
        )
        SnsTopicPolicy(self, "alarms_policy", arn=arn, policy=policy(events, alarms))
        mailbox = self._settings.alarm_email
        SnsTopicSubscription(
            self,
            "mailbox",
            count=when(is_given(self._settings.enable_mail, mailbox)),
            topic_arn=arn,
            protocol="email",
            endpoint=text(mailbox),
        )
        return ref(topic).arn

    def _tell(
        self,
        name: str,
        description: str,
        pattern: Mapping[str, object],
        paths: Mapping[str, str],
        message: str,
    ) -> None:
        rule = CloudwatchEventRule(
            self,
            name,
            name=f"{text(self._label.name)}-{name}",
            description=description,
            event_pattern=text(f"jsonencode({hcl(pattern)})"),
            tags=self._label.tagged(),
        )
        CloudwatchEventTarget(
            rule,
            "to_alarms",
            rule=text(ref(rule).name),
            arn=text(self._topic_arn),
            input_transformer=CloudwatchEventTargetInputTransformer(
                input_paths=dict(paths), input_template=f'"{message}"'
            ),
        )

    def _counted(self) -> str:
        """The value of the tag that the budget counts by: the environment's name, or the caller's own."""
        name, tags = self._label.name, self._label.tags
        return str(name if tags is None else f"lookup({tags}, {hcl(BUDGETED)}, {name})")

    def _create_budget(self) -> None:
        amount, mailbox = self._settings.monthly_budget_usd, self._settings.alarm_email
        budget = BudgetsBudget(
            self,
            "month",
            count=when(is_given(self._settings.enable_budget, amount)),
            name=f"{text(self._label.name)}-month-{self._account.region}",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=text(f'format("%.2f", {amount})'),
            limit_unit="USD",
            # Of the resources with the environment's tag, once Billing knows it as a cost allocation tag. A template
            # has no $ before an interpolation.
            cost_filter=[
                BudgetsBudgetCostFilter(
                    name="TagKeyValue", values=[text(f'format("user:{BUDGETED}$%s", {self._counted()})')]
                )
            ],
            tags=self._label.tagged(),
        )
        warnings: Sequence[Mapping[str, object]] = [
            {"type": kind, "percent": percent} for kind, percent in WARN_AT.items()
        ]
        budget.add_override(
            "dynamic.notification",
            {
                "for_each": text(choose(is_given(self._settings.enable_mail, mailbox), warnings, [])),
                "content": {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": "${notification.value.type}",
                    "threshold": "${notification.value.percent}",
                    "threshold_type": "PERCENTAGE",
                    "subscriber_email_addresses": [text(mailbox)],
                },
            },
        )
