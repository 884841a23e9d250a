"""Addresses that changed between released versions, so that Terraform moves what is deployed.

Add to `MOVES` in the change that renames; never take anything out: who upgrades may come from any version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ops.export.blocks import joined, moved_block


@dataclass(frozen=True)
class Move:
    """A resource's change of address within its module.

    Attributes:
        version: the release that has the new one.
        before: the old address, such as ``aws_vpc.this``.
        after: the new one.
    """

    version: str
    before: str
    after: str


MOVES: Mapping[str, tuple[Move, ...]] = {}
"""By the submodule's name, or the empty text for the root, whose addresses are those of its calls."""


def moved_file(moves: tuple[Move, ...]) -> str:
    """The text of ``moved.tf``, by release."""
    texts = []
    for version in dict.fromkeys(move.version for move in moves):
        texts.append(f"# {version}\n")
        texts += [moved_block(move.before, move.after) for move in moves if move.version == version]
    return joined(texts)


def counted(moves: Mapping[str, tuple[Move, ...]]) -> dict[str, int]:
    """How many addresses changed, by release."""
    found: dict[str, int] = {}
    for move in (move for mine in moves.values() for move in mine):
        found[move.version] = found.get(move.version, 0) + 1
    return found
