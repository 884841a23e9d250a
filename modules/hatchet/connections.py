"""Database connections: how many an RDS class has, and how many each engine and API may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synthesis.functions import attempt, captured, floor, split, substring, to_number
from synthesis.lists import lookup, smallest
from synthesis.literals import hcl
from synthesis.rules import CrossRule
from synthesis.typed import Number, Text

if TYPE_CHECKING:
    from synthesis.expression import Expression

RESERVED = 20
"""Connections that neither an engine nor an API may take: five of PostgreSQL's and RDS's own, and the set-up's."""

DDL, PUB_SUB, LISTENERS = 2, 3, 2
"""Connections of one process beside its pool: its two smaller pools and what listens for notifications (Hatchet v0.104.7,
``pkg/config/loader/loader.go``; its own defaults are 5 and 5)."""

BESIDE = DDL + PUB_SUB + LISTENERS
LEAST_POOL, MOST_POOL = 8, 20
"""Connections of one process's pool: with fewer, queries wait for one another; more are of no use to a database of the
smaller classes, and would make a second engine another task definition for all."""

MOST = 5000
PER_GIB, OVERHEAD = 105, 25
"""``max_connections`` is the least of 5,000 and ``DBInstanceClassMemory / 9531392`` (Amazon RDS User Guide, "Quotas and
constraints for Amazon RDS", maximum number of database connections). That memory is the class's without what the
operating system and RDS take, so that a db.t4g.small has about 185 of the 225; rounded down here."""

_SIZES: Mapping[str, float] = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}
"""GiB of memory by size, in the families that have 4 for each vCPU (Amazon RDS User Guide, "Hardware specifications for
DB instance classes"). A larger size is a multiple of xlarge; one that is not known counts as the largest here."""

_FAMILIES: Mapping[str, int] = {"r": 2, "x": 4, "z": 2}
"""How much more than that the families by the first letter have."""


def connections(instance_class: str) -> int:
    """The connections that a database of an RDS class takes."""
    family, size = split(".", instance_class)[1], split(".", instance_class)[2]
    gib = attempt(
        lambda: to_number(captured("^([0-9]+)xlarge$", size)) * _SIZES["xlarge"],
        otherwise=lookup(_SIZES, size, MOST),
    )
    available: int = smallest(
        MOST, [gib * lookup(_FAMILIES, substring(family, 0, 1), 1) * PER_GIB - OVERHEAD]
    )
    return available


def pool(instance_class: str, engines: int, apis: int) -> int:
    """The most connections of one process's pool that fit; the database is too small below `LEAST_POOL`.

    While engines and APIs are deployed, each is there twice.
    """
    size: int = smallest(
        MOST_POOL, [floor((connections(instance_class) - RESERVED) / (2 * (engines + apis))) - BESIDE]
    )
    return size


def pool_variables(settings: Any) -> dict[str, Expression]:
    """The variables of an engine or an API that bound its connections, each with the expression of its value."""
    # Not at the top: it loads CDKTF, and commands that read environment files do without.
    from synthesis.expression import Expression

    counts: Any = Number(str(settings.engine.count)), Number(str(settings.api.count))
    size = pool(Text(str(settings.database.instance_class)), *counts)
    return {
        "DATABASE_DDL_POOL_MAX_CONNS": Expression(hcl(str(DDL))),
        "DATABASE_MAX_CONNS": Expression(f"tostring({hcl(size)})"),
        "SERVER_MSGQUEUE_PUBSUB_POSTGRES_MAX_CONNS": Expression(hcl(str(PUB_SUB))),
    }


def enough_connections() -> CrossRule:
    """The database has connections for all engines and APIs, also while they are deployed anew."""
    each = LEAST_POOL + BESIDE

    def message(it: Any) -> str:
        most = connections(it.database.instance_class)
        return (
            f"got {it.database.instance_class}, whose {most} connections are enough for "
            f"{floor((most - RESERVED) / (2 * each))} engines and APIs together, not for {it.engine.count + it.api.count}; "
            f"must be a larger class, or fewer of both: each takes at least {each}, and twice that while it is deployed"
        )

    return CrossRule(
        ("database", "instance_class"),
        message,
        lambda it: pool(it.database.instance_class, it.engine.count, it.api.count) >= LEAST_POOL,
    )
