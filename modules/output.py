"""The folder of synthesized stacks, changed as a whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modules.stack import ScytheApp

_MANIFEST = "manifest.json"


@contextmanager
def synthesized_into(out: Path) -> Iterator[ScytheApp]:
    """An app to compose stacks in; they are written when the block ends, and nothing is where it fails.

    What Terraform keeps beside a stack (its lock file, its plugins) and the folders of other stacks stay; the
    manifest, by which CDKTF's command line knows the stacks, lists those of this app.

    Args:
        out: the output folder; made where it is missing.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        app = ScytheApp(outdir=folder)
        yield app
        app.synth()
        _replace(Path(folder), out)


def _replace(folder: Path, out: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    # The manifest comes last: what it lists is there.
    for file in sorted(files, key=lambda path: path.name == _MANIFEST):
        target = out / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
