"""Database connections: how many an RDS class has, and how many each engine and API may take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synthesis.rules import CrossRule

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


def _hcl(figures: Mapping[str, float]) -> str:
    """A map in HCL's syntax, which JSON's is."""
    return json.dumps(dict(figures))


def connections(instance_class: str) -> int:
    """The connections that a database of an RDS class takes."""
    _, family, size = instance_class.split(".")
    times = re.fullmatch(r"([0-9]+)xlarge", size)
    gib = int(times[1]) * _SIZES["xlarge"] if times else _SIZES.get(size, MOST)
    return int(min(MOST, gib * _FAMILIES.get(family[0], 1) * PER_GIB - OVERHEAD))


def processes(settings: Any) -> int:
    """The engines and APIs that are there at once: while they are deployed, each is there twice."""
    return 2 * int(settings.engine.count + settings.api.count)


def pool(settings: Any) -> int:
    """The most connections of one process's pool that fit; the database is too small below `LEAST_POOL`."""
    share = (connections(settings.database.instance_class) - RESERVED) // processes(settings)
    return min(MOST_POOL, share - BESIDE)


def _connections(instance_class: object) -> str:
    family, size = (f'split(".", {instance_class})[{place}]' for place in (1, 2))
    gib = (
        f'try(tonumber(regex("^([0-9]+)xlarge$", {size})[0]) * {_SIZES["xlarge"]}, '
        f"lookup({_hcl(_SIZES)}, {size}, {MOST}))"
    )
    return (
        f"min({MOST}, {gib} * lookup({_hcl(_FAMILIES)}, substr({family}, 0, 1), 1) * {PER_GIB} - {OVERHEAD})"
    )


def _pool(instance_class: object, engines: object, apis: object) -> str:
    share = f"floor(({_connections(instance_class)} - {RESERVED}) / (2 * ({engines} + {apis})))"
    return f"min({MOST_POOL}, {share} - {BESIDE})"


def pool_variables(settings: Any) -> dict[str, Expression]:
    """The variables of an engine or an API that bound its connections, each with the expression of its value."""
    # Not at the top: it loads CDKTF, and commands that read environment files do without.
    from synthesis.expression import Expression, hcl

    size = _pool(settings.database.instance_class, settings.engine.count, settings.api.count)
    return {
        "DATABASE_DDL_POOL_MAX_CONNS": Expression(hcl(str(DDL))),
        "DATABASE_MAX_CONNS": Expression(f"tostring({size})"),
        "SERVER_MSGQUEUE_PUBSUB_POSTGRES_MAX_CONNS": Expression(hcl(str(PUB_SUB))),
    }


def enough_connections() -> CrossRule:
    """The database has connections for all engines and APIs, also while they are deployed anew."""
    fit = f"floor(({{connections}} - {RESERVED}) / {2 * (LEAST_POOL + BESIDE)})"
    allowed = (
        "; must be a larger class, or fewer of both: each takes at least "
        f"{LEAST_POOL + BESIDE}, and twice that while it is deployed"
    )

    def message(settings: Any) -> str:
        name = settings.database.instance_class
        most = connections(name)
        return (
            f"got {name}, whose {most} connections are enough for {(most - RESERVED) // (2 * (LEAST_POOL + BESIDE))} "
            f"engines and APIs together, not for {settings.engine.count + settings.api.count}{allowed}"
        )

    available = _connections("{database}.instance_class")
    words = (
        f"got ${{{{database}}.instance_class}}, whose ${{{available}}} connections are enough for "
        f"${{{fit.replace('{connections}', available)}}} engines and APIs together, not for "
        f"${{{{engine}}.count + {{api}}.count}}{allowed}"
    )
    return CrossRule(
        ("database", "instance_class"),
        message,
        lambda settings: pool(settings) >= LEAST_POOL,
        f"{_pool('{database}.instance_class', '{engine}.count', '{api}.count')} >= {LEAST_POOL}",
        words,
        depends_on=(("database", "instance_class"), ("engine", "count"), ("api", "count")),
    )
