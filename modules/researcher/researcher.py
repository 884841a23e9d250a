"""What a researcher may do: allocate experiments, watch them, and download results."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from constructs import Construct

from modules.client_token.client_token import TokenAttributes
from modules.common.account import Account
from modules.common.keys import use_of
from modules.common.policies import Condition, Statement, policy
from modules.storage.attributes import StorageAttributes
from synthesis.expression import Expression, ref, text
from synthesis.stack import Label, attribute


@dataclass(frozen=True)
class ResearcherAttributes:
    """What to attach to researchers."""

    researcher_policy_arn: Expression = attribute("ARN of the researchers' policy.")
    researcher_policy: Expression = attribute("The researchers' policy as a document.")


class Researcher(Construct):
    """A managed policy with what Scythe's allocator and the researcher's commands need, and no more.

    The commands are ``scythe-aws connect``, ``status``, ``logs``, ``download``, and ``stop``, which cancels runs
    through Hatchet. It changes nothing in AWS: who may update a service may also give it another task definition.

    Costs: nothing.

    Attributes:
        attributes: the policy, to attach to the researchers' group, role or permission set, and the same as a
            document, for an account where policies come from elsewhere.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        storage: StorageAttributes,
        token: TokenAttributes,
        workers_cluster: str,
        logs_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        self._label, self._account = label, Account(self)
        managed = IamPolicy(
            self,
            "Policy",
            name=f"{text(label.name)}-researcher-{self._account.region}",
            description="Allocate experiments and download results of the Scythe environment",
            policy=policy(*token.read(), *storage.read_write(), *self._watch(workers_cluster, logs_key_arn)),
            tags=label.tagged(),
        )
        self.attributes = ResearcherAttributes(
            researcher_policy_arn=ref(managed).arn, researcher_policy=ref(managed).policy
        )

    def _watch(self, cluster: str, logs_key_arn: Expression) -> tuple[Statement | None, ...]:
        """See the fleets, their tasks and their logs."""
        arn = self._account.arn
        return (
            Statement(
                ["ecs:DescribeServices", "ecs:DescribeTasks"],
                [arn("ecs", f"{kind}/{cluster}/*") for kind in ("service", "task")],
            ),
            # These two take no resource of theirs (Service Authorization Reference, "Actions defined by Amazon
            # ECS", "Actions defined by AWS Application Auto Scaling").
            Statement(
                ["ecs:ListTasks"],
                ["*"],
                [Condition("ArnEquals", "ecs:cluster", [arn("ecs", f"cluster/{cluster}")])],
            ),
            Statement(["application-autoscaling:DescribeScalableTargets"], ["*"]),
            # Fleets come and go without a change of the policy: all of the environment's log groups.
            Statement(
                ["logs:FilterLogEvents"], [arn("logs", f"log-group:/scythe/{text(self._label.name)}/*")]
            ),
            use_of("logs", logs_key_arn),
        )
