"""The container's environment: evaluated by Terraform, read by scythe-engine's own settings classes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from modules.worker_fleet.environment import container_environment
from modules.worker_fleet.settings import FleetSettings
from synthesis.literals import hcl
from synthesis.typed import typed
from tests.scythe_worker.test_worker import token
from tests.support.project import SHARED

CONTRACT = SHARED / "contract"
NO_TIMEOUTS = {
    "role": "leaf",
    "timeouts": None,
    "slots": 3,
    "high_memory": True,
    "high_cpu": False,
    "experiments": None,
}
"""A module's caller may leave out a group of optional settings: it is null."""

READ = """
import json, os, sys
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as AWS
from hatchet_sdk import config
from scythe.settings import ScytheStorageSettings, TimeoutSettings
from scythe.worker import ScytheWorkerConfig

scythe = [ScytheStorageSettings, TimeoutSettings, ScytheWorkerConfig]
classes = [*scythe, config.ClientConfig, config.HealthcheckConfig]
names = {c.model_config["env_prefix"] + field.upper() for c in classes for field in c.model_fields}
names |= {variable for _, variable, *_ in AWS.values() if isinstance(variable, str)}
loaded = {}
for fleet, variables in json.load(sys.stdin).items():
    for name in [name for name in os.environ if name.startswith(("SCYTHE_", "HATCHET_CLIENT_W"))]:
        del os.environ[name]
    os.environ.update(variables)
    worker = ScytheWorkerConfig()
    loaded[fleet] = {
        **ScytheStorageSettings().model_dump(), **TimeoutSettings().model_dump(mode="json"),
        **worker.model_dump(include={"NAME", "SLOTS", "DOES_FAN", "DOES_LEAF"}), "labels": worker.labels,
        "health": config.ClientConfig().healthcheck.model_dump(include={"enabled", "bind_address"}),
    }
json.dump({"names": sorted(names), "loaded": loaded}, sys.stdout)
"""


def fleets() -> dict[str, dict[str, Any]]:
    """The settings of the contract's fleets, by deployment and name, and of one with what can be null."""
    contract = {
        name: {
            fleet: FleetSettings.model_validate(data).model_dump(mode="json")
            for fleet, data in yaml.safe_load((CONTRACT / file).read_text())["workers"].items()
        }
        for name, file in (("docs", "docs.yaml"), ("prod", "self-hosted.yaml"))
    }
    return {**contract, "module": {"fleet": NO_TIMEOUTS}}


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What Terraform gives each fleet's container, evaluated by ``terraform console``."""
    folder = tmp_path_factory.mktemp("console")
    deployments = fleets()
    (folder / "main.tf.json").write_text(json.dumps({"locals": deployments}))
    values = []
    for deployment, its in deployments.items():
        elsewhere = (
            f"flatten([for fleet in local.{deployment} : fleet.experiments == null ? [] : fleet.experiments])"
        )
        for fleet in its:
            variables = container_environment(
                typed(FleetSettings, f"local.{deployment}.{fleet}"),
                worker_name=f"{deployment}-{fleet}",
                bucket="results",
                prefix="my-project",
                region="eu-west-1",
                experiments_elsewhere=typed(list[str], elsewhere),
            )
            given = f"{{ for name, value in {hcl(variables)} : name => value if value != null }}"
            values.append(f"{deployment}_{fleet} = {given}")
    ran = subprocess.run(
        ["terraform", f"-chdir={folder}", "console"],
        input=f"jsonencode({{ {', '.join(values)} }})", capture_output=True, text=True, check=False,
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    given = json.loads(json.loads(ran.stdout))
    assert isinstance(given, dict)
    return given


@pytest.fixture(scope="module")
def read(environments: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What scythe-engine's and hatchet-sdk's settings classes make of them, and the names that they know."""
    ran = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps(environments), capture_output=True, text=True, check=True,
        env={
            "PATH": os.environ["PATH"],
            "HATCHET_CLIENT_TOKEN": token(sub="t", server_url="http://h", grpc_broadcast_address="h:1"),
        },
    )  # fmt: skip
    answer = json.loads(ran.stdout)
    assert isinstance(answer, dict)
    return answer


HEALTH = {"enabled": True, "bind_address": "127.0.0.1"}
STORAGE = {"BUCKET": "results", "BUCKET_PREFIX": "my-project", "health": HEALTH}
FIELDS = (
    "SCATTER_GATHER_SCHEDULE",
    "SCATTER_GATHER_EXECUTION",
    "EXPERIMENT_SCHEDULE",
    "EXPERIMENT_EXECUTION",
)
LEAF = {"DOES_LEAF": True, "DOES_FAN": False, "labels": {}}
FAN = {"DOES_LEAF": False, "DOES_FAN": True, "labels": {}}
HIGH = {"labels": {"high_memory": "yes", "high_cpu": "yes"}}
HOLDS: dict[str, tuple[dict[str, Any], int, tuple[str, str, str, str]]] = {
    "docs_simulations": (LEAF, 1, ("10h", "10h", "10h", "30m")),
    "docs_fanouts": (FAN, 4, ("10h", "10h", "10h", "1m")),
    "prod_simulations": (LEAF, 1, ("1h", "1h", "1h", "1m")),
    "prod_heavy": (LEAF | HIGH, 2, ("1h", "1h", "1h", "1m")),
    "prod_fanouts": (FAN, 4, ("1h", "1h", "1h", "1m")),
    # scythe-engine's own defaults, as JSON writes a timedelta.
    "module_fleet": (LEAF | {"labels": {"high_memory": "yes"}}, 3, ("PT1H", "PT1H", "PT1H", "PT1M")),
}


@pytest.mark.parametrize("fleet", HOLDS)
def test_scythe_reads_what_the_file_says(read: dict[str, Any], fleet: str) -> None:
    role, slots, timeouts = HOLDS[fleet]
    named = {"NAME": fleet.replace("_", "-"), "SLOTS": slots}
    assert read["loaded"][fleet] == STORAGE | role | named | dict(zip(FIELDS, timeouts, strict=True))


def test_every_variable_is_read_by_someone(
    environments: dict[str, dict[str, str]], read: dict[str, Any]
) -> None:
    own = {"SCYTHE_WORKER_EXPERIMENTS", "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE"}
    given = {name for variables in environments.values() for name in variables}
    assert given - own <= set(read["names"])
    assert own <= given


def test_a_task_belongs_to_one_fleet(environments: dict[str, dict[str, str]]) -> None:
    names = ("SCYTHE_WORKER_EXPERIMENTS", "SCYTHE_WORKER_EXPERIMENTS_ELSEWHERE")
    annual = "scythe_experiment_annual"
    assert {fleet: tuple(given.get(name) for name in names) for fleet, given in environments.items()} == {
        "docs_simulations": (None, None),
        "docs_fanouts": (None, None),
        "prod_simulations": (None, annual),
        "prod_heavy": (annual, None),
        "prod_fanouts": (None, None),
        "module_fleet": (None, None),
    }


def test_what_is_left_out_is_no_variable(environments: dict[str, dict[str, str]]) -> None:
    assert not [name for name in environments["module_fleet"] if name.startswith("SCYTHE_TIMEOUT_")]
    assert "" not in [value for given in environments.values() for value in given.values()]


def test_no_token_and_no_cdktf() -> None:
    program = (
        "import sys, types\n"
        "import modules.worker_fleet.environment as e\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('cdktf', 'jsii')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
