"""Findings of tflint that a line answers for, written above it with the reason."""

from __future__ import annotations

from collections.abc import Mapping

ANSWERS: Mapping[tuple[str, str, str], tuple[str, str]] = {
    ("", "versions.tf", "    aws = {"): (
        "terraform_unused_required_providers",
        "The submodules' provider: which versions go is said where people look.",
    ),
}
"""Rule and reason, by the folder, the file and the line."""


def answered(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    """The files of a folder with the answers in them.

    Raises:
        KeyError: a line that an answer is for is not there.
    """
    found = dict(files)
    for (place, path, line), (rule, reason) in ANSWERS.items():
        if place != folder:
            continue
        before, mark, after = found[path].partition(f"\n{line}\n")
        if not mark:
            raise KeyError(path, line)
        indent = line[: len(line) - len(line.lstrip())]
        found[path] = f"{before}\n{indent}# {reason}\n{indent}# tflint-ignore: {rule}\n{line}\n{after}"
    return found
