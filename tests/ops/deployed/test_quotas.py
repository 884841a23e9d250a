"""What a self-hosted engine needs of an account's quotas, beside the fleets."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.loading import load
from modules.hatchet.set_up import VCPU
from ops.deployed import quotas

NETWORK = (
    "network: {existing: {vpc_id: vpc-0abc1234, public_subnet_ids: [subnet-0abc1111, subnet-0abc2222], "
    "private_subnet_ids: [subnet-0abc1234, subnet-0abc5678]}}\n"
)


def file(folder: Path, name: str, hatchet: str, more: str = "") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\nhatchet: {{{hatchet}}}\nworkers: {{sims: {{role: leaf}}}}\n{more}")
    return path


@pytest.mark.parametrize(
    ("hatchet", "more", "vcpu", "interfaces"),
    [
        ("mode: cloud", "", 0, 0),
        # Engine, API and dashboard twice, the set-up twice; a load balancer in two zones, a database.
        ("mode: self_hosted", "", 2 * (1 + 0.5 + 0.25 + 0.25), 8 + 2 + 1),
        (
            "mode: self_hosted, engine: {cpu: 2, memory: 4, count: 3}, broker: rabbitmq, rabbitmq: {cpu: 4, memory: 8}, "
            "database: {multi_az: true}",
            "network: {az_count: 3}\n",
            2 * (3 * 2 + 0.5 + 0.25 + 0.25) + 4,
            2 * (3 + 1 + 1 + 1) + 1 + 3 + 2 + 3,
        ),
        ("mode: self_hosted, broker: amazon_mq", "", 2 * (1 + 0.5 + 0.25 + 0.25), 8 + 2 + 1 + 1),
        ("mode: self_hosted, api: {cpu: 4, memory: 8}", NETWORK, 2 * (1 + 4 + 0.25 + 0.25), 8 + 2 + 1),
    ],
)  # fmt: skip
def test_a_deployment_of_an_engine_runs_each_part_twice(
    tmp_path: Path, hatchet: str, more: str, vcpu: float, interfaces: int
) -> None:
    environment = load(file(tmp_path, "lab", hatchet, more))
    assert quotas.engines_need([environment]) == {quotas.ON_DEMAND: vcpu, quotas.INTERFACES: interfaces}


def test_engines_add_up_and_the_set_up_is_as_it_is_deployed(tmp_path: Path) -> None:
    environments = [load(file(tmp_path, name, "mode: self_hosted")) for name in ("one", "two")]
    assert quotas.engines_need(environments)[quotas.ON_DEMAND] == 8
    assert VCPU == quotas.SET_UP_VCPU


def test_what_is_hatchets_is_told() -> None:
    quota = quotas.Quota(*quotas.ON_DEMAND, "us-east-1", 10, 6.0, 4)
    assert not quota.is_enough
    assert str(quota) == (
        "Fargate On-Demand vCPU resource count (Service Quotas: fargate L-3032A538) in us-east-1 is 6, but 10 are needed "
        "with all fleets at their max (4 of them by Hatchet, in a deployment of it); raise it to 10 or lower max"
    )
