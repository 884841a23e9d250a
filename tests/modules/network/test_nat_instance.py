"""The NAT instance: a boot that does not succeed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from modules.network import nat_instance
from modules.network.settings import NetworkSettings
from tests.modules.stack import template_of

SCRIPT = Path(nat_instance.__file__).with_name("nat_instance.sh")
COMMANDS = ("sysctl", "dd", "chmod", "mkswap", "swapon", "systemctl", "nft", "sleep", "dnf", "shutdown")


def boot(folder: Path, failing: str = "") -> list[str]:
    """Run the boot script with commands that only say that they ran; gives what `shutdown` was asked.

    Args:
        folder: stands for the file system.
        failing: the command that fails each time.
    """
    for place in ("bin", "etc/sysctl.d", "etc/sysconfig"):
        (folder / place).mkdir(parents=True)
    for command in COMMANDS:
        stub = folder / "bin" / command
        stub.write_text(f'#!/bin/bash\necho {command} "$@" >>{folder}/said\nexit {int(command == failing)}\n')
        stub.chmod(0o755)
    script = SCRIPT.read_text().replace("/etc/", f"{folder}/etc/").replace("/swapfile", f"{folder}/swapfile")
    running = subprocess.Popen(
        ["bash", "-c", script], env={**os.environ, "PATH": f"{folder}/bin:/usr/bin:/bin"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        running.wait(2)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, 9)
        running.wait()
    lines = (folder / "said").read_text().splitlines()
    return [line.removeprefix("shutdown ") for line in lines if line.startswith("shutdown")]


def test_a_boot_that_succeeds_stays(tmp_path: Path) -> None:
    assert boot(tmp_path) == ["--poweroff +15", "-c"]


@pytest.mark.parametrize("failing", ["sysctl", "mkswap", "dnf", "systemctl", "nft"])
def test_a_boot_that_fails_or_hangs_powers_the_instance_off(tmp_path: Path, failing: str) -> None:
    assert boot(tmp_path, failing) == ["--poweroff +15"]


@pytest.mark.parametrize("kind", ["instance", "volume"])
def test_what_the_group_launches_has_the_stacks_tags(kind: str) -> None:
    (template,) = template_of("network", network=NetworkSettings())["resource"][
        "aws_launch_template"
    ].values()
    tags = {item["resource_type"]: item["tags"] for item in template["tag_specifications"]}
    assert tags[kind] == '${merge(data.aws_default_tags.nat_instance.tags, { Name = "${local.name}-nat" })}'
