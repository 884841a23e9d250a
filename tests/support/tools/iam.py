"""Asks IAM questions of @cloud-copilot/iam-simulate, which evaluates conditions (moto does not)."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from tests.support.tools.node import IAM_SIMULATE, NODE, install, node_environment

Policy = Mapping[str, Any] | str
Context = Mapping[str, str | Sequence[str]]
Decision = Literal["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"]


class QuestionError(Exception):
    """IAM would not take the question or a policy as it is; the text says what is wrong."""


@dataclass(frozen=True)
class Simulation:
    """Who asks, and the policies that decide.

    Attributes:
        identity_policies: The principal's own policies, as documents or as JSON text.
        resource_policy: The policy of the resource: a bucket's, a key's, or a role's trust policy.
        principal: The ARN of who asks, or a service such as ``ecs-tasks.amazonaws.com``.
        account: The account of the resource.
    """

    identity_policies: Sequence[Policy] = ()
    resource_policy: Policy | None = None
    principal: str = "arn:aws:iam::123456789012:role/asks"
    account: str = "123456789012"

    @classmethod
    def of_trust(
        cls, trust_policy: Policy, service: str = "ecs-tasks.amazonaws.com", account: str = "123456789012"
    ) -> Simulation:
        """A service that wants to assume a role with this trust policy; ask it for ``sts:AssumeRole``."""
        return cls(resource_policy=trust_policy, principal=service, account=account)

    def allows(self, action: str, resource: str, context: Context | None = None) -> bool:
        """Whether the request is allowed, as `decision` says."""
        return self.decision(action, resource, context) == "Allowed"

    def decision(self, action: str, resource: str, context: Context | None = None) -> Decision:
        """What IAM says to one request.

        Args:
            action: An action of AWS's service authorization reference, such as ``s3:ListBucket``.
            resource: Its ARN, of a type that the action takes, or ``*`` for an action that takes none.
            context: The request's condition keys. A key that is left out is absent from the request.

        Raises:
            QuestionError: A malformed policy, an action that does not exist, a resource that the action
                does not take, or a context key that AWS does not send with the action.
        """
        answer = _ask(
            {
                "request": {
                    "principal": self.principal,
                    "action": action,
                    "resource": {"resource": resource, "accountId": self.account},
                    "contextVariables": dict(context or {}),
                },
                "identityPolicies": [
                    {"name": f"identity policy {index}", "policy": _document(policy)}
                    for index, policy in enumerate(self.identity_policies)
                ],
                "resourcePolicy": None if self.resource_policy is None else _document(self.resource_policy),
                "serviceControlPolicies": [],
                "resourceControlPolicies": [],
            }
        )
        if answer["errors"]:
            raise QuestionError(f"{action} on {resource}: {json.dumps(answer['errors'])}")
        if answer["ignored"]:
            raise QuestionError(f"{action} on {resource} has no context key {', '.join(answer['ignored'])}")
        return cast(Decision, answer["decision"])


def _document(policy: Policy) -> Any:
    return json.loads(policy) if isinstance(policy, str) else policy


def _ask(simulation: Mapping[str, Any]) -> dict[str, Any]:
    process = _evaluator()
    assert process.stdin is not None and process.stdout is not None
    sent = {key: value for key, value in simulation.items() if value is not None}
    process.stdin.write(json.dumps(sent) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise QuestionError(f"the evaluator ended with status {process.wait()}")
    return cast(dict[str, Any], json.loads(line))


@functools.cache
def _evaluator() -> subprocess.Popen[str]:
    """One Node process for all questions; it ends with this process, whose end closes its input."""
    install(IAM_SIMULATE)
    return subprocess.Popen(
        [NODE, IAM_SIMULATE / "iam.mjs"],
        cwd=IAM_SIMULATE,
        env=node_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
