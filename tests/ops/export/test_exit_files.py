"""What the way out writes beside its moves: values, a README, a state of its own, no word of where it comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from environments.loading import load
from ops.export import ExportError, of_environment
from ops.export.carried import LOCK, carried
from ops.export.exit import Sources
from tests.support.project import ROOT, SELF_HOSTED


@pytest.fixture(scope="module")
def docs() -> dict[str, str]:
    return of_environment(load(ROOT / "environments/docs.yaml"), Sources("../../modules"))


def state(path: Path, serial: int, lineage: str = "ours") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"lineage": lineage, "serial": serial}))


def test_the_fleets_are_one_call_with_their_values_apart(docs: dict[str, str]) -> None:
    assert docs["docs-workers/main.tf"].count('source = "../../modules/modules/worker-fleet"') == 1
    assert "for_each = var.workers" in docs["docs-workers/main.tf"]
    assert "simulations = {" in docs["docs-workers/terraform.tfvars"]
    assert 'module.worker_fleet["simulations"].aws_ecs_service.this' in docs["docs-workers/moved.tf"]
    assert [name for name, text in docs.items() if "locals {" in text] == []


def test_what_never_existed_has_no_move(docs: dict[str, str]) -> None:
    # docs has no alarms, no engine, and makes its bucket.
    moves = docs["docs-storage/moved.tf"]
    assert "aws_s3_bucket.this" in moves
    assert "module.repositories" not in moves


def test_states_are_beside_the_configurations(docs: dict[str, str]) -> None:
    assert "backend" not in docs["docs-workers/terraform.tf"]
    assert 'path = "../docs-network/terraform.tfstate"' in docs["docs-workers/main.tf"]
    assert "mv state/$stack.tfstate state/$stack.tfstate.retired" in docs["README.md"]
    assert {".gitignore", "README.md"} <= docs.keys()
    assert ".terraform.lock.hcl\n" not in docs[".gitignore"].replace("# ", "")


def test_a_person_needs_nothing_but_terraform(docs: dict[str, str]) -> None:
    hosted = of_environment(load(SELF_HOSTED), Sources(".."))
    for text in (*docs.values(), *hosted.values()):
        assert re.findall(r"(?i)cdktf|yaml|environment(?:'s)? file|scythe-aws token", text) == []
    assert "put-secret-value" in docs["docs-workers/main.tf"]
    assert "set-up stores it" in hosted["prod-workers/main.tf"]


def test_a_state_and_a_lock_are_copied_once(tmp_path: Path) -> None:
    states, out, synthesized = tmp_path / "state", tmp_path / "out", tmp_path / "stacks"
    state(states / "docs-network.tfstate", 3)
    (out / "docs-network").mkdir(parents=True)
    (synthesized / "docs-network").mkdir(parents=True)
    (synthesized / "docs-network" / LOCK).write_text("provider {}\n")
    copy = out / "docs-network/terraform.tfstate"

    assert list(carried(out, ["docs-network"], states, synthesized)) == [copy, out / "docs-network" / LOCK]
    assert json.loads(copy.read_text())["serial"] == 3
    state(copy, 4)
    assert list(carried(out, ["docs-network"], states, synthesized)) == []
    assert json.loads(copy.read_text())["serial"] == 4
    state(states / "docs-network.tfstate", 5)
    with pytest.raises(ExportError, match="serial 4 is older than serial 5"):
        list(carried(out, ["docs-network"], states, synthesized))
    (states / "docs-network.tfstate").unlink()
    assert list(carried(out, ["docs-network"], states, synthesized)) == []
