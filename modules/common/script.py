"""Shell scripts as arguments."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from cdktf import TerraformStack
from constructs import Construct

from synthesis.stack import ScytheStack


def script(scope: Construct, *files: Path) -> str:
    """The text of a script of one or several files; a module has the files beside it."""
    stack = cast("ScytheStack", TerraformStack.of(scope))
    return "".join(stack.text_of(file) for file in files)
