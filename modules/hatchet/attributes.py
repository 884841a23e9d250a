"""What others know of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup

from modules.common.port import Port
from modules.hatchet.client import GRPC, HTTP, client_environment
from synthesis.expression import Expression
from synthesis.functions import choose, is_set
from synthesis.literals import hcl
from synthesis.stack import attribute
from synthesis.typed import Typed


@dataclass(frozen=True)
class HatchetAccess:
    """How people reach an engine of their own."""

    dashboard_url: Expression = attribute("The dashboard, for those whom allowed_cidrs lets in.")
    load_balancer_dns_name: Expression = attribute(
        "Where the domain must point, unless zone_id has its record made."
    )
    forward_policy_arn: Expression = attribute("ARN of the policy of scythe-aws forward; null with a domain.")
    admin_secret_arn: Expression = attribute("ARN of the secret with the admin's first password.")


@dataclass(frozen=True)
class HatchetAttributes:
    """An engine in the same VPC, or Hatchet Cloud, of which all that is known is in the token."""

    engine_address: Expression = attribute("The engine's host and port within the VPC.")
    engine_url: Expression = attribute("The URL of the engine's API within the VPC.")
    engine_security_group_id: Expression = attribute("Id of the engine's security group.")
    api_security_group_id: Expression = attribute("Id of the security group of the engine's API.")
    is_in_vpc: bool = True

    @classmethod
    def cloud(cls) -> HatchetAttributes:
        """Hatchet Cloud."""
        # The provider asks for the groups' ids even of rules that are not made, and takes null for a missing one.
        nothing, no_group = Expression("null"), Expression('""')
        return cls(nothing, nothing, no_group, no_group, is_in_vpc=False)

    @classmethod
    def unless_null(cls, given: Expression) -> HatchetAttributes:
        """An engine in the same VPC, where something is given; else Hatchet Cloud."""
        return cls(
            engine_address=Expression(f"try({given.engine_address}, null)"),
            engine_url=Expression(f"try({given.engine_url}, null)"),
            engine_security_group_id=Expression(f'try({given.engine_security_group_id}, "")'),
            api_security_group_id=Expression(f'try({given.api_security_group_id}, "")'),
            is_in_vpc=is_set(Typed(str(given))),
        )

    def allow_from(self, group: SecurityGroup, who: str) -> None:
        """Let a security group's members in to the engine and its API."""
        inside = self.is_in_vpc
        Port("engine", GRPC, self.engine_security_group_id, "Hatchet engine", inside).allow_from(group, who)
        Port("api", HTTP, self.api_security_group_id, "Hatchet API", inside).allow_from(group, who)

    def environment(self) -> dict[str, Expression]:
        """The variables by which hatchet-sdk's clients within the VPC reach it, each with its value's expression.

        They go to the engine itself, past the load balancer, which would cut streams that are idle.
        """
        values = {
            "HATCHET_CLIENT_HOST_PORT": self.engine_address,
            "HATCHET_CLIENT_SERVER_URL": self.engine_url,
            "HATCHET_CLIENT_TLS_STRATEGY": "none",
            **client_environment(),
        }
        return {name: Expression(hcl(choose(self.is_in_vpc, value, None))) for name, value in values.items()}
