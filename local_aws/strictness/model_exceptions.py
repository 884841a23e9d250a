"""Where botocore's model is stricter than AWS itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelException:
    """A constraint of a model that AWS does not hold requests to.

    Attributes:
        operations: Operations that it is about.
        member: Path of the member, with `[]` for each item of a list: `Tags[].Key`.
        kind: Kind of the constraint: `required`, `length`, `range`, `enum` or `pattern`.
        evidence: Page or test that shows that AWS takes more.
        example: A value that the model refuses and AWS takes; for `required`, None.
    """

    operations: tuple[str, ...]
    member: str
    kind: str
    evidence: str
    example: object = None


EXCEPTIONS: tuple[ModelException, ...] = (
    ModelException(
        ("mq.CreateBroker",),
        "EngineType",
        "enum",
        # Both spellings: the acceptance tests of aws_mq_broker create brokers with `engine_type = "RabbitMQ"`.
        "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/mq/broker_test.go",
        "RabbitMQ",
    ),
)
