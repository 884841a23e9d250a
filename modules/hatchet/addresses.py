"""Where an engine is found, with and without a domain."""

from __future__ import annotations

from modules.hatchet.client import GRPC, HTTP
from modules.hatchet.environment import Addresses
from modules.hatchet.load_balancer import GRPC_HTTPS
from modules.hatchet.service import Surroundings
from modules.hatchet.settings import HatchetSettings
from synthesis.expression import Expression
from synthesis.literals import hcl

FORWARDED_URL, FORWARDED_GRPC = f"http://localhost:{HTTP}", f"localhost:{GRPC}"
"""Where an engine without a domain is found: at the ports that its operator forwards."""


def choose_addresses(
    settings: HatchetSettings, surroundings: Surroundings, is_public: Expression
) -> Addresses:
    """Return an engine's addresses: those of its domain, else those that its operator forwards."""
    domain, has = settings.domain, is_public
    return Addresses(
        url=Expression(f'{has} ? "https://${{{domain}}}" : "{FORWARDED_URL}"'),
        grpc=Expression(f'{has} ? "${{{domain}}}:{GRPC_HTTPS}" : "{FORWARDED_GRPC}"'),
        inside_url=Expression(hcl(f"http://{surroundings.host('api')}:{HTTP}")),
        inside_grpc=Expression(hcl(f"{surroundings.host('engine')}:{GRPC}")),
        host=Expression(f'{has} ? {domain} : "localhost"'),
        is_public=is_public,
    )
