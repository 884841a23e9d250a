"""No text of somebody else's reaches a terminal as it is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ops import cli
from ops.commands.logs import _line
from ops.errors import CommandError
from synthesis.rules import printable_lines

HOSTILE = "done\x1b]0;title\x07\x1b[2J\x1b[1A\r\x9b31m\u202eforged\x00\u2028\tend"
"""A title, a cleared screen, a line above, a line over again, C1's own sequence, text from right to left."""


@given(st.text())
@example(HOSTILE)
def test_a_line_of_a_log_is_one_line_that_a_terminal_only_shows(message: str) -> None:
    event = {"timestamp": 0, "logStreamName": f"worker/worker/{message}", "message": f"{message}x"}
    line = _line(event)
    assert line.isprintable()
    assert line.startswith("1970-01-01 00:00:00 ")


@given(st.text())
@example(HOSTILE)
def test_lines_stay_lines(text: str) -> None:
    shown = printable_lines(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.replace("\n", "").isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1))
@example(HOSTILE)
def test_an_error_that_quotes_others_is_only_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    def refuse(**_: object) -> None:
        raise CommandError(f"the engine says: {text}", 1)

    monkeypatch.setattr(cli, "app", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("the engine says: ")
    assert said.replace("\n", "").isprintable()


def test_a_readable_error_is_as_it_is() -> None:
    message = "│ Error: »größer« than 5 %\n│\n│   on cdk.tf.json line 3: must be 日本"
    assert printable_lines(message) == message
