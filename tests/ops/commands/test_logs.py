"""`scythe-aws logs`: what a fleet writes."""

from __future__ import annotations

import subprocess
import time

import pytest

from ops.commands.logs import seconds_of
from tests.ops.commands.conftest import Place
from tests.support.command import COMMAND


@pytest.mark.slow
def test_logs_are_told_in_their_order_and_followed(place: Place) -> None:
    client = place.aws.client("logs")
    group = "/scythe/lab/simulations"
    assert place.refused("logs", place.file, "simulations") == (
        "simulations has no log yet: run cdktf deploy lab-workers first"
    )
    client.create_log_group(logGroupName=group)
    streams = [f"worker/worker/{digit * 32}" for digit in "12"]
    now = int(time.time() * 1000)

    def write(stream: str, age: int, message: str) -> None:
        event = {"timestamp": now - age * 1000, "message": message}
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    for stream in streams:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    write(streams[0], 7200, "long ago")
    write(streams[0], 30, "first")
    write(streams[1], 20, '{"message": "second"}\n')
    said = place.run("logs", place.file, "simulations").stdout.splitlines()
    assert [line.split(" ", 2)[2] for line in said] == ["11111111 first", '22222222 {"message": "second"}']
    assert len(place.run("logs", place.file, "simulations", "--since", "1d").stdout.splitlines()) == 3
    process = subprocess.Popen(
        [COMMAND, "logs", place.file, "simulations", "--follow"],
        env=place.aws.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert [process.stdout.readline().split()[-1] for _ in said] == ["first", '"second"}']
        # An event of before the last one, which arrived late.
        write(streams[0], 22, "late")
        assert "late" in process.stdout.readline()
        process.send_signal(2)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, rest) == (0, "") and "Traceback" not in errors


def test_what_is_no_fleet_or_time_is_told(place: Place) -> None:
    assert place.refused("logs", place.file, "sims") == (
        "lab has no fleet sims; must be one of simulations, annual, fanouts"
    )
    assert place.refused("logs", place.file, "annual", "--since", "soon") == (
        "--since: got 'soon'; must be a time such as 90s, 30m, 2h or 1d"
    )
    assert seconds_of("1h30m") == 5400
