"""The authorities of RDS's certificates, by region.

``authorities.json`` has each region's root of ``rds-ca-rsa2048-g1``, the authority that the database's certificate is
asked of, with source and date. They are valid until 2061 (Amazon RDS User Guide, "Using SSL/TLS to encrypt a connection
to a DB instance or cluster"). A region is there only where independent copies of AWS's bundle agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from synthesis.functions import length, matches
from synthesis.rules import Rule

CA = "rds-ca-rsa2048-g1"
"""The authority's name in RDS."""

BUNDLE = "https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem"
"""Where AWS publishes them; GovCloud's and China's hosts are in the same page of the guide."""

MOST_CHARACTERS = 12_000
"""Of certificates in a task definition, which has 64 KiB."""


@cache
def authorities() -> Mapping[str, str]:
    """PEM certificates by region."""
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    certificates: dict[str, str] = json.loads(text)["certificates"]
    return certificates


def pem() -> Rule:
    """Certificates in PEM."""
    pattern = r"^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$"
    return Rule(
        f"certificates in PEM, of at most {MOST_CHARACTERS:,} characters",
        lambda value: matches(pattern, value) & (length(value) <= MOST_CHARACTERS),
        {"pattern": pattern, "maxLength": MOST_CHARACTERS},
    )
