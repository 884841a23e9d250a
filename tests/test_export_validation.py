"""A fault in a module's variables is told in the words that the environment file has for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from environments.checking import Refused, check
from ops.export import write
from ops.export.repository import repository

VPC = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}

Case = tuple[str, dict[str, Any]]

FAULTS: list[Case] = [
    ("network", {"cidr": "10.0.0.1/16"}),
    ("network", {"cidr": "11.0.0.0/16"}),
    ("network", {"az_count": 0}),
    ("network", {"az_count": 7}),
    ("network", {"az_count": 1.5}),
    ("network", {"nat": "gateway"}),
    ("network", {"interface_endpoints": ["ecr.api", "no-such"]}),
    ("network", {"interface_endpoints": []}),
    ("network", {"interface_endpoints": "all"}),
    ("network", {"flow_logs": {"retention_days": 2}}),
    ("network", {"worker_subnets": "both"}),
    ("network", {"existing": {**VPC, "vpc_id": "my-vpc"}}),
    ("network", {"existing": {**VPC, "private_subnet_ids": ["subnet-12345678", "subnet-12345678"]}}),
    ("network", {"existing": {**VPC, "public_subnet_ids": ["x"]}}),
    ("network", {"existing": VPC, "worker_subnets": "public"}),
    ("network", {"existing": VPC, "cidr": "10.1.0.0/16"}),
    ("network", {"existing": VPC, "az_count": 3}),
    ("network", {"existing": VPC, "nat": "none"}),
    ("network", {"existing": VPC, "interface_endpoints": ["ecr.api"]}),
    ("network", {"existing": VPC, "flow_logs": {}}),
    ("storage", {"bucket": "Results"}),
    ("storage", {"bucket": "results-s3alias"}),
    ("storage", {"prefix": "/results"}),
    ("storage", {"prefix": "a/../b"}),
    ("storage", {"existing": True}),
    ("storage", {"existing": True, "bucket": "results", "versioning": False}),
    ("storage", {"existing": True, "bucket": "results", "force_destroy": True}),
    ("storage", {"existing": True, "bucket": "results", "lifecycle": {"delete_after_days": 5}}),
    ("storage", {"lifecycle": {"archive_after_days": 0}}),
    ("storage", {"lifecycle": {"delete_after_days": 40000}}),
    ("storage", {"lifecycle": {"delete_old_versions_after_days": 0.5}}),
    ("storage", {"lifecycle": {"archive_after_days": 30, "delete_after_days": 30}}),
    ("name", {"name": "Docs"}),
    ("name", {"name": "a-name-of-more-than-24-letters"}),
    ("network", {"cidr": "10.0.0.0/30", "az_count": 9, "nat": "no"}),
]  # fmt: skip

VALID: list[Case] = [
    ("network", {}),
    ("network", {"az_count": 6, "nat": "per_az", "interface_endpoints": True, "flow_logs": {}}),
    ("network", {"interface_endpoints": ["ecr.api"], "flow_logs": {"retention_days": 3653}}),
    ("network", {"existing": VPC}),
    ("storage", {}),
    ("storage", {"bucket": "results", "existing": True}),
    ("storage", {"lifecycle": {"archive_after_days": 1, "delete_after_days": 2}, "versioning": False}),
    ("name", {"name": "a-name-of-just-24-letter"}),
]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules."""
    folder = tmp_path_factory.mktemp("variables")
    write(folder, repository(None))
    return folder / "modules"


def refused(modules: Path, folder: Path, cases: list[Case]) -> list[set[str]]:
    """What Terraform says of the variables of each case.

    Each has a copy of its module, by which Terraform tells where a fault is, without the resources, so that it
    needs no provider.
    """
    calls = {}
    for number, (part, given) in enumerate(cases):
        module = "network" if part == "name" else part
        settings = {"storage_lifecycle" if key == "lifecycle" else key: value for key, value in given.items()}
        (folder / f"case_{number}").mkdir()
        shutil.copy(modules / module / "variables.tf", folder / f"case_{number}")
        calls[f"case_{number}"] = {"source": f"./case_{number}", "name": "docs", **settings}
    (folder / "main.tf.json").write_text(json.dumps({"module": calls}))
    subprocess.run(["terraform", "init", "-input=false"], cwd=folder, check=True, capture_output=True)
    found: list[set[str]] = [set() for _ in cases]
    # Terraform compares variables with one another only where none has a fault of its own.
    while messages := planned(folder):
        for number, message in messages:
            found[number].add(message)
            calls.pop(f"case_{number}", None)
        (folder / "main.tf.json").write_text(json.dumps({"module": calls} if calls else {}))
    return found


def planned(folder: Path) -> list[tuple[int, str]]:
    """The faults that a plan finds, with the number of the case."""
    ran = subprocess.run(
        ["terraform", "plan", "-json", "-input=false"], cwd=folder, capture_output=True, text=True
    )
    told = [line["diagnostic"] for line in map(json.loads, ran.stdout.splitlines()) if "diagnostic" in line]
    assert ran.returncode == bool(told), ran.stdout
    faults = [re.fullmatch(r"(.*)\n\nThis was .* at case_(\d+)/.*", fault["detail"]) for fault in told]
    assert None not in faults, told
    return [(int(fault[2]), fault[1]) for fault in faults if fault]


def words_of_the_environment_file(part: str, given: dict[str, Any]) -> set[str]:
    top = given if part == "name" else {part: given}
    with pytest.raises(Refused) as error:
        check({"name": "docs", "workers": {"simulations": {"role": "leaf"}}, **top})
    return {
        f"{'.'.join(map(str, path if part == 'name' else path[1:]))} {re.sub('^got .*?; ', '', words)}"
        for path, found in error.value.faults.items()
        for words in found
    }


@pytest.mark.slow
def test_faults_are_told_in_the_same_words(modules: Path, tmp_path: Path) -> None:
    said = refused(modules, tmp_path, FAULTS)

    expected = [words_of_the_environment_file(*case) for case in FAULTS]
    assert list(zip(FAULTS, said, strict=True)) == list(zip(FAULTS, expected, strict=True))


@pytest.mark.slow
def test_what_is_valid_passes(modules: Path, tmp_path: Path) -> None:
    assert refused(modules, tmp_path, VALID) == [set() for _ in VALID]
