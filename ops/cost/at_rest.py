"""What an environment costs while nothing runs, a month, by what it pays for."""

from __future__ import annotations

from collections.abc import Mapping

from environments.schema import Environment
from modules.backlog.capacity import runs_on_spot
from modules.backlog.settings import GIB, VCPU
from modules.worker_fleet.bands import RANGES
from modules.worker_fleet.settings import FleetSettings
from ops.cost.prices import HOURS, task_usd_per_hour, usd, usd_per_hour
from scythe_worker.pace import ASLEEP_SECONDS

NAT_DISK_GB = 8
"""The size of Amazon Linux's root volume, which the NAT instance leaves as it is."""


def demand_alarms(fleet: FleetSettings) -> int:
    """The alarms of a fleet that look at ten seconds (`modules.worker_fleet.autoscaling`)."""
    most = max([fleet.scaling.max, *(item.max for item in fleet.scaling.schedule)])
    # One for each range that begins below the maximum, one for the maximum, one for nothing to do.
    return sum(most > part.first for part in RANGES) + 2 * (most > 0)


def alarms(environment: Environment) -> dict[str, int]:
    """The alarms' metrics of the workers' stack by their price in the table."""
    fleets = environment.workers.values()
    fallbacks = sum(fleet.capacity.fallback is not None for fleet in fleets)
    # A fallback has two alarms, each on the demand and on the tasks that run.
    return {"alarm, high resolution": sum(map(demand_alarms, fleets)), "alarm": 1 + 4 * fallbacks}


def backlog_task(environment: Environment, *, spot: bool | None = None) -> float:
    """The backlog service's task, a month.

    Args:
        environment: the environment.
        spot: whether it runs on Spot; None for what the environment has.
    """
    fleets = environment.workers
    on_spot = runs_on_spot(environment.backlog, fleets) if spot is None else spot
    # The image of the first arm64 fleet, else of the first fleet (`modules.backlog.backlog`).
    architecture = "arm64" if any(fleet.architecture == "arm64" for fleet in fleets.values()) else "x86_64"
    return task_usd_per_hour(VCPU, GIB, architecture, spot=on_spot) * HOURS


def requests() -> float:
    """The backlog service's requests of `PutMetricData` while nothing waits, a month."""
    return HOURS * 3600 / ASLEEP_SECONDS * usd("PutMetricData")


def nat(environment: Environment) -> float:
    """The private subnets' way out with its addresses and disk, a month."""
    network = environment.network
    if network.existing is not None or network.nat == "none":
        return 0.0
    if network.nat == "instance":
        return nat_instance()
    gateways = network.az_count if network.nat == "per_az" else 1
    return gateways * HOURS * (usd("NAT gateway") + usd("public IPv4 address"))


def nat_instance() -> float:
    """A NAT instance with its address and disk, a month."""
    return HOURS * (usd("t4g.nano") + usd("public IPv4 address")) + NAT_DISK_GB * usd("EBS gp3")


def at_rest(environment: Environment) -> Mapping[str, float]:
    """What the network, storage and workers' stacks cost a month while nothing runs, by what is paid for.

    The fleets' minimums are in it. What is stored (images, results, logs), KMS keys, a self-hosted Hatchet and
    ``-observability`` are not.
    """
    network, fleets = environment.network, environment.workers.values()
    public = HOURS * usd("public IPv4 address") * (network.worker_subnets == "public")
    return {
        "NAT": nat(environment),
        "interface endpoints": len(network.endpoints()) * network.az_count * HOURS * usd("interface endpoint"),
        "backlog task": backlog_task(environment),
        "backlog task's address": public,
        "alarms": sum(count * usd(kind) for kind, count in alarms(environment).items()),
        "metrics": len(fleets) * usd("custom metric"),
        "requests": requests(),
        "secret": usd("secret") * (environment.hatchet.token_secret_arn is None),
        "fewest tasks": sum(
            fleet.scaling.min * (HOURS * usd_per_hour(fleet, spot=fleet.capacity.spot > 0) + public) for fleet in fleets
        ),
    }  # fmt: skip


def engine_at_rest(environment: Environment) -> Mapping[str, float]:
    """What the stack of a self-hosted Hatchet costs a month with ``broker: postgres``, by what is paid for."""
    hatchet = environment.hatchet
    database = hatchet.database
    zones = 2 if database.multi_az else 1
    parts = {"engine": hatchet.engine, "API": hatchet.api, "dashboard": hatchet.dashboard}
    found = {
        name: part.count * HOURS * task_usd_per_hour(part.cpu, part.memory, part.architecture)
        for name, part in parts.items()
    }
    return {
        **found,
        "set-up": HOURS * task_usd_per_hour(0.25, 0.5, hatchet.engine.architecture),
        "database": zones * (HOURS * usd(database.instance_class) + database.storage_gb * usd("RDS gp3")),
        "load balancer": HOURS * usd("load balancer"),
        "secrets": 3 * usd("secret"),
    }
