"""Runs the real CDKTF command line, cdktf-cli 0.21, as a person would type it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from click import unstyle

from tests.support.tools.node import CDKTF_CLI, NODE, install, node_environment

_SETTINGS = {
    "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",  # else it makes and shares a plugin cache in the home folder
    "CHECKPOINT_DISABLE": "1",
    "CI": "1",
    "DISABLE_VERSION_CHECK": "1",
}

# The lock step asks Terraform's public registry even where a mirror is configured.
_OPTIONS = {
    "diff": ["--skip-provider-lock"],
    "deploy": ["--skip-provider-lock", "--auto-approve"],
    "destroy": ["--skip-provider-lock", "--auto-approve"],
}


def cdktf(
    command: Literal["synth", "list", "diff", "deploy", "destroy", "output"],
    *arguments: str,
    project: Path,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one `cdktf` command without questions, telemetry, version check or colours.

    Args:
        command: The command.
        arguments: Stacks (a pattern such as ``docs-*`` too) and options.
        project: The folder with `cdktf.json`.
        environment: The whole environment, to which Node and the switches above are added; default is this
            process's own.

    Returns:
        The finished process; `stdout` holds its standard error too, in order.
    """
    cli = install(CDKTF_CLI) / "cdktf-cli" / "bundle" / "bin" / "cdktf"
    result = subprocess.run(
        [NODE, cli, command, *arguments, *_OPTIONS.get(command, [])],
        cwd=project,
        env=node_environment(environment) | _SETTINGS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    result.stdout = unstyle(result.stdout)
    return result
