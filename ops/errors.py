"""Why a command ends before it is done, in words for the person who typed it."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it: 128 and the signal's number."""


class CommandError(Exception):
    """What stands in a command's way; the text is what it says on standard error.

    Attributes:
        status: the exit status: 2 for bad input or a missing prerequisite, 1 where the answer is no.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        self.status = status
        super().__init__(message)


_OURS = {
    "environments.errors": "EnvironmentFileError",
    "modules.output": "SynthesisError",
    "ops.export": "ExportError",
    "ops.terraform": "TerraformError",
    "local_aws.local_aws": "LocalAwsError",
}
"""Errors whose text is for that person as it is, by the module that has them."""


def explain(error: Exception) -> CommandError | None:
    """An error in words for that person; None for a fault of this program.

    Only modules that are loaded already are asked, so that nothing is imported for it.
    """
    if isinstance(error, CommandError):
        return error
    for module, name in _OURS.items():
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return CommandError(str(error))
    if "botocore.exceptions" in sys.modules:
        from ops.aws import explain_refusal  # only where boto3 is loaded already

        if words := explain_refusal(error):
            return CommandError(words)
    if isinstance(error, OSError) and error.filename is not None:
        return CommandError(f"{error.filename}: {error.strerror}")
    return None
