"""What is allowed but unlikely to be meant: settings that would not do what one expects of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from environments.schema import Environment
from modules.backlog.capacity import runs_on_spot
from synthesis.rules import Fault, Path

FACTOR, MAX_DEPTH = 10, 2
"""A recursion that a fan fleet should bear: by tens (scythe-engine's own factor), for up to 1,000 simulations
of which each task at the bottom starts ten."""


MANY_ADDRESSES = 2**16
"""Public addresses that one organisation may have; more are worth a word."""


def waiting_tasks(factor: int, max_depth: int) -> int:
    """How many scatter_gather tasks wait for children at once, each in a slot of its own.

    scythe-engine's ``ScatterGatherInput.is_base_case``: a task below ``max_depth`` splits into ``factor`` others
    and waits; one at ``max_depth`` starts simulations. So all of ``1 + factor + ... + factor ** (max_depth - 1)``
    wait when the last level begins, which needs a slot more.
    """
    return sum(factor**depth for depth in range(max_depth))


def warnings(environment: Environment) -> list[Fault]:
    """What one should know of an environment before it is deployed."""
    return [
        *_addresses(environment),
        *_recursion(environment),
        *_roles(environment),
        *_reach(environment),
        *_spot(environment),
        *_sign_up(environment),
    ]


def _sign_up(environment: Environment) -> Iterator[Fault]:
    if environment.hatchet.sign_up:
        yield _warn(
            ("hatchet", "sign_up"),
            "anyone who reaches the dashboard can register; set it to false and deploy once those have registered whom "
            "the admin invites",
        )


def addresses_per_zone(environment: Environment) -> int | None:
    """The addresses for tasks in each of the subnets that workers run in; None where they are not ours.

    The VPC is cut as `modules.network` does: an eighth each for a private subnet, an eighth of an eighth for
    a public one. AWS keeps 5 of each (Amazon VPC User Guide, "Subnet CIDR blocks").
    """
    network = environment.network
    if network.existing is not None:
        return None
    length = ipaddress.IPv4Network(network.cidr).prefixlen + (3 if network.worker_subnets == "private" else 6)
    return int(2 ** (32 - length)) - 5


def _addresses(environment: Environment) -> Iterator[Fault]:
    each = addresses_per_zone(environment)
    if each is None:
        return
    room = each * environment.network.az_count
    most = {
        name: max([fleet.scaling.max, *(item.max for item in fleet.scaling.schedule)])
        for name, fleet in environment.workers.items()
    }
    if sum(most.values()) > room:
        kind = environment.network.worker_subnets
        yield _warn(
            ("workers",),
            f"the fleets' max come to {sum(most.values())} tasks, but the {kind} subnets have {room} addresses "
            f"({each} in each zone); a larger network.cidr or more zones would hold them",
        )


def _recursion(environment: Environment) -> Iterator[Fault]:
    fans = {name: fleet for name, fleet in environment.workers.items() if fleet.role == "fan"}
    slots = sum(fleet.slots * fleet.scaling.max for fleet in fans.values())
    waiting = waiting_tasks(FACTOR, MAX_DEPTH)
    if fans and slots <= waiting:
        yield _warn(
            ("workers", next(iter(fans)), "scaling", "max"),
            f"slots times max of the fan fleets is {slots}: a recursion with factor {FACTOR} and max_depth {MAX_DEPTH} "
            f"has {waiting} tasks that wait, each in a slot, and hangs with fewer than {waiting + 1}",
        )


def _roles(environment: Environment) -> Iterator[Fault]:
    roles = {fleet.role for fleet in environment.workers.values()}
    for role, work in (("leaf", "simulations"), ("fan", "scatter_gather")):
        if role not in roles:
            yield _warn(("workers",), f"no fleet has role: {role}, so nothing here runs {work}")
    fans = [name for name, fleet in environment.workers.items() if fleet.role == "fan"]
    if len(fans) > 1:
        yield _warn(
            ("workers", fans[1]),
            f"the queue of scatter_gather counts for fleet {fans[0]} alone, which scales first",
        )


def _reach(environment: Environment) -> Iterator[Fault]:
    if "0.0.0.0/0" in environment.hatchet.allowed_cidrs:
        yield _warn(
            ("hatchet", "allowed_cidrs"), "0.0.0.0/0 lets the whole internet reach the engine's login"
        )
    elif (reaching := _public_addresses(environment.hatchet.allowed_cidrs)) > MANY_ADDRESSES:
        yield _warn(
            ("hatchet", "allowed_cidrs"),
            f"lets {reaching:,} public addresses reach the engine's login; narrower blocks keep strangers out",
        )
    # Without a domain there is no load balancer: scythe-aws forward is the way, and needs no block.
    if environment.hatchet.domain and not environment.hatchet.allowed_cidrs:
        yield _warn(("hatchet", "allowed_cidrs"), "is empty, so nobody outside the VPC can reach the engine")
    if environment.observability.monthly_budget_usd and not environment.observability.alarm_email:
        yield _warn(("observability", "monthly_budget_usd"), "has no alarm_email to warn")


def _public_addresses(cidrs: Iterable[str]) -> int:
    blocks = ipaddress.collapse_addresses(map(ipaddress.IPv4Network, cidrs))
    return sum(block.num_addresses for block in blocks if not block.is_private)


def _spot(environment: Environment) -> Iterator[Fault]:
    backlog = environment.backlog
    is_written = "backlog" in environment.model_fields_set and "spot" in backlog.model_fields_set
    if is_written and backlog.spot and not runs_on_spot(backlog, environment.workers):
        yield _warn(
            ("backlog", "spot"),
            "has no effect: the service runs on demand where a fleet has capacity.fallback or spot: 0",
        )


def _warn(path: Path, message: str) -> Fault:
    return Fault(path, message, ())
