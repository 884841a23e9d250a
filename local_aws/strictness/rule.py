"""What a rule of the strict local AWS is, and what it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request as boto3 takes it.

    Attributes:
        service: botocore's name of the service, for example `ecs`.
        operation: Name of the operation in botocore's model, for example `CreateService`.
        parameters: Members by their names in botocore's model.
        account: Account that sends the request.
        region: Region that the request is for.
        beside: Requests that were under way when this one arrived.
        unreadable: Why the parameters could not be read, if they could not.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    account: str
    region: str
    beside: tuple[Request, ...] = ()
    unreadable: str = ""

    @property
    def name(self) -> str:
        """Service and operation, for example `ecs.CreateService`."""
        return f"{self.service}.{self.operation}"


@dataclass(frozen=True)
class Rule:
    """A kind of request that AWS refuses.

    Attributes:
        name: Name of the rule, for example `unassociated_capacity_provider`.
        operations: Operations that the rule is about; `ecs.*` means all of a service, `*` means all.
        condition: What AWS refuses, in one line for the documentation's table.
        code: AWS's error code, or the codes by service.
        page: Address of the page that says so.
        refuses: Returns AWS's text for a request that AWS refuses, else None. It may read moto's backends.
        status: HTTP status of the answer.
    """

    name: str
    operations: tuple[str, ...]
    condition: str
    code: str | Mapping[str, str]
    page: str
    refuses: Callable[[Request], str | None]
    status: int = 400

    def applies_to(self, service: str, operation: str) -> bool:
        """Whether the rule is about an operation."""
        return any(name in self.operations for name in ("*", f"{service}.*", f"{service}.{operation}"))

    def code_of(self, service: str) -> str:
        """AWS's error code for a service."""
        return self.code if isinstance(self.code, str) else self.code[service]


@dataclass(frozen=True)
class Exempt:
    """Operations of which AWS refuses nothing that the stacks could send, and why."""

    operations: tuple[str, ...]
    why: str
