"""What others know of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup

from modules.expression import Expression
from modules.hatchet.environment import GRPC, HTTP, client_environment
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
        # Not null: Terraform checks what resources require even of those with a count of 0.
        nothing = Expression('""')
        return cls(nothing, nothing, nothing, nothing, is_in_vpc=Expression("false"))

    def allow_from(self, group: SecurityGroup, who: str) -> None:
        """Let a security group's members in to the engine and its API."""
        inside = self.is_in_vpc
        Port("engine", GRPC, self.engine_security_group_id, "Hatchet's engine", inside).allow_from(group, who)
        self.allow_api_from(group, who)

    def allow_api_from(self, group: SecurityGroup, who: str) -> None:
        """Let a security group's members in to the engine's API alone."""
        inside = self.is_in_vpc
        Port("api", HTTP, self.api_security_group_id, "Hatchet's API", inside).allow_from(group, who)

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
