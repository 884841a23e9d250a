"""Every price that is written in this repository is the table's, or computed from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import pytest

from environments.loading import load
from environments.schema import Environment
from modules.backlog.capacity import runs_on_spot
from ops.cost.at_rest import at_rest, backlog_task, engine_at_rest, nat, nat_instance, requests
from ops.cost.prices import DATE, DAYS, HOURS, SPOT, TABLE, task_usd_per_hour, usd, usd_per_hour
from tests.support.project import ROOT, SELF_HOSTED

FIGURE = re.compile(r"\$(\d[\d,]*(?:\.\d+)?)(?![\w}])")
NOT_LOOKED_AT = ("docs/settings.md", "ops/cost/prices.py")
"""The settings' page is written from descriptions, which are looked at; the table is what all is held against."""

PLAYED = re.compile(r"^\|.*\| \d+ \|")
"""A row of the benchmarks' table, with its number of seeds: its costs are played."""

ABOUT = 0.04
"""By what part a figure after "about" may be off."""

DOCS, DEV, OWN = (
    load(file) for file in (*(ROOT / f"environments/{name}.yaml" for name in ("docs", "dev")), SELF_HOSTED)
)
CLOUD_EXAMPLE = Environment.model_validate(
    {
        "name": "example",
        "workers": {
            "simulations": {"role": "leaf", "architecture": "arm64", "scaling": {"max": 50}},
            "fanouts": {"role": "fan", "architecture": "arm64", "scaling": {"max": 2}},
        },
        "observability": {"alarm_email": "a@example.org"},
    }
)
OWN_EXAMPLE = Environment.model_validate(
    {
        "name": "example", "network": {"nat": "single"}, "hatchet": {"mode": "self_hosted"},
        "workers": {"simulations": {"role": "leaf"}},
    }
)  # fmt: skip


def on_arm(environment: Environment) -> Environment:
    fleets = {
        name: fleet.model_copy(update={"architecture": "arm64"})
        for name, fleet in environment.workers.items()
    }
    return environment.model_copy(update={"workers": fleets})


def besides_nat(environment: Environment, *, spot: bool | None = None) -> float:
    """Our own part of what an environment costs at rest."""
    found = at_rest(environment)
    rest = sum(found.values()) - found["NAT"] - found["backlog task"]
    return rest + backlog_task(environment, spot=spot)


@cache
def written() -> Mapping[str, Sequence[float]]:
    """The prices that each file must write, in their order, before they are rounded."""
    docs, dev, cloud = at_rest(DOCS), at_rest(DEV), at_rest(CLOUD_EXAMPLE)
    task = {spot: backlog_task(DOCS, spot=spot) for spot in (True, False)}
    task_arm = {spot: backlog_task(on_arm(DOCS), spot=spot) for spot in (True, False)}
    both = {name: [docs[name]] * 2 for name in docs}
    alarms = [count * usd("alarm, high resolution") for count in (3, 4, 5, 6)]
    worker = DEV.workers["simulations"]
    address = usd("public IPv4 address")
    on_spot = usd_per_hour(worker, spot=True) + address
    engine = {name: value / DAYS for name, value in engine_at_rest(OWN_EXAMPLE).items()}
    smallest = sum(engine.values()) + (usd("secret") + nat_instance()) / DAYS
    rabbitmq = OWN_EXAMPLE.hatchet.rabbitmq
    large = 24 * (usd("db.t4g.large") - usd("db.t4g.small"))
    return {
        "docs/autoscaling.md": [
            task[True], task[False], *both["alarms"], *both["metrics"], *both["requests"], *both["secret"],
            besides_nat(DOCS, spot=True), besides_nat(DOCS, spot=False), *both["NAT"],
            task_arm[True], task_arm[False], *alarms, 4 * usd("alarm"),
        ],
        "docs/architecture.md": [task[True], task[False]],
        "docs/hatchet.md": [
            smallest, sum(engine_at_rest(OWN).values()) / DAYS,
            engine["engine"], usd("fargate vCPU, arm64"), usd("fargate memory, arm64"), engine["API"],
            engine["dashboard"] + engine["set-up"],
            engine["database"], usd("db.t4g.small"), usd("RDS gp3"),
            engine["load balancer"], usd("load balancer"),
            4 * usd("secret") / DAYS, usd("secret"),
            nat_instance() / DAYS, usd("t4g.nano"), address, usd("EBS gp3"),
            2 * 24 * address, engine["engine"], engine["database"], large,
            24 * task_usd_per_hour(rabbitmq.cpu, rabbitmq.memory, OWN_EXAMPLE.hatchet.engine.architecture)
            + usd("secret") / DAYS,
            24 * usd("interface endpoint"), usd("RDS snapshot"),
        ],
        "docs/operations.md": [usd("ECR")],
        "environments/dev.yaml": [
            sum(dev.values()) / DAYS, dev["backlog task"] / DAYS, dev["backlog task's address"] / DAYS,
            (dev["alarms"] + dev["metrics"] + dev["requests"]) / DAYS, usd("secret"), usd("ECR"),
            besides_nat(DEV, spot=False) / DAYS,
            on_spot, usd_per_hour(worker, spot=False), usd_per_hour(worker, spot=True), address, 20 * 8 * on_spot,
            nat_instance() / DAYS, nat(DOCS) / DAYS, 20 * on_spot, usd("logs kept"), usd("logs taken in"),
        ],
        "modules/backlog/backlog.py": [
            task[True], task_arm[True], task[False], task_arm[False], usd("custom metric"), requests(), usd("alarm"),
        ],
        "modules/backlog/settings.py": [task[True], task[False]],
        "modules/client_token/client_token.py": [usd("secret")],
        "modules/hatchet/database.py": [usd("RDS gp3")],
        "modules/hatchet/hatchet.py": [smallest],
        "modules/hatchet/load_balancer.py": [engine["load balancer"], usd("load balancer's LCU"), 24 * address],
        "modules/hatchet/rabbitmq.py": [usd("EFS")],
        "modules/hatchet/repositories.py": [usd("ECR")],
        "modules/hatchet/secrets.py": [usd("secret")],
        "modules/hatchet/service.py": [usd("fargate vCPU, x86_64"), usd("fargate memory, x86_64")],
        "modules/hatchet/set_up.py": [engine["set-up"]],
        "modules/hatchet/settings.py": [24 * usd("db.t4g.small"), smallest],
        "modules/network/endpoints.py": [usd("interface endpoint"), usd("interface endpoint's data")],
        "modules/network/flow_logs.py": [usd("logs taken in")],
        "modules/network/nat.py": [nat(DOCS), usd("NAT gateway's data")],
        "modules/network/nat_instance.py": [HOURS * usd("t4g.nano"), HOURS * address, 8 * usd("EBS gp3")],
        "modules/network/network.py": [usd("logs taken in")],
        "modules/network/settings.py": [
            usd("logs taken in"), nat_instance(), nat(DOCS), usd("NAT gateway's data"),
            HOURS * usd("interface endpoint"), address,
        ],
        "modules/observability/observability.py": [usd("KMS key")],
        "modules/storage/storage.py": [usd("S3 Standard"), usd("ECR")],
        "modules/worker_fleet/autoscaling.py": [usd("alarm, high resolution"), *alarms],
        "modules/worker_fleet/fallback.py": [4 * usd("alarm")],
        "modules/worker_fleet/settings.py": [usd("fargate disk")],
        "modules/worker_fleet/worker_fleet.py": [part + usd("custom metric") for part in (alarms[0], alarms[-1])],
        "ops/export/templates/examples/hatchet-cloud/README.md.j2": [
            sum(cloud.values()), cloud["NAT"], cloud["backlog task"] + cloud["metrics"] + cloud["requests"],
            cloud["alarms"], cloud["secret"], task_arm[False] - task_arm[True],
        ],
        "ops/export/templates/examples/self-hosted/README.md.j2": [
            sum(engine.values()) + sum(at_rest(OWN_EXAMPLE).values()) / DAYS,
        ],
    }  # fmt: skip


def figures(text: str) -> Iterator[tuple[str, bool]]:
    """The prices in a text, each with whether "about" stands before it."""
    for line in text.splitlines():
        if not PLAYED.match(line):
            for found in FIGURE.finditer(line):
                yield found[1].replace(",", ""), line[: found.start()].endswith("about ")


def is_right(figure: str, is_about: bool, computed: float) -> bool:
    places = len(figure.partition(".")[2])
    # A half is rounded either way.
    is_rounded = abs(float(figure) - computed) <= 0.5 * 10**-places + 1e-9
    return is_rounded or (is_about and abs(float(figure) / computed - 1) <= ABOUT)


def files() -> list[str]:
    """The project's files that may write a price."""
    found = [ROOT / name for name in ("README.md", "CHANGELOG.md", "main.py")]
    for room in ("docs", "environments", "modules", "ops", "scythe_worker", "benchmarks", "synthesis"):
        found += [file for file in (ROOT / room).rglob("*") if file.suffix in {".md", ".j2", ".yaml", ".py"}]
    names = [file.relative_to(ROOT).as_posix() for file in found]
    return [name for name in names if name not in NOT_LOOKED_AT]


def test_every_written_price_is_the_tables() -> None:
    wrong: dict[str, Any] = {}
    for name in sorted({*files(), *written()}):
        found, wanted = list(figures((ROOT / name).read_text())), written().get(name, [])
        if len(found) != len(wanted):
            wrong[name] = (
                f"has {len(found)} prices; {len(wanted)} are computed here",
                [each for each, _ in found],
            )
            continue
        pairs = [
            (each, value)
            for (each, about), value in zip(found, wanted, strict=True)
            if not is_right(each, about, value)
        ]
        if pairs:
            wrong[name] = pairs
    assert wrong == {}


@pytest.mark.parametrize(
    ("figure", "is_about", "computed", "right"),
    [
        ("0.02", False, 0.344, False), ("0.34", False, 0.344, True), ("0.35", False, 0.344, False),
        ("36", True, 36.5, True), ("33", True, 36.5, False), ("3.60", False, 3.587, False), ("3.60", True, 3.587, True),
    ],
)  # fmt: skip
def test_a_price_that_is_off_is_found(figure: str, is_about: bool, computed: float, right: bool) -> None:
    assert is_right(figure, is_about, computed) is right


def test_every_price_has_its_source_and_the_table_its_day() -> None:
    for name, price in {**TABLE, "SPOT": SPOT}.items():
        assert price.usd > 0, name
        assert price.per, name
        assert re.fullmatch(r"https://aws\.amazon\.com/[a-z0-9/-]+/pricing/([a-z-]+/)?", price.source), name
    assert date.fromisoformat(DATE).year >= 2026


def test_the_guides_deployment_sleeps_for_eight_dollars() -> None:
    assert runs_on_spot(DOCS.backlog, DOCS.workers)
    assert besides_nat(DOCS) <= 8
    # On demand it would not.
    assert besides_nat(DOCS, spot=False) > 14
