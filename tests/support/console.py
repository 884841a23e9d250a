"""What Terraform makes of an expression."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def evaluated(written: str, folder: Path, **locals_: object) -> Any:
    """The value of an expression, as JSON has it.

    Args:
        written: the expression, or a template's argument that is one (``${...}``).
        folder: one of its own.
        locals_: the values that it may read, as a template has them.
    """
    expression = written.removeprefix("${").removesuffix("}") if written.startswith("${") else written
    # Not as a line of the console's: that has at most 64 KiB.
    given = {"locals": {**locals_, "evaluated": f"${{{expression}}}"}}
    (folder / "main.tf.json").write_text(json.dumps(given))
    ran = subprocess.run(
        ["terraform", "console"],
        cwd=folder, input="jsonencode(local.evaluated)\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    # Of what it cannot know it says so, and ends well.
    assert ran.stdout.startswith('"'), ran.stdout + ran.stderr
    return json.loads(json.loads(ran.stdout))
