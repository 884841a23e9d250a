"""CloudWatch's metrics of the backlog: their names, as who publishes and who reads them know them."""

from __future__ import annotations

from dataclasses import dataclass

from synthesis.expression import text
from synthesis.stack import Label

DEMAND = "Demand"
"""The workers that a fleet's queued and running tasks fill (`scythe_worker.backlog`)."""


@dataclass(frozen=True)
class BacklogMetrics:
    """The metrics of an environment's backlog.

    Attributes:
        namespace: theirs, which no other environment's service may write to.
    """

    namespace: str

    @classmethod
    def of(cls, label: Label) -> BacklogMetrics:
        """Those of the environment that a label names."""
        return cls(f"Scythe/{text(label.name)}")

    @staticmethod
    def dimensions(fleet: str) -> dict[str, str]:
        """Of a fleet's metrics."""
        return {"Fleet": fleet}
