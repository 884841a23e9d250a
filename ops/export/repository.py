"""The modules' repository: the root, the submodules, and what a registry and its readers expect beside them."""

from __future__ import annotations

import tempfile

from modules.stack import ScytheApp
from ops.export.constructs import modules_of
from ops.export.modules import files_of
from ops.export.root import RootModule


def repository(version: str | None) -> dict[str, str]:
    """The files by their paths, as text that ``terraform fmt`` has yet to align.

    Args:
        version: what the examples and the documentation pin; None for the newest of the changelog.
    """
    with tempfile.TemporaryDirectory() as unused:
        app = ScytheApp(outdir=unused)
        modules = modules_of(app)
        folders = {"": RootModule(app, modules).files()}
        folders |= {f"modules/{module.name}/": files_of(module) for module in modules.values()}
    return {f"{folder}{name}": text for folder, files in folders.items() for name, text in files.items()}
