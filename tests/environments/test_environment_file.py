"""Environment files: what they mean, what is left out of them, what editors and Terraform make of the rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from environments.advice import waiting_tasks, warnings
from environments.checking import Refused, check
from environments.errors import EnvironmentFileError
from environments.loading import FOLDER, find, load, load_all
from environments.schema import Environment, json_schema
from tests.environments.malformed.fleets import WRONG_FLEETS
from tests.support.project import SELF_HOSTED, SHARED
from tests.support.strategies import environments

CONTRACTS = [FOLDER / "docs.yaml", FOLDER / "dev.yaml", SELF_HOSTED]
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/a/worker@sha256:{'0' * 64}"


def write(folder: Path, data: object, name: str = "a") -> Path:
    path = folder / f"{name}.yaml"
    # PyYAML writes YAML 1.1 and leaves text such as 08 without quotes, which is a number in YAML 1.2; JSON is both.
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=1))
    return path


def loaded(folder: Path, **settings: Any) -> Environment:
    return load(write(folder, {"name": "a", "workers": {"w": {"role": "leaf"}}, **settings}))


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models(part)


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.stem)
def test_every_key_of_a_contract_has_its_effect(file: Path) -> None:
    def assert_holds(settings: Any, data: Any) -> None:
        if isinstance(data, dict):
            for key, value in data.items():
                assert_holds(settings[key], value)
        elif isinstance(data, list):
            for item, value in zip(settings, data, strict=True):
                assert_holds(item, value)
        else:
            assert settings == data

    assert_holds(load(file).model_dump(), yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("name", ["docs", "self-hosted"])
def test_our_files_are_the_contracts(name: str) -> None:
    contract = SHARED / "contract" / f"{name}.yaml"
    ours = next(file for file in CONTRACTS if file.stem == name).read_text().splitlines()
    if name == "docs":
        assert ours.pop(0) == "# yaml-language-server: $schema=schema.json"
    # Beside the repository in the project's own workspace only.
    assert not contract.exists() or contract.read_text().splitlines() == ours


def test_what_is_left_out(tmp_path: Path) -> None:
    environment = load(write(tmp_path, "name: a\nworkers: {l: {role: leaf}, f: {role: fan}}\n"))

    leaf, fan = environment.workers["l"], environment.workers["f"]
    assert (environment.region, environment.network.nat, environment.hatchet.mode) == (
        "us-east-1",
        "instance",
        "cloud",
    )
    assert (leaf.cpu, leaf.memory, leaf.slots, leaf.scaling.min, leaf.scaling.max) == (2, 8, 1, 0, 100)
    assert (fan.cpu, fan.memory, fan.slots, fan.scaling.min, fan.scaling.max) == (4, 24, 4, 0, 10)
    assert {leaf.architecture, fan.architecture} == {"x86_64"}
    assert leaf.capacity.model_dump() == {
        "spot": 1,
        "on_demand": 0,
        "on_demand_base": 0,
        "fallback": None,
    }
    assert environment.image_of(leaf) is None


def test_defaults_follow_what_is_given(tmp_path: Path) -> None:
    schedule = {"start": "rate(1 day)", "end": "rate(2 days)", "max": 50}
    workers = {
        "big": {"role": "leaf", "cpu": 16, "capacity": {"on_demand": 1}},
        "fan": {"role": "fan", "cpu": 0.25, "scaling": {"min": 1, "schedule": [schedule]}},
    }
    environment = loaded(tmp_path, workers=workers)

    assert environment.workers["big"].memory == 64
    assert environment.workers["big"].capacity.spot == 0
    assert environment.workers["fan"].memory == 2
    assert environment.workers["fan"].scaling.schedule[0].min == 1
    assert environment.workers["fan"].scaling.max == 10


def test_yaml_means_what_it_says(tmp_path: Path) -> None:
    text = """
name: no
tags: {a: on, b: 1:30, c: 2026-01-01, d: 0x1F}
workers:
  y: &leaf {role: leaf, slots: 010}
  z: {<<: *leaf, slots: 3, experiments: [x]}
"""
    environment = load(write(tmp_path, text))

    assert environment.name == "no"
    assert environment.tags == {"a": "on", "b": "1:30", "c": "2026-01-01", "d": "0x1F"}
    assert (environment.workers["y"].slots, environment.workers["z"].slots) == (10, 3)


def test_pushed_image(tmp_path: Path) -> None:
    (tmp_path / "a.image").write_text(f"{IMAGE}\n")

    environment = loaded(tmp_path, workers={"v": {"role": "leaf"}, "w": {"role": "fan", "image": "b/c:1"}})

    assert environment.image_of(environment.workers["v"]) == IMAGE
    assert environment.image_of(environment.workers["w"]) == "b/c:1"
    assert loaded(tmp_path, image="b/c:2").image == "b/c:2"


@pytest.mark.parametrize("content", ["", "a/worker:1", f"{IMAGE}\n{IMAGE}", "\x1b[31m", "a/worker@sha256:0"])
def test_pushed_image_that_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.image").write_text(content)

    with pytest.raises(EnvironmentFileError) as caught:
        loaded(tmp_path)

    (line,) = str(caught.value).splitlines()
    assert line.startswith(str(tmp_path / "a.image"))
    assert line.isprintable()


def test_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, "", "b")
    monkeypatch.chdir(tmp_path)

    assert find(["docs", "b.yaml", "docs", str(file)]) == [FOLDER / "docs.yaml", Path("b.yaml"), file]
    assert find() == [FOLDER / "dev.yaml", FOLDER / "docs.yaml"]


def test_two_files_of_one_name(tmp_path: Path) -> None:
    data = {"name": "a", "workers": {"w": {"role": "leaf"}}}

    with pytest.raises(
        EnvironmentFileError, match=r"c\.yaml: name: got a, the name of .*b\.yaml too; must be another"
    ):
        load_all([write(tmp_path, data, "b"), write(tmp_path, data, "c")])


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=environments())
def test_valid_environments_load(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    environment = load(write(tmp_path_factory.mktemp("drawn"), data))

    assert environment.name == data["name"]
    VALIDATOR.validate(data)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=environments(), random=st.randoms(use_true_random=False))
def test_damaged_environments_have_clear_faults(data: dict[str, Any], random: Any) -> None:
    for _ in range(random.randint(1, 4)):
        where: Any = data
        while isinstance(where, dict | list) and where:
            key = random.choice(list(where) if isinstance(where, dict) else range(len(where)))
            if random.random() < 0.3 or not isinstance(where[key], dict | list) or not where[key]:
                where[key] = random.choice(
                    [None, True, -1, 1e308, float("nan"), "", "\x1b", "x" * 2000, [], {}, [[1]], {"a": {}}]
                )
                break
            where = where[key]
    try:
        check(data)
    except Refused as refused:
        assert refused.faults
        for message in (message for messages in refused.faults.values() for message in messages):
            assert message.isprintable()
            assert "; " in message
            assert "nput should" not in message, "pydantic's own words"


def test_schema_is_current() -> None:
    assert json.loads((FOLDER / "schema.json").read_text()) == json_schema()


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.stem)
def test_editors_accept_the_contracts(file: Path) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(file.read_text()), schema)


@pytest.mark.parametrize(
    "name",
    [
        "no role",
        "a role that is none",
        "a cpu that Fargate has not",
        "a variable's bad name",
        "the latest image",
    ],
)
def test_editors_refuse_faults(name: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(WRONG_FLEETS[name][0]), json_schema())


def test_every_key_is_described() -> None:
    for model in models(Environment):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.endswith("."), f"{model.__name__}.{name}"


def test_warnings(tmp_path: Path) -> None:
    def keys(**settings: Any) -> list[str]:
        return [".".join(map(str, warning.path)) for warning in warnings(loaded(tmp_path, **settings))]

    both: dict[str, Any] = {"l": {"role": "leaf"}, "f": {"role": "fan"}}
    assert keys(workers=both) == []
    assert keys(workers=both, network={"cidr": "10.0.0.0/22", "az_count": 1}) == []
    assert keys(workers=both, network={"cidr": "10.0.0.0/22", "worker_subnets": "public", "nat": "none"}) == [
        "workers"
    ]
    assert keys(
        workers={**both, "l": {"role": "leaf", "scaling": {"max": 5000}}}, network={"cidr": "10.0.0.0/18"}
    ) == ["workers"]
    assert keys(workers={**both, "f": {"role": "fan", "slots": 1, "scaling": {"max": 11}}}) == [
        "workers.f.scaling.max"
    ]
    assert keys(workers={**both, "f": {"role": "fan", "slots": 1, "scaling": {"max": 12}}}) == []
    assert keys(workers={"l": {"role": "leaf"}}) == ["workers"]
    assert keys(workers={**both, "g": {"role": "fan"}}) == ["workers.g"]
    assert keys(workers=both, observability={"monthly_budget_usd": 10}) == [
        "observability.monthly_budget_usd"
    ]


def test_waiting_tasks_are_those_of_scythe_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own rule is asked, task by task, whether a task splits and waits."""
    for name, value in _worker_environment().items():
        monkeypatch.setenv(name, value)
    from scythe.scatter_gather import RecursionMap, RecursionSpec, ScatterGatherInput

    def waiting(factor: int, max_depth: int, depth: int, specs: int) -> int:
        path = [RecursionSpec(factor=factor, offset=0)] * depth or None
        task = ScatterGatherInput.model_construct(
            recursion_map=RecursionMap(path=path, factor=factor, max_depth=max_depth)
        )
        task.__dict__["specs"] = [None] * specs
        if task.is_base_case:
            return 0
        return 1 + sum(
            waiting(factor, max_depth, depth + 1, len(range(i, specs, factor))) for i in range(factor)
        )

    for factor, max_depth in [(10, 0), (10, 1), (10, 2), (3, 4), (2, 6)]:
        assert waiting(factor, max_depth, 0, 10_000) == waiting_tasks(factor, max_depth)


def _worker_environment() -> dict[str, str]:
    """What scythe-engine asks for as it is imported: a token that looks like one, a bucket."""
    claims = "eyJzdWIiOiJ0Iiwic2VydmVyX3VybCI6Imh0dHA6Ly9sb2NhbGhvc3QiLCJncnBjX2Jyb2FkY2FzdF9hZGRyZXNzIjoibG9jYWxob3N0OjcwNzAifQ"
    return {
        "HATCHET_CLIENT_TOKEN": f"eyJhbGciOiJFUzI1NiJ9.{claims}.e30",
        "SCYTHE_STORAGE_BUCKET": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
