"""An example of a rule: a request that the rule refuses, and that no other rule refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.local_aws.strictness.in_process import InProcess


def nothing(aws: InProcess) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Example:
    """A request, with what must exist before it.

    Attributes:
        service: boto3's name of the service.
        method: boto3's method.
        arguments: Arguments of the method, or what computes them from what `prepare` returns.
        text: A part of AWS's text.
        prepare: Makes what the request needs, on a local AWS without the rule.
        beside: Requests that are under way at the same time, as (service, method, arguments).
    """

    service: str
    method: str
    arguments: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
    text: str
    prepare: Callable[[InProcess], Any] = nothing
    beside: tuple[tuple[str, str, Mapping[str, Any]], ...] = field(default=())

    def send(self, aws: InProcess, prepared: Any) -> Any:
        """Send the request."""
        arguments = self.arguments(prepared) if callable(self.arguments) else self.arguments
        return getattr(aws.client(self.service), self.method)(**arguments)
