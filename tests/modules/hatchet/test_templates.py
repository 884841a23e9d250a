"""What the templates of a self-hosted engine say, evaluated by Terraform where an expression stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from modules.hatchet.connections import (
    BESIDE,
    LEAST_POOL,
    RESERVED,
    connections,
    pool,
    pool_variables,
)
from modules.hatchet.settings import HatchetSettings
from synthesis.expression import Expression
from tests.support import console

Template = dict[str, Any]


@pytest.fixture
def template(templates: dict[str, Template]) -> Template:
    """The stack of the contract's self-hosted engine."""
    return templates["hatchet"]


def evaluated(expression: str, folder: Path, **settings: object) -> Any:
    """What Terraform makes of an expression over ``local.hatchet``."""
    return console.evaluated(expression, folder, hatchet=settings)


def defined(template: Template, part: str) -> str:
    return str(template["resource"]["aws_ecs_task_definition"][part]["container_definitions"])


# --- what starts, and what decides whether it is killed


def test_a_program_stands_in_command_where_its_image_has_no_entry_point(template: Template) -> None:
    engine, dashboard, set_up = (defined(template, part) for part in ("engine", "dashboard", "setup"))
    assert 'command = ["/hatchet/hatchet-engine"]' in engine
    assert 'command = ["/hatchet/hatchet-api"]' in defined(template, "api")
    assert 'command = ["/app/hatchet-staticfileserver", "-static-asset-dir"' in dashboard
    assert not any("entryPoint" in text for text in (engine, defined(template, "api"), dashboard))
    assert 'command = ["cp", "/hatchet/hatchet-migrate", "/setup/"]' in set_up
    # The images of the AWS CLI, PostgreSQL and RabbitMQ have one, which is replaced.
    assert set_up.count('entryPoint = ["sh"], command = ["-euc", ') == 4
    assert 'entryPoint = ["docker-entrypoint.sh"], command = ["rabbitmq-server"]' in defined(
        template, "rabbitmq"
    )


def test_no_container_is_killed_while_its_database_or_its_broker_is_away(template: Template) -> None:
    for part in ("engine", "api"):
        _, check = defined(template, part).split("healthCheck = ")
        assert "/version" in check
        assert not any(path in check for path in ("/ready", "/live"))
    groups = template["resource"]["aws_lb_target_group"]
    checks = {name: group["health_check"] for name, group in groups.items()}
    assert checks["lb_api"]["path"] == "/api/ready"
    # One threshold for all: what is slow after a failover is slow for the engine too.
    for check in checks.values():
        assert check["interval"] * check["unhealthy_threshold"] >= 300
    services = template["resource"]["aws_ecs_service"]
    for part in ("engine", "api", "dashboard"):
        assert services[part]["health_check_grace_period_seconds"].endswith("> 0 ? 120 : null}")


def test_what_is_entered_by_ecs_exec_drops_no_capability(template: Template, tmp_path: Path) -> None:
    is_public = template["locals"]["is_public"].removeprefix("${").removesuffix("}")
    (drop,) = {
        part.replace("local.is_public", is_public).split(" } }")[0]
        for part in defined(template, "dashboard").split("drop = ")[1:]
    }
    assert evaluated(drop, tmp_path, domain=None, enable_https=None) == []
    assert evaluated(drop, tmp_path, domain="a.org", enable_https=None) == ["ALL"]


def test_the_broker_has_time_memory_and_short_names(template: Template, tmp_path: Path) -> None:
    broker = defined(template, "rabbitmq")
    assert "interval = 30, timeout = 30, retries = 10, startPeriod = 300" in broker
    assert 'RABBITMQ_USE_LONGNAME = "false"' in broker
    arguments = broker.split("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS = ")[1].split(", RABBITMQ_USE")[0]
    said = evaluated(arguments, tmp_path, rabbitmq={"memory": 2})
    assert said == "-rabbit vm_memory_high_watermark {absolute,1288490188}"


def test_set_up_and_broker_have_the_engines_processor(template: Template) -> None:
    for part in ("setup", "rabbitmq"):
        platform = template["resource"]["aws_ecs_task_definition"][part]["runtime_platform"]
        assert platform["cpu_architecture"] == "${upper(local.hatchet.engine.architecture)}"


# --- the database


@pytest.mark.parametrize(
    ("version", "upgraded"), [("16", True), ("16.4", False), ("17", True), ("15.10", False)]
)
def test_a_pinned_minor_version_is_not_upgraded(
    template: Template, tmp_path: Path, version: str, upgraded: bool
) -> None:
    database = template["resource"]["aws_db_instance"]["database"]
    said = evaluated(database["auto_minor_version_upgrade"], tmp_path, database={"engine_version": version})
    assert said is upgraded


@pytest.mark.parametrize(
    ("storage", "most"), [(20, 100), (13_107, 65_535), (13_108, 65_536), (59_578, 65_536), (59_579, 0), (65_536, 0)]
)  # fmt: skip
def test_storage_grows_to_no_more_than_rds_has(
    template: Template, tmp_path: Path, storage: int, most: int
) -> None:
    database = template["resource"]["aws_db_instance"]["database"]
    given = {"storage_gb": storage, "max_storage_gb": None}
    assert evaluated(database["max_allocated_storage"], tmp_path, database=given) == most


@pytest.mark.parametrize(
    ("name", "documented"),
    [("db.t4g.micro", 87), ("db.t4g.small", 190), ("db.t4g.medium", 410), ("db.t4g.large", 850), ("db.r6g.large", 1700),
     ("db.m6g.24xlarge", 5000), ("db.x2iedn.xlarge", 5000)],
)  # fmt: skip
def test_a_class_has_at_least_the_connections_that_are_counted_on(name: str, documented: int) -> None:
    assert documented * 0.75 < connections(name) <= documented


@pytest.mark.parametrize("name", ["db.t4g.micro", "db.t4g.small", "db.t4g.large", "db.r6g.2xlarge"])
@pytest.mark.parametrize(("engines", "apis"), [(1, 1), (2, 1), (2, 3)])
def test_pools_of_a_rolling_deployment_fit_the_database(
    template: Template, tmp_path: Path, name: str, engines: int, apis: int
) -> None:
    given = {"database": {"instance_class": name}, "engine": {"count": engines}, "api": {"count": apis}}
    text = defined(template, "engine").split("DATABASE_MAX_CONNS = ")[1].split(", DATABASE_PASSWORD")[0]
    size = int(evaluated(text, tmp_path, **given))
    fits = 2 * (engines + apis) * (size + BESIDE) + RESERVED <= connections(name)
    assert fits
    if size < LEAST_POOL:
        with pytest.raises(ValueError, match="connections are enough for"):
            HatchetSettings.model_validate({"mode": "self_hosted", **given})
    else:
        HatchetSettings.model_validate({"mode": "self_hosted", **given})


def test_maintenance_takes_database_and_broker_on_different_days(template: Template) -> None:
    broker = template["resource"]["aws_mq_broker"]["amazon_mq"]["maintenance_window_start_time"]
    database = template["resource"]["aws_db_instance"]["database"]["maintenance_window"]
    assert not database.startswith(broker["day_of_week"][:3].lower())


# --- tokens


@pytest.mark.parametrize(("days", "hours"), [(4, 60), (7, 60), (8, 64), (90, 720)])
def test_a_token_is_renewed_with_a_set_up_to_spare(
    template: Template, tmp_path: Path, days: int, hours: int
) -> None:
    text = defined(template, "setup").split("RENEW_BEFORE = ")[1].split(", ROTATE")[0]
    assert evaluated(text, tmp_path, token_days=days) == f"{hours} hours"
    assert days * 24 > hours > 48


# --- where it runs


@pytest.mark.parametrize(
    ("public", "private", "workers", "are_public", "chosen"),
    [
        (["p1", "p2"], ["s1", "s2"], ["s1", "s2"], False, ["s1", "s2"]),
        (["p1", "p2", "p3"], ["s1", "s2", "s3"], ["s1", "s2"], False, ["s1", "s2"]),
        (["p1", "p2", "p3"], ["s1", "s2", "s3"], ["p1", "p2"], True, ["s1", "s2"]),
        # A network that exists: all of them, in any order and number.
        (["p1"], ["s1", "s2"], ["p1"], True, ["s1", "s2"]),
        ([], ["s1", "s2"], ["s1", "s2"], False, ["s1", "s2"]),
    ],
)
def test_services_are_in_zones_that_have_fargate(
    template: Template, tmp_path: Path, public: list[str], private: list[str], workers: list[str], are_public: bool,
    chosen: list[str],
) -> None:  # fmt: skip
    for service in template["resource"]["aws_ecs_service"].values():
        assert service["network_configuration"]["subnets"] == "${local.subnets}"
    network = "data.terraform_remote_state.network.outputs"
    text = template["locals"]["subnets"].replace(network, "local.hatchet")
    said = evaluated(
        text, tmp_path, public_subnet_ids=public, private_subnet_ids=private, worker_subnet_ids=workers,
        worker_public_ip=are_public,
    )  # fmt: skip
    assert said == chosen
    kept = template["resource"]["aws_db_subnet_group"]["database"]["subnet_ids"]
    assert kept == f"${{{network}.private_subnet_ids}}"


def test_a_name_goes_though_tasks_are_still_found_by_it(template: Template) -> None:
    names = template["resource"]["aws_service_discovery_service"]
    assert {name["force_destroy"] for name in names.values()} == {True}


def test_a_forwarder_ends_sessions_of_their_own_alone(template: Template) -> None:
    policy = template["resource"]["aws_iam_policy"]["forward"]["policy"]
    (statement,) = [part for part in policy.split("{ Effect") if "ssm:TerminateSession" in part]
    assert statement.count(":session/$${aws:user") == 2
    assert "session/*" not in statement


def test_a_zone_that_acm_cannot_use_is_refused(template: Template, tmp_path: Path) -> None:
    (zone,) = template["data"]["aws_route53_zone"].values()
    public, holds = (item["condition"] for item in zone["lifecycle"]["postcondition"])
    assert public == "${self.private_zone != true}"
    for name, domain, fits in [
        ("example.org", "hatchet.example.org", True), ("example.org.", "example.org", True),
        ("ample.org", "hatchet.example.org", False), ("example.com", "hatchet.example.org", False),
    ]:  # fmt: skip
        text = holds.replace("self.name", f'"{name}"')
        assert evaluated(text, tmp_path, domain=domain) is fits


def test_the_pool_is_said_to_the_engine_in_its_own_names() -> None:
    names = pool_variables(HatchetSettings())
    assert set(names) == {
        "DATABASE_DDL_POOL_MAX_CONNS", "DATABASE_MAX_CONNS", "SERVER_MSGQUEUE_PUBSUB_POSTGRES_MAX_CONNS",
    }  # fmt: skip
    assert all(isinstance(value, Expression) for value in names.values())


def test_a_second_engine_leaves_the_pools_as_they_are() -> None:
    assert [pool("db.t4g.small", count, 1) for count in (1, 2)] == [20, 20]


# --- who comes in


def test_all_blocks_of_a_vpc_that_exists_come_in_where_none_are_named(
    template: Template, tmp_path: Path
) -> None:
    vpc = {
        "cidr_block": "10.0.0.0/16",
        "cidr_block_associations": [
            {"cidr_block": block, "state": state}
            for block, state in (
                ("10.0.0.0/16", "associated"),
                ("100.64.0.0/16", "associated"),
                ("10.9.0.0/16", "disassociated"),
            )
        ],
    }
    expression = re.sub(r"data\.aws_vpc\.\w+", "local.hatchet.vpc", template["locals"]["lb_allowed_cidrs"])
    given = {"domain": "hatchet.example.org", "certificate_arn": "arn", "zone_id": None, "vpc": vpc}
    came_in = evaluated(expression, tmp_path, allowed_cidrs=[], **given)
    assert came_in == ["10.0.0.0/16", "100.64.0.0/16"]
    assert evaluated(expression, tmp_path, allowed_cidrs=["203.0.113.0/24"], **given) == ["203.0.113.0/24"]
