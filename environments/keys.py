"""What the KMS keys of one environment must be."""

from __future__ import annotations

from collections.abc import Iterator

from environments.sections import Sections
from synthesis.rules import Fault, Path


def key_faults(environment: Sections) -> Iterator[Fault]:
    """A key encrypts things of its own region alone (AWS KMS Developer Guide, "Multi-Region keys")."""
    for path, arn in _keys(environment).items():
        if arn.split(":")[3] != environment.region:
            yield Fault(
                path,
                f"is in {arn.split(':')[3]}; must be in the environment's region {environment.region}",
                (path, ("region",)),
            )


def _keys(environment: Sections) -> dict[Path, str]:
    given: dict[Path, str | None] = {("kms", use): arn for use, arn in environment.kms}
    given[("hatchet", "token_secret_key_arn")] = environment.hatchet.token_secret_key_arn
    for name, fleet in environment.workers.items():
        given |= {
            ("workers", name, "secrets_key_arns", place): arn
            for place, arn in enumerate(fleet.secrets_key_arns)
        }
    return {path: arn for path, arn in given.items() if arn}
