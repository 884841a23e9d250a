"""Local states: one folder wherever the output is, and another region is told before anything is planned."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.loading import load
from environments.schema import Environment
from environments.states import refusal, states_from
from main import synthesize

HERE, ELSEWHERE = (
    "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1",
    "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1",
)
GLOBAL = "arn:aws:iam::123456789012:role/lab"


def environment(folder: Path, region: str = "eu-west-1", **more: object) -> Environment:
    file = folder / "lab.yaml"
    file.write_text(json.dumps({"name": "lab", "region": region, "workers": {"a": {"role": "leaf"}}, **more}))
    return load(file)


def state(folder: Path, *arns: str, name: str = "lab-network", mode: str = "managed") -> None:
    folder.mkdir(exist_ok=True)
    instances = [{"attributes": {"arn": arn}} for arn in arns]
    (folder / f"{name}.tfstate").write_text(
        json.dumps({"version": 4, "resources": [{"mode": mode, "type": "aws_vpc", "instances": instances}]})
    )


def test_another_region_is_refused_with_the_way_out(tmp_path: Path) -> None:
    states = tmp_path / "state"
    state(states, GLOBAL, ELSEWHERE)
    said = refusal(environment(tmp_path), states)
    assert "region: got eu-west-1" in said and "holds resources in us-east-1" in said
    assert "destroy them there first" in said
    assert not refusal(environment(tmp_path, "us-east-1"), states)
    # The states of a bucket are not here.
    bucket = {"backend": "s3", "bucket": "states-of-all"}
    assert not refusal(environment(tmp_path, state=bucket), states)


@pytest.mark.parametrize(
    ("arns", "name", "mode"),
    [([HERE], "lab-network", "managed"), ([GLOBAL], "lab-network", "managed"), ([], "lab-network", "managed"),
     ([ELSEWHERE, HERE], "lab-network", "managed"), ([ELSEWHERE], "laboratory", "managed"),
     ([ELSEWHERE], "lab-network", "data")],
)  # fmt: skip
def test_what_is_no_other_region(tmp_path: Path, arns: list[str], name: str, mode: str) -> None:
    state(tmp_path / "state", *arns, name=name, mode=mode)
    assert not refusal(environment(tmp_path), tmp_path / "state")


def test_the_states_of_a_bucket_are_looked_for_in_the_environments_region_where_terraform_refuses_another(
    tmp_path: Path,
) -> None:
    bucket = {"backend": "s3", "bucket": "states-of-all"}
    for region in ("eu-west-1", "us-east-1"):
        synthesize([environment(tmp_path, region, state=bucket)], tmp_path / region)
        for stack in (tmp_path / region / "stacks").iterdir():
            backend = json.loads((stack / "cdk.tf.json").read_text())["terraform"]["backend"]["s3"]
            assert (backend["bucket"], backend["region"]) == ("states-of-all", region)


def zones(folder: Path, *of: str, name: str = "lab-network") -> None:
    folder.mkdir(exist_ok=True)
    instances = [{"index_key": zone, "attributes": {"arn": HERE}} for zone in of]
    subnets = [
        {"mode": "managed", "type": "aws_subnet", "name": tier, "instances": instances}
        for tier in ("public", "private")
    ]
    (folder / f"{name}.tfstate").write_text(json.dumps({"version": 4, "resources": subnets}))


@pytest.mark.parametrize("user", ["workers", "hatchet"])
def test_fewer_zones_are_refused_while_something_may_use_them(tmp_path: Path, user: str) -> None:
    states = tmp_path / "state"
    zones(states, "a", "b", "c")
    # Nothing uses them: Terraform deletes them.
    assert not refusal(environment(tmp_path), states)
    state(states, HERE, name=f"lab-{user}")
    said = refusal(environment(tmp_path), states)
    assert said == (
        f"lab: network.az_count: got 2, but {states}/lab-network.tfstate holds subnets in 3 zones, which lab-{user} may use, "
        f"and AWS deletes no subnet in use; must be at least 3, or destroy lab-{user} first and deploy anew"
    )
    for count in (3, 4):
        assert not refusal(environment(tmp_path, network={"az_count": count}), states)
    state(states, name=f"lab-{user}")
    assert not refusal(environment(tmp_path), states)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"resources": 3}', '{"resources": [{"mode": "managed"}]}',
             '{"resources": [{"mode": "managed", "instances": [{"attributes": null}]}]}'],
)  # fmt: skip
def test_a_state_that_cannot_be_read_is_terraforms_to_tell(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lab-network.tfstate").write_text(text)
    assert not refusal(environment(tmp_path), tmp_path / "state")


@given(st.lists(st.sampled_from(["out", "..", "a b", "deep"]), min_size=1, max_size=4))
def test_every_output_folder_has_the_same_states(parts: list[str]) -> None:
    out = Path(*parts)
    from_stack = out / "stacks" / "lab-network" / states_from(out)
    assert Path(os.path.normpath(Path.cwd() / from_stack)) == Path.cwd() / "state"


def test_the_default_output_is_as_it_was() -> None:
    assert states_from(Path("cdktf.out")) == "../../../state"
