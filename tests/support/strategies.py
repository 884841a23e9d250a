"""Environments that hypothesis draws from the whole space of valid settings, as the data of their YAML files."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from environments.combinations import NEEDED_ENDPOINTS
from modules.common.fargate import MEMORY_GIB
from modules.network.settings import ENDPOINT_NAMES, LOG_RETENTION_DAYS

Data = dict[str, Any]

ACCOUNT = "123456789012"
NAMES = st.from_regex(r"[a-z]([a-z0-9]|-[a-z0-9]){0,10}", fullmatch=True).filter(
    lambda name: name != "backlog" and not name.endswith("-on-demand")
)
WORDS = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters=" .:/=+@_-"), max_size=20
)
DURATIONS = st.builds("{}{}".format, st.integers(1, 48), st.sampled_from("hms"))
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
ECR_IMAGES = st.builds(
    f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{{}}/worker@sha256:{{}}".format, NAMES, DIGESTS
)
IMAGES = ECR_IMAGES | st.just("ghcr.io/example/worker:1.2.3")
SECRETS = st.sampled_from(
    [
        f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:license-AbCdEf",
        f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/team/license",
    ]
)
VARIABLES = st.from_regex("(MODEL|DATA|ENERGYPLUS)_[A-Z]{1,6}", fullmatch=True)


def some(required: Data | None = None, /, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    """A mapping with some of the optional keys."""
    return st.fixed_dictionaries(
        {
            key: value if isinstance(value, st.SearchStrategy) else st.just(value)
            for key, value in (required or {}).items()
        },
        optional=optional,
    )


@st.composite
def sizes(draw: st.DrawFn) -> Data:
    """A pair of cpu and memory that Fargate has."""
    cpu = draw(st.sampled_from(sorted(MEMORY_GIB)))
    return {"cpu": cpu, "memory": draw(st.sampled_from(MEMORY_GIB[cpu]))}


@st.composite
def bounds(draw: st.DrawFn, most: int = 5000) -> Data:
    """A minimum and a maximum."""
    least, largest = sorted(draw(st.tuples(st.integers(0, most), st.integers(0, most))))
    return {"min": least, "max": largest}


@st.composite
def schedules(draw: st.DrawFn) -> Data:
    """A time with another minimum and maximum."""
    start, end = draw(
        st.sampled_from(
            [
                ("cron(0 20 ? * FRI *)", "cron(0 6 ? * MON *)"),
                ("cron(30 18 * * ? *)", "cron(0/15 7-9 * * ? 2026-2030)"),
                ("at(2030-01-01T00:00:00)", "at(2030-01-02T12:30:00)"),
            ]
        )
    )
    zone = draw(some(timezone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York"])))
    return {"start": start, "end": end, **draw(bounds()), **zone}


@st.composite
def fleets(draw: st.DrawFn, role: str, images: st.SearchStrategy[str]) -> Data:
    """A fleet, but for the tasks that it names."""
    fleet: Data = {"role": role}
    if draw(st.booleans()):
        fleet |= draw(sizes())
    if draw(st.booleans()):
        fleet["scaling"] = {
            **draw(bounds()),
            **draw(
                some(
                    schedule=st.lists(
                        schedules(),
                        max_size=2,
                        unique_by=lambda item: (item["start"], item.get("timezone", "UTC")),
                    )
                )
            ),
        }
    timeouts = some(schedule=DURATIONS, execution=DURATIONS)
    weights = st.sampled_from(
        [{}, {"spot": 1}, {"on_demand": 5}, {"spot": 4, "on_demand": 1}, {"spot": 1000}]
    )
    return fleet | draw(
        some(
            architecture=st.sampled_from(["x86_64", "arm64"]),
            slots=st.integers(1, 1000),
            high_memory=st.booleans(),
            high_cpu=st.booleans(),
            capacity=st.builds(
                lambda weight, base: {**weight, **(base if weight.get("on_demand") else {})},
                weights,
                some(on_demand_base=st.integers(0, 20)),
            ),
            ephemeral_storage_gb=st.integers(21, 200),
            environment=st.dictionaries(
                VARIABLES, WORDS | st.just('${path.root} %{ if } "quoted"'), max_size=3
            ),
            secrets=st.dictionaries(st.just("LICENSE_KEY"), SECRETS),
            timeouts=some(scatter_gather=timeouts, experiment=timeouts),
            exec=st.booleans(),
            image=images,
        )
    )


@st.composite
def workers(draw: st.DrawFn, images: st.SearchStrategy[str]) -> Data:
    """One to four fleets, of which at most one leaf fleet names no tasks."""
    data: Data = {}
    rest_taken = False
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        fleet = draw(fleets(draw(st.sampled_from(["leaf", "fan"])), images))
        if fleet["role"] == "leaf" and (rest_taken or draw(st.booleans())):
            fleet["experiments"] = [f"scythe_experiment_{name}"]
        rest_taken |= fleet["role"] == "leaf" and "experiments" not in fleet
        data[name] = fleet
    return data


@st.composite
def networks(draw: st.DrawFn, *, self_hosted: bool) -> Data:
    """A network that the engine's mode can work with."""
    tier = draw(st.sampled_from(["private", "public"]))
    if draw(st.integers(0, 4)) == 0:
        ids = [f"subnet-{digit * 17}" for digit in "abcd"]
        existing = {"vpc_id": f"vpc-{'a' * 17}", "public_subnet_ids": ids[:2], "private_subnet_ids": ids[2:]}
        return {"worker_subnets": tier, "existing": existing}
    modes = ["instance", "single", "per_az"]
    nat = draw(st.sampled_from(modes if tier == "private" and not self_hosted else ["none", *modes]))
    named = st.lists(st.sampled_from(ENDPOINT_NAMES), min_size=1, unique=True)
    if nat == "none" and self_hosted:
        endpoints = st.just(True) | named.map(
            lambda more: sorted({*NEEDED_ENDPOINTS, "ssm", "ssmmessages", *more})
        )
    else:
        endpoints = st.booleans() | named
    optional = some(
        cidr=st.sampled_from(
            ["10.20.0.0/16", "172.16.8.0/21", "192.168.0.0/17", *([] if self_hosted else ["172.16.4.0/22"])]
        ),
        flow_logs=some(retention_days=st.sampled_from(LOG_RETENTION_DAYS)),
    )
    data = {
        "worker_subnets": tier,
        "nat": nat,
        "az_count": draw(st.integers(2 if self_hosted else 1, 6)),
        **draw(optional),
    }
    return {**data, "interface_endpoints": draw(endpoints)}


@st.composite
def storages(draw: st.DrawFn) -> Data:
    """A bucket of our own or one that exists."""
    prefix = draw(some(prefix=st.sampled_from(["a", "building-stock/2026", "a.b_c=d"])))
    if draw(st.integers(0, 3)) == 0:
        return {"bucket": "somebodys-results", "existing": True, **prefix}
    days = st.integers(1, 1000)
    lifecycle = some(
        archive_after_days=days,
        delete_after_days=st.integers(1001, 36500),
        delete_old_versions_after_days=days,
    )
    optional = some(
        bucket=st.just("our-results"),
        versioning=st.booleans(),
        force_destroy=st.booleans(),
        lifecycle=lifecycle,
    )
    return {**prefix, **draw(optional)}


@st.composite
def engines(draw: st.DrawFn) -> Data:
    """A self-hosted engine."""

    def service(most: int) -> st.SearchStrategy[Data]:
        return st.builds(
            lambda size, more: {**size, **more},
            sizes(),
            some(count=st.integers(1, most), architecture=st.sampled_from(["x86_64", "arm64"])),
        )

    database = some(
        {"storage_gb": st.integers(20, 100), "max_storage_gb": st.integers(110, 1000)},
        engine_version=st.sampled_from(["15", "16", "17.2"]),
        instance_class=st.just("db.t4g.large"),
        multi_az=st.booleans(),
        backup_days=st.integers(0, 35),
        deletion_protection=st.booleans(),
        password_version=st.integers(1, 9),
    )
    broker = draw(st.sampled_from(["postgres", "rabbitmq", "amazon_mq"]))
    certificate = {"certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222"}
    domain: Data = {"domain": "hatchet.example.org"}
    outside = some(allowed_cidrs=st.sampled_from([["203.0.113.0/24", "10.0.0.0/8"], ["0.0.0.0/0"], []]))
    return {
        "mode": "self_hosted",
        "admin_email": "ops@example.org",
        "broker": broker,
        **draw(
            st.just({})
            | st.builds(
                lambda *parts: {key: value for part in parts for key, value in part.items()},
                st.just(domain),
                st.sampled_from([certificate, {"zone_id": "Z0123456789ABC"}]),
                outside,
            )
        ),
        **draw(
            some(
                version=st.just("v0.104.7"),
                database=database,
                # The smallest database here has connections for five of both.
                engine=service(3),
                api=service(2),
                dashboard=service(20),
                image_registry=st.just("ecr"),
                token_days=st.integers(4, 3650),
                **(
                    {"rabbitmq": sizes().filter(lambda size: size.get("cpu", 1) >= 0.5)}
                    if broker == "rabbitmq"
                    else {}
                ),
                **(
                    {"amazon_mq": some(instance_type=st.just("mq.m7g.large"))}
                    if broker == "amazon_mq"
                    else {}
                ),
            )
        ),
    }


KEYS = st.sampled_from(
    [
        f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key}"
        for key in ("01234567-89ab-cdef-0123-456789abcdef", f"mrk-{'a' * 32}")
    ]
)
BOUNDARIES = (f"arn:aws:iam::{ACCOUNT}:policy/team/scythe", "arn:aws:iam::aws:policy/PowerUserAccess")


@st.composite
def environments(draw: st.DrawFn, *, self_hosted: bool | None = None) -> Data:
    """A valid environment, ready for `json.dumps`.

    Args:
        draw: hypothesis' own.
        self_hosted: whether Hatchet is; None for either.
    """
    hosted = draw(st.booleans()) if self_hosted is None else self_hosted
    network = draw(networks(self_hosted=hosted))
    images = ECR_IMAGES if network.get("nat") == "none" else IMAGES
    token = some(
        token_secret_arn=st.just(f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:hatchet-AbCdEf")
    )
    cloud = some(
        {"mode": "cloud"},
        token_secret_arn=st.just(f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:t-AbCdEf"),
    )
    s3 = some({"backend": "s3", "bucket": "our-states"}, kms_key_id=st.just("alias/states"))
    tags = st.dictionaries(st.sampled_from(["owner", "cost-center", "project", "a:b/c"]), WORDS)
    return {
        "name": draw(NAMES),
        "network": network,
        "hatchet": {**draw(engines()), **draw(token)} if hosted else draw(cloud),
        "storage": draw(storages()),
        "workers": draw(workers(images)),
        **draw(
            some(
                account_id=st.just(ACCOUNT),
                permissions_boundary=st.sampled_from(BOUNDARIES),
                tags=tags,
                kms=some(**dict.fromkeys(("secrets", "bucket", "logs", "repositories"), KEYS)),
                state=st.just({"backend": "local"}) | s3,
                image=images,
                observability=some(
                    alarm_email=st.just("ops@example.org"),
                    log_retention_days=st.sampled_from(LOG_RETENTION_DAYS),
                    monthly_budget_usd=st.integers(1, 10_000) | st.floats(1, 10_000),
                ),
            )
        ),
    }
