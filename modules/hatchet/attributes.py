"""What others know of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup

from modules.expression import Expression
from modules.hatchet.client import GRPC, HTTP, client_environment
from modules.port import Port
from modules.stack import attribute


@dataclass(frozen=True)
class HatchetAttributes:
    """An engine in the same VPC, or Hatchet Cloud, of which all that is known is in the token."""

    engine_address: Expression = attribute("The engine's host and port within the VPC.")
    engine_url: Expression = attribute("The URL of the engine's API within the VPC.")
    engine_security_group_id: Expression = attribute("Id of the engine's security group.")
    api_security_group_id: Expression = attribute("Id of the security group of the engine's API.")
    is_in_vpc: Expression = Expression("true")

    @classmethod
    def cloud(cls) -> HatchetAttributes:
        """Hatchet Cloud."""
        # The provider asks for the groups' ids even of rules that are not made, and takes null for a missing one.
        nothing, no_group = Expression("null"), Expression('""')
        return cls(nothing, nothing, no_group, no_group, is_in_vpc=Expression("false"))

    def allow_from(self, group: SecurityGroup, who: str) -> None:
        """Let a security group's members in to the engine and its API."""
        inside = self.is_in_vpc
        Port("engine", GRPC, self.engine_security_group_id, "Hatchet engine", inside).allow_from(group, who)
        Port("api", HTTP, self.api_security_group_id, "Hatchet API", inside).allow_from(group, who)

    def environment(self) -> dict[str, str]:
        """The variables by which hatchet-sdk's clients within the VPC reach it, each with its value's expression.

        They go to the engine itself, past the load balancer, which would cut streams that are idle.
        """
        values = {
            "HATCHET_CLIENT_HOST_PORT": str(self.engine_address),
            "HATCHET_CLIENT_SERVER_URL": str(self.engine_url),
            "HATCHET_CLIENT_TLS_STRATEGY": '"none"',
            **{name: f'"{value}"' for name, value in client_environment().items()},
        }
        return {name: f"{self.is_in_vpc} ? {value} : null" for name, value in values.items()}
