"""The set-up's scripts take what is stored for text."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.project import ROOT

SCRIPTS = ROOT / "modules" / "hatchet" / "set_up"


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_nothing_stored_is_a_command(script: Path) -> None:
    assert "eval" not in script.read_text().split()
    subprocess.run(["sh", "-n", script], check=True)


def _load() -> str:
    text = (SCRIPTS / "database.sh").read_text()
    begin = text.index("load() {")
    return text[begin : text.index("\n}\n", begin) + 3]


HOSTILE = "x'; touch canary; `touch canary`; $(touch canary) \\ && touch canary; '"
"""What `eval` would have carried out, whichever way it quotes."""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(HOSTILE)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\{},')))
def test_a_stored_value_becomes_a_variable_as_it_is(tmp_path: Path, value: str) -> None:
    value = value.replace("\\", "")
    stored = {"ADMIN_PASSWORD": value, "PATH": "/nowhere", "ADMIN_EMAIL": "me@example.org"}
    (tmp_path / "admin.json").write_text(json.dumps(stored, indent=2))
    script = f'{_load()}\nload admin.json ADMIN_EMAIL ADMIN_PASSWORD\nprintf \'%s|%s\' "$ADMIN_EMAIL" "$ADMIN_PASSWORD"'
    ran = subprocess.run(["sh", "-euc", script], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"me@example.org|{value}"
    assert not (tmp_path / "canary").exists()
